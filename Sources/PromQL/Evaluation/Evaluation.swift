// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Telemetry

/// One run of a query: every expression is evaluated once, at all its steps.
///
/// Used by one thread, which shares work on many series with others.
final class Evaluation {
    let reader: any SeriesReader
    let workers: any Workers
    let frame: RunFrame
    var findings = Findings()
    private(set) var warnings: [String] = []
    /// What was left out so far, by what of the answer that concerns.
    private(set) var faults: [MatchFault] = []
    let meter: QueryMeter
    /// Steps of subqueries so far.
    var subqueryStepCount = 0

    init(
        reader: any SeriesReader,
        workers: any Workers,
        frame: RunFrame
    ) {
        self.reader = reader
        self.workers = workers
        self.frame = frame
        self.meter = QueryMeter(frame.options)
    }

    func warn(_ text: @autoclosure () -> String) {
        let text = text()
        if !self.warnings.contains(text) { self.warnings.append(text) }
    }

    /// So many match groups are told apart; of more, nothing is known of the whole answer.
    private static let faultLimit = 1000

    /// Takes notice of what was left out.
    func note(_ faults: [MatchFault]) {
        for fault in faults where !self.faults.contains(where: { $0.labels == fault.labels }) {
            self.faults.append(fault)
        }
        if self.faults.count > Self.faultLimit { self.faults = [self.faults[0].reaching { _ in false }] }
    }

    /// Makes one of rows with the same labels, which must not have an element at the same step.
    func joined(_ vectors: VectorGrid) throws -> VectorGrid {
        guard self.frame.options.confinesFaults else { return try vectors.joined() }
        var faults: [MatchFault]? = []
        let result = try vectors.joined(confining: &faults)
        self.note(faults ?? [])
        return result
    }

    /// Says of what was left out since there were `known` faults what it means behind `plan`.
    private func widen(from known: Int, behind plan: Plan) {
        let new = self.faults[known...]
        self.faults.removeSubrange(known...)
        self.note(new.map { $0.reaching(plan.keepsApart) })
    }

    // MARK: Reading

    /// So many series are worth more than one thread.
    private static let sharedFrom = 32

    /// The rows that `fill` makes of the series of a selector, read once for all steps; it returns the labels.
    func rows(
        of plan: SelectorPlan,
        steps: Int,
        dropsName: Bool,
        summarizes: Bool = false,
        _ fill: @Sendable (RowSource, UnsafeMutableBufferPointer<Double>, inout Findings) throws -> Labels?
    ) throws -> VectorGrid {
        let selection = try self.reader.selection(try self.request(plan, summarizes: summarizes))
        try self.meter.hold(series: selection.count, steps: steps)
        let meter = self.meter
        @Sendable func read(_ range: Range<Int>) throws -> (VectorGrid, Findings) {
            var grid = VectorGrid(steps: steps)
            grid.reserve(rows: range.count)
            var findings = Findings()
            for index in range {
                try meter.check()
                let source = RowSource(selection: selection, index: index, meter: meter)
                try grid.append(dropsName: dropsName) { try fill(source, $0, &findings) }
            }
            return (grid, findings)
        }
        guard selection.count >= Self.sharedFrom else {
            let (grid, findings) = try read(0..<selection.count)
            self.findings.formUnion(findings)
            return grid
        }
        let parts = try self.workers.map(selection.count, read)
        var result = VectorGrid(steps: steps)
        result.reserve(rows: parts.reduce(0) { $0 + $1.0.count })
        for (grid, findings) in parts {
            result.append(contentsOf: grid)
            self.findings.formUnion(findings)
        }
        return result
    }

    /// What a selector needs for all evaluation times.
    func request(_ plan: SelectorPlan, summarizes: Bool = false) throws -> SelectRequest {
        let (earliest, latest) = plan.span.bounds(from: self.frame.from, through: self.frame.through)
        var end = latest
        if self.frame.tracks, plan.selector.offset > 0 {
            end = max(latest, min(self.frame.through, latest + plan.peek))
        }
        var extent: SelectExtent
        if let borders = plan.selector.borders, borders == .smoothed || plan.selector.window != nil {
            let start = earliest - (plan.selector.window ?? 0)
            if let lookback = self.frame.options.strictLookback {
                extent = .window(after: start - lookback, through: borders == .smoothed ? latest + lookback : end)
            } else {
                extent = .lookback(from: start, through: end)
                if borders == .smoothed {
                    let ahead = try self.longestLookback(plan, extent)
                    extent = .lookback(from: start, through: max(end, latest + ahead))
                }
            }
        } else if let window = plan.selector.window {
            extent = .window(after: earliest - window - (plan.readsBorder ? 1 : 0), through: end)
        } else if let lookback = self.frame.options.strictLookback {
            extent = .window(after: earliest - lookback, through: end)
        } else {
            extent = .lookback(from: earliest, through: end)
        }
        return SelectRequest(
            matchers: plan.matchers,
            extent: extent,
            qualities: plan.qualities ?? self.frame.options.qualities,
            summarizes: summarizes
        )
    }

