// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// One element of an instant vector.
package struct VectorSample: Hashable, Sendable {
    package var labels: Labels
    package var value: Double

    package init(labels: Labels, value: Double) {
        self.labels = labels
        self.value = value
    }
}

/// One series of a range result: two columns of equal length, times rising.
package struct RangeSeries: Hashable, Sendable {
    package var labels: Labels
    package var times: [Timestamp]
    package var values: [Double]

    package init(labels: Labels, times: [Timestamp], values: [Double]) {
        self.labels = labels
        self.times = times
        self.values = values
    }
}

/// What a query yields at one time.
package enum QueryValue: Sendable {
    case scalar(Double)
    case string(String)
    case vector([VectorSample])
    /// Raw samples of a range selector or subquery.
    case matrix([RangeSeries])
}

/// The answer of an instant query, and what it rests on.
package struct InstantResult: Sendable {
    package var value: QueryValue
    /// Of all samples that were read, whether or not they decided the result.
    package var evidence: Evidence
    /// The newest stored sample that was read; nil where none was.
    ///
    /// Computed series (thresholds) do not count.
    package var newestSample: Timestamp?
    /// The earliest time after the evaluation at which the result could change although no sample arrives.
    ///
    /// `.distantFuture` where it cannot. May be early, never late.
    /// Results that move with time itself (``Query/dependsOnTime``) are not covered by it.
    package var nextChange: Timestamp
    /// Annotations as Prometheus words them, each starting with `PromQL warning: ` or `PromQL info: `.
    package var warnings: [String]
}

/// How a query is evaluated.
package struct EvaluationOptions: Sendable {
    package var qualities: QualitySet
    /// Overrides the look-back of stored series; nil takes each series' own.
    package var strictLookback: Milliseconds?
    /// Whether comparisons round both sides to 1e-9 first, so that 1.20 − 0.10 is 1.10.
    package var roundsComparisons: Bool
    /// The step of a subquery that names none.
    package var defaultSubqueryStep: Milliseconds
    /// The most samples that one query may load.
    package var maximumSamples: Int
    /// The most steps of one range query.
    package var maximumSteps: Int
    /// The most steps that all subqueries of one query take together.
    package var maximumSubquerySteps: Int
    /// Whether functions over long windows may ask the reader for summaries: evidence and the next change are then not
    /// found out.
    package var usesSummaries: Bool

    package init(
        qualities: QualitySet = .trusted,
        strictLookback: Milliseconds? = nil,
        roundsComparisons: Bool = false,
        defaultSubqueryStep: Milliseconds = .minute,
        maximumSamples: Int = 50_000_000,
        maximumSteps: Int = 11_000,
        maximumSubquerySteps: Int = 10_000_000,
        usesSummaries: Bool = false
    ) {
        self.qualities = qualities
        self.strictLookback = strictLookback
        self.roundsComparisons = roundsComparisons
        self.defaultSubqueryStep = defaultSubqueryStep
        self.maximumSamples = maximumSamples
        self.maximumSteps = maximumSteps
        self.maximumSubquerySteps = maximumSubquerySteps
        self.usesSummaries = usesSummaries
    }
}
