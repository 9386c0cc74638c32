// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Answers queries from the samples that a reader shows.
package struct Evaluator: Sendable {
    let reader: any SeriesReader
    let options: EvaluationOptions

    package init(reader: any SeriesReader, options: EvaluationOptions = EvaluationOptions()) {
        self.reader = reader
        self.options = options
    }

    /// The answer at one time.
    ///
    /// - Throws: ``PromQLError``, or what the reader throws.
    package func instant(_ query: Query, at time: Timestamp) throws -> InstantResult {
        throw PromQLError(.execution, "not evaluated")
    }

    /// The answers at `from`, `from + step`, … up to `through`, as series in the order of their labels.
    ///
    /// - Throws: ``PromQLError``, or what the reader throws.
    package func range(
        _ query: Query, from: Timestamp, through: Timestamp, step: Milliseconds
    ) throws -> (series: [RangeSeries], warnings: [String]) {
        throw PromQLError(.execution, "not evaluated")
    }
}