    /// The longest look-back of the stored series in an extent: so far a smoothed selector looks ahead.
    private func longestLookback(_ plan: SelectorPlan, _ extent: SelectExtent) throws -> Milliseconds {
        let request = SelectRequest(
            matchers: plan.matchers,
            extent: extent,
            qualities: plan.qualities ?? self.frame.options.qualities
        )
        let selection = try self.reader.selection(request)
        var longest: Milliseconds = 0
        for index in 0..<selection.count {
            try self.meter.check()
            let source = RowSource(selection: selection, index: index, meter: self.meter)
            guard let series = try source.columns(), series.nextChange == nil else { continue }
            longest = max(longest, series.lookback)
        }
        return longest
    }

    // MARK: Values

    func scalar(_ plan: Plan, _ grid: StepGrid) throws -> ScalarSteps {
        let known = self.faults.count
        let result = try self.scalarSteps(plan, grid)
        // A number that rests on what was left out may decide every element.
        if self.faults.count > known {
            let new = self.faults[known...].map { $0.reaching { _ in false } }
            self.faults.removeSubrange(known...)
            self.note(new)
        }
        return result
    }

    private func scalarSteps(_ plan: Plan, _ grid: StepGrid) throws -> ScalarSteps {
        switch plan {
        case .number(let value): return .same(value)
        case .negation(let inner): return try self.scalar(inner, grid).map { -$0 }
        case .scalarOperation(let binary):
            let left = try self.scalar(binary.left, grid)
            let right = try self.scalar(binary.right, grid)
            let frame = self.frame
            if binary.operation.isComparison {
                return .combine(left, right) { frame.compare(binary.operation, $0, $1) ? 1 : 0 }
            }
            return .combine(left, right) { arithmetic(binary.operation, $0, $1) }
        case .call(let call):
            switch call.function {
            case .time: return .each(grid.times.map(\.seconds))
            case .pi: return .same(Double.pi)
            case .queryStart: return .same(self.frame.from.seconds)
            case .queryEnd: return .same(self.frame.through.seconds)
            case .queryRange: return .same((self.frame.through - self.frame.from).seconds)
            case .queryStep: return .same(self.frame.step.seconds)
            case .maxOf, .minOf:
                let first = try self.scalar(call.arguments[0], grid)
                let second = try self.scalar(call.arguments[1], grid)
                return .combine(first, second, call.function == .maxOf ? PromQL.greater : PromQL.lesser)
            case .scalar: return try self.onlyElements(self.vector(call.arguments[0], grid))
            default: break
            }
        case .string, .instant, .window, .subquery, .vectorScalar, .scalarVector, .vectorVector, .aggregation: break
        }
        throw PromQLError(.execution, "expected a scalar")
    }

    /// The value of the element at each step where there is just one, else NaN.
    private func onlyElements(_ vector: VectorGrid) -> ScalarSteps {
        .each(
            (0..<vector.steps)
                .map { step in
                    var only: Double?
                    for row in vector.rows.indices where !vector.value(row, step).isAbsent {
                        if only != nil { return .nan }
                        only = vector.value(row, step)
                    }
                    return only ?? .nan
                }
        )
    }

    func vector(_ plan: Plan, _ grid: StepGrid) throws -> VectorGrid {
        let known = self.faults.count
        let result = try self.vectors(plan, grid)
        if self.faults.count > known { self.widen(from: known, behind: plan) }
        return result
    }

    private func vectors(_ plan: Plan, _ grid: StepGrid) throws -> VectorGrid {
        switch plan {
        case .instant(let selector): return try self.instant(selector, grid, showing: .value)
        case .negation(let inner):
            var vector = try self.vector(inner, grid)
            vector.map { value, _ in -value }
            return vector
        case .vectorScalar(let binary):
            let vector = try self.vector(binary.left, grid)
            return self.combine(vector, with: try self.scalar(binary.right, grid), binary, scalarIsLeft: false)
        case .scalarVector(let binary):
            let vector = try self.vector(binary.right, grid)
            return self.combine(vector, with: try self.scalar(binary.left, grid), binary, scalarIsLeft: true)
        case .vectorVector(let binary): return try self.combine(binary, grid)
        case .aggregation(let aggregation): return try self.aggregate(aggregation, grid)
        case .call(let call): return try self.call(call, grid)
        case .number, .string, .window, .subquery, .scalarOperation:
            throw PromQLError(.execution, "expected an instant vector")
        }
    }

    /// What an instant selector sees: the values, or when they were measured.
    func instant(_ plan: SelectorPlan, _ grid: StepGrid, showing shown: SelectorSweep.Shown) throws -> VectorGrid {
        let sweep = SelectorSweep(plan: plan, grid: grid, frame: self.frame)
        sweep.notePeek(&self.findings)
        let isSmoothed = plan.selector.borders == .smoothed && shown == .value
        return try self.rows(of: plan, steps: grid.count, dropsName: shown == .time) { source, row, findings in
            guard let series = try source.columns() else { return nil }
            if isSmoothed {
                sweep.eachBorderedWindow(of: series.withoutStaleMarkers, &findings) { step, window in
                    if let value = window.smoothedValue { row[step] = value }
                }
                return series.labels
            }
            sweep.fill(row, from: series, showing: shown, &findings)
            return series.labels
        }
    }
}
