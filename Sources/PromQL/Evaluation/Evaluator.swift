// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Answers queries from the samples that a reader shows.
package struct Evaluator: Sendable {
    private let reader: any SeriesReader
    private let options: EvaluationOptions

    package init(reader: any SeriesReader, options: EvaluationOptions = EvaluationOptions()) {
        self.reader = reader
        self.options = options
    }

    /// Whether a comparison of two numbers holds, as it would in a query.
    ///
    /// `rounded` as in ``EvaluationOptions/roundsComparisons``.
    package static func holds(_ operation: BinaryOperator, _ left: Double, _ right: Double, rounded: Bool) -> Bool {
        Evaluation.compare(operation, left, right, rounded: rounded)
    }

    /// The answer at one time.
    ///
    /// Samples stamped later are not seen.
    ///
    /// - Throws: ``PromQLError``, or what the reader throws.
    package func instant(_ query: Query, at time: Timestamp) throws -> InstantResult {
        let run = Evaluation(
            query: query,
            reader: self.reader,
            options: self.options,
            from: time,
            through: time,
            step: 0
        )
        let value: QueryValue
        switch query.type {
        case .scalar: value = .scalar(try run.scalar(query.plan, at: time))
        case .string:
            if case .string(let text) = query.plan { value = .string(text) } else { value = .string("") }
        case .vector: value = .vector(try Self.finished(try run.vector(query.plan, at: time)))
        case .matrix:
            let series = try run.windows(query.plan, at: time)
                .map { window in
                    RangeSeries(
                        labels: window.dropsName ? window.labels.removing(Labels.metricName) : window.labels,
                        times: Array(window.times),
                        values: Array(window.values)
                    )
                }
            value = .matrix(series.sorted { $0.labels < $1.labels })
        }
        return InstantResult(
            value: value,
            evidence: run.evidence,
            newestSample: run.newestSample == .distantPast ? nil : run.newestSample,
            nextChange: run.nextChange,
            warnings: run.warnings
        )
    }

    /// The answers at `from`, `from + step`, … up to `through`, as series in the order of their labels.
    ///
    /// - Throws: ``PromQLError``, or what the reader throws.
    package func range(
        _ query: Query,
        from: Timestamp,
        through: Timestamp,
        step: Milliseconds
    ) throws -> (series: [RangeSeries], warnings: [String]) {
        guard query.type == .vector || query.type == .scalar else {
            throw PromQLError(
                .execution,
                "invalid expression type \"\(query.type.rawValue)\" for range query, must be scalar or instant vector"
            )
        }
        guard step > 0 else {
            throw PromQLError(.execution, "zero or negative query resolution step widths are not accepted")
        }
        guard through >= from else { throw PromQLError(.execution, "end timestamp must not be before start time") }
        guard (through - from) / step < Int64(self.options.maximumSteps) else {
            throw PromQLError(
                .limit,
                "exceeded maximum resolution of \(self.options.maximumSteps) points per timeseries",
                hint: "ask for a longer step"
            )
        }
        let run = Evaluation(
            query: query,
            reader: self.reader,
            options: self.options,
            from: from,
            through: through,
            step: step
        )
        var collector = SeriesCollector()
        var time = from
        for _ in 0...(through - from) / step {
            if query.type == .scalar {
                let value = try run.scalar(query.plan, at: time)
                collector.add([Element(labels: .empty, value: value, dropsName: false)], at: time)
            } else {
                collector.add(try run.vector(query.plan, at: time), at: time)
            }
            time = time + step
        }
        return (try Self.finished(collector), run.warnings)
    }

    /// Takes away the names that are to go; two elements with the same labels are an error then.
    private static func finished(_ vector: [Element]) throws -> [VectorSample] {
        var hasLostNames = false
        var result: [VectorSample] = []
        result.reserveCapacity(vector.count)
        for element in vector {
            var labels = element.labels
            if element.dropsName, labels.value(of: Labels.metricName) != nil {
                labels = labels.removing(Labels.metricName)
                hasLostNames = true
            }
            result.append(VectorSample(labels: labels, value: element.value))
        }
        if hasLostNames, result.count > 1 {
            let elements = result.map { Element(labels: $0.labels, value: $0.value, dropsName: false) }
            if let twice = duplicate(in: elements) { throw Self.duplicateError(twice) }
        }
        return result
    }

    /// Joins series that differ only in a name that goes; they must not have a value at the same time.
    private static func finished(_ collector: SeriesCollector) throws -> [RangeSeries] {
        var places: [Labels: Int] = [:]
        var result: [RangeSeries] = []
        for series in collector.series {
            let labels = series.dropsName ? series.labels.removing(Labels.metricName) : series.labels
            guard let place = places[labels] else {
                places[labels] = result.count
                result.append(RangeSeries(labels: labels, times: series.times, values: series.values))
                continue
            }
            let joined = zip(result[place].times + series.times, result[place].values + series.values)
                .sorted { $0.0 < $1.0 }
            for (earlier, later) in zip(joined, joined.dropFirst()) where earlier.0 == later.0 {
                throw self.duplicateError(labels)
            }
            result[place].times = joined.map(\.0)
            result[place].values = joined.map(\.1)
        }
        return result.sorted { $0.labels < $1.labels }
    }

    private static func duplicateError(_ labels: Labels) -> PromQLError {
        PromQLError(.matching, "vector cannot contain metrics with the same labelset: \(labels)")
    }
}
