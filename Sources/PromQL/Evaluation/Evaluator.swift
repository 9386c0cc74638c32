// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Answers queries from the samples that a reader shows.
package struct Evaluator: Sendable {
    private let reader: any SeriesReader
    private let options: EvaluationOptions
    private let workers: any Workers

    /// - Parameters:
    ///   - reader: Where the series are.
    ///   - options: See there.
    ///   - workers: Who share the work on many series.
    package init(
        reader: any SeriesReader,
        options: EvaluationOptions = EvaluationOptions(),
        workers: any Workers = AllCores()
    ) {
        self.reader = reader
        self.options = options
        self.workers = workers
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
        let query = try query.resolved()
        let run = self.run(query, from: time, through: time, step: 0)
        let grid = StepGrid(at: time)
        let value: QueryValue
        switch query.type {
        case .scalar: value = .scalar(try run.scalar(query.plan, grid)[0])
        case .string:
            if case .string(let text) = query.plan { value = .string(text) } else { value = .string("") }
        case .vector:
            let vector = try Self.finished(try run.vector(query.plan, grid), run)
            value = .vector(zip(vector.rows, vector.values).map { VectorSample(labels: $0.labels, value: $1) })
        case .matrix: value = .matrix(try run.matrix(query.plan, grid).sorted { $0.labels < $1.labels })
        }
        let findings = run.findings
        return InstantResult(
            value: value,
            evidence: findings.evidence,
            newestSample: findings.newestSample == .distantPast ? nil : findings.newestSample,
            nextChange: findings.nextChange,
            warnings: run.warnings,
            faults: run.faults
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
        let answer = try self.steps(query, from: from, through: through, step: step)
        return (answer.series.map(answer.columns), answer.warnings)
    }

    /// The same, not yet taken apart into samples: for answers that are written as they are read.
    ///
    /// - Throws: ``PromQLError``, or what the reader throws.
    package func steps(
        _ query: Query,
        from: Timestamp,
        through: Timestamp,
        step: Milliseconds
    ) throws -> RangeResult {
        guard query.type == .vector || query.type == .scalar else {
            throw PromQLError(
                .execution,
                "invalid expression type \"\(query.type.rawValue)\" for range query, must be Scalar or instant Vector"
            )
        }
        guard step > 0 else {
            throw PromQLError(.execution, "zero or negative query resolution step widths are not accepted")
        }
        guard through >= from else { throw PromQLError(.execution, "end timestamp must not be before start time") }
        guard (through - from) / step <= Int64(self.options.limits.steps) else {
            throw PromQLError(
                .limit,
                "exceeded maximum resolution of \(self.options.limits.steps) points per timeseries",
                hint: "ask for a longer step"
            )
        }
        let query = try query.resolved(step: step, range: through - from)
        let run = self.run(query, from: from, through: through, step: step)
        let grid = StepGrid(from: from, through: through, step: step)
        let vectors =
            query.type == .scalar
            ? VectorGrid(steps: grid.count, labels: .empty, try run.scalar(query.plan, grid))
            : try Self.finished(try run.vector(query.plan, grid), run)
        return RangeResult(grid.times, vectors, warnings: run.warnings, meter: run.meter)
    }

    /// Whether the answer has, or may have, an element at any of some moments, which rise.
    ///
    /// - Throws: ``PromQLError``, or what the reader throws.
    package func isAnything(_ query: Query, at moments: [Timestamp]) throws -> Bool {
        guard let first = moments.first, let last = moments.last else { return false }
        guard query.type == .vector, !query.asksForItself, !query.hasSpanFormulas else { return true }
        let run = self.run(query, from: first, through: last, step: 1)
        let grid = StepGrid(moments)
        let vectors = try Self.finished(try run.vector(query.plan, grid), run)
        guard run.faults.isEmpty else { return true }
        return vectors.rows.indices.contains { row in vectors.values(of: row).contains { !$0.isAbsent } }
    }

    /// The answers at some moments, which rise, as series in the order of their labels.
    ///
    /// - Throws: ``PromQLError``, or what the reader throws.
    package func answers(_ query: Query, at moments: [Timestamp]) throws -> [RangeSeries] {
        guard let first = moments.first, let last = moments.last else { return [] }
        let run = self.run(query, from: first, through: last, step: 1)
        let grid = StepGrid(moments)
        let vectors =
            query.type == .scalar
            ? VectorGrid(steps: grid.count, labels: .empty, try run.scalar(query.plan, grid))
            : try Self.finished(try run.vector(query.plan, grid), run)
        let answer = RangeResult(grid.times, vectors, warnings: run.warnings, meter: run.meter)
        return answer.series.map(answer.columns)
    }

    private func run(_ query: Query, from: Timestamp, through: Timestamp, step: Milliseconds) -> Evaluation {
        Evaluation(
            reader: self.reader,
            workers: self.workers,
            frame: RunFrame(options: self.options, from: from, through: through, step: step, days: query.days)
        )
    }

    /// Takes away the names that are to go; rows that differ only in them become one, and must not have an element at
    /// the same step.
    private static func finished(_ vectors: VectorGrid, _ run: Evaluation) throws -> VectorGrid {
        var result = vectors
        var hasLostNames = false
        for (row, entry) in vectors.rows.enumerated()
        where entry.dropsName && entry.labels.hasMetadata {
            result.relabel(row, entry.labels.removingMetadata(), dropsName: false)
            hasLostNames = true
        }
        return hasLostNames || vectors.steps > 1 ? try run.joined(result) : result
    }
}
