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

/// The answer of a range query.
package struct RangeResult: Sendable {
    /// One series of it: its labels, and a value for each step that has one.
    package struct Series: Sendable {
        package let labels: Labels
        fileprivate let values: ArraySlice<Double>

        /// Calls `body` with each sample, oldest first, and its place in ``RangeResult/times``.
        package func eachSample(_ body: (_ step: Int, _ value: Double) -> Void) {
            self.values.withUnsafeBufferPointer { values in
                for step in values.indices where !values[step].isAbsent { body(step, values[step]) }
            }
        }
    }

    /// Of all steps.
    package let times: [Timestamp]

    /// In the order of their labels.
    package let series: [Series]
    /// As those of ``InstantResult``.
    package let warnings: [String]

    /// Its points count as held until the answer is gone.
    private let meter: QueryMeter

    init(_ times: [Timestamp], _ vectors: VectorGrid, warnings: [String], meter: QueryMeter) {
        self.series = vectors.rows.indices
            .map { row in
                Series(labels: vectors.rows[row].labels, values: vectors.values(of: row))
            }
            .sorted { $0.labels < $1.labels }
        self.times = times
        self.meter = meter
        self.warnings = warnings
    }

    /// One of the series as columns.
    func columns(_ series: Series) -> RangeSeries {
        var columns = RangeSeries(labels: series.labels, times: [], values: [])
        series.eachSample { step, value in
            columns.times.append(self.times[step])
            columns.values.append(value)
        }
        return columns
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
    /// What was left out; see ``EvaluationOptions/confinesFaults``.
    package var faults: [MatchFault] = []
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
    package var limits: QueryLimits
    /// Shared with the other queries; nil where nobody else asks.
    package var pool: QueryPool?
    /// Whether an instant query finds out what it rests on, and when its result could change.
    ///
    /// Without that, functions over long windows ask the reader for summaries instead of samples.
    package var findsEvidence: Bool
    /// Whether elements that cannot be paired without ambiguity are left out, and said to be, with all of their match
    /// group; otherwise the whole query is an error.
    package var confinesFaults = false
    /// By which a query can be ended while it runs.
    package var stop: QueryStop?

    package init(
        qualities: QualitySet = .trusted,
        strictLookback: Milliseconds? = nil,
        roundsComparisons: Bool = false,
        defaultSubqueryStep: Milliseconds = .minute,
        limits: QueryLimits = QueryLimits(),
        pool: QueryPool? = nil,
        findsEvidence: Bool = true,
        stop: QueryStop? = nil
    ) {
        self.qualities = qualities
        self.strictLookback = strictLookback
        self.roundsComparisons = roundsComparisons
        self.defaultSubqueryStep = defaultSubqueryStep
        self.limits = limits
        self.pool = pool
        self.findsEvidence = findsEvidence
        self.stop = stop
    }
}
