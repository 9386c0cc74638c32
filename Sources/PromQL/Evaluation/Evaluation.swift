// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// One run of a query: what it has read, and what it found out on the way.
///
/// Used by one thread.
final class Evaluation {
    let reader: any SeriesReader
    let options: EvaluationOptions
    /// The first and the last evaluation time.
    let from: Timestamp
    let through: Timestamp
    /// The distance between evaluation times; 0 for an instant query.
    let step: Milliseconds
    /// Whether evidence and the next change are wanted.
    var isInstant: Bool { self.step == 0 }

    var evidence: Evidence = []
    var newestSample = Timestamp.distantPast
    var nextChange = Timestamp.distantFuture
    var warnings: [String] = []
    private var sampleCount = 0
    /// Steps of subqueries so far.
    var subqueryStepCount = 0
    private var loaded: [LoadedSelector?]
    private var groupTables: [ObjectIdentifier: GroupTable] = [:]

    init(
        query: Query,
        reader: any SeriesReader,
        options: EvaluationOptions,
        from: Timestamp,
        through: Timestamp,
        step: Milliseconds
    ) {
        self.reader = reader
        self.options = options
        self.from = from
        self.through = through
        self.step = step
        self.loaded = Array(repeating: nil, count: query.selectors.count)
    }

    func warn(_ text: @autoclosure () -> String) {
        let text = text()
        if !self.warnings.contains(text) { self.warnings.append(text) }
    }

    func groupTable(of plan: AggregationPlan) -> GroupTable {
        if let known = self.groupTables[ObjectIdentifier(plan)] { return known }
        let table = GroupTable()
        self.groupTables[ObjectIdentifier(plan)] = table
        return table
    }

    // MARK: Reading

    /// The series of a selector, read once for all evaluation times.
    func series(of plan: SelectorPlan) throws -> LoadedSelector {
        if let known = self.loaded[plan.index] { return known }
        let (earliest, latest) = plan.span.bounds(from: self.from, through: self.through)
        var end = latest
        if self.isInstant, plan.selector.offset > 0 {
            end = Swift.max(latest, Swift.min(self.through, latest + plan.peek))
        }
        let extent: SelectExtent
        if let window = plan.selector.window {
            extent = .window(after: earliest - window - (plan.readsBorder ? 1 : 0), through: end)
        } else if let lookback = self.options.strictLookback {
            extent = .window(after: earliest - lookback, through: end)
        } else {
            extent = .lookback(from: earliest, through: end)
        }
        let request = SelectRequest(
            matchers: plan.matchers,
            extent: extent,
            qualities: plan.qualities ?? self.options.qualities
        )
        let result = LoadedSelector(try self.reader.select(request), isWindow: plan.selector.window != nil)
        for series in result.series { self.sampleCount += series.times.count }
        guard self.sampleCount <= self.options.maximumSamples else {
            throw PromQLError(
                .limit,
                "query processing would load too many samples into memory in query execution",
                hint: "the limit is \(self.options.maximumSamples); ask for a shorter time or fewer series"
            )
        }
        self.loaded[plan.index] = result
        return result
    }

    /// When a selector or subquery with these modifiers looks from, evaluated at `time`.
    func moment(_ modifiers: TimeModifiers, at time: Timestamp) -> Timestamp {
        switch modifiers.at {
        case nil: time - modifiers.offset
        case .start: self.from - modifiers.offset
        case .end: self.through - modifiers.offset
        case .time(let fixed): fixed - modifiers.offset
        }
    }

    /// Notes a time at which a sample that was seen at `moment`, `offset` before the evaluation, ceases to be seen.
    @inline(__always)
    func noteChange(_ time: Timestamp, _ modifiers: TimeModifiers) {
        if case .time? = modifiers.at { return }
        let change = time + modifiers.offset
        if change < self.nextChange { self.nextChange = change }
    }

    /// Notes when the next sample that is stored already, behind an offset, comes into view.
    func noteArrival(after index: Int, of series: SeriesColumns, plan: SelectorPlan, at moment: Timestamp) {
        guard plan.selector.offset > 0 else { return }
        if index < series.times.count {
            self.noteChange(series.times[index], plan.selector.modifiers)
        }
    }

    /// Notes up to where an offset selector has looked ahead for samples.
    func notePeek(_ plan: SelectorPlan, at moment: Timestamp) {
        guard plan.selector.offset > plan.peek, !plan.isInSubquery else { return }
        self.noteChange(moment + plan.peek, plan.selector.modifiers)
    }

    // MARK: Values

    func scalar(_ plan: Plan, at time: Timestamp) throws -> Double {
        switch plan {
        case .number(let value): return value
        case .negation(let inner): return -(try self.scalar(inner, at: time))
        case .scalarOperation(let binary):
            let left = try self.scalar(binary.left, at: time)
            let right = try self.scalar(binary.right, at: time)
            if binary.operation.isComparison {
                return self.compare(binary.operation, left, right) ? 1 : 0
            }
            return arithmetic(binary.operation, left, right)
        case .call(let call):
            switch call.function {
            case .time: return Double(time.milliseconds) / 1000
            case .pi: return Double.pi
            case .queryStart: return self.from.seconds
            case .queryEnd: return self.through.seconds
            case .queryRange: return (self.through - self.from).seconds
            case .queryStep: return self.step.seconds
            case .maxOf, .minOf:
                let first = try self.scalar(call.arguments[0], at: time)
                let second = try self.scalar(call.arguments[1], at: time)
                return call.function == .maxOf ? Self.greater(first, second) : Self.lesser(first, second)
            case .scalar:
                let vector = try self.vector(call.arguments[0], at: time)
                return vector.count == 1 ? vector[0].value : .nan
            default: break
            }
        case .string, .instant, .window, .subquery, .vectorScalar, .scalarVector, .vectorVector, .aggregation: break
        }
        throw PromQLError(.execution, "expected a scalar")
    }

    func vector(_ plan: Plan, at time: Timestamp) throws -> [Element] {
        switch plan {
        case .instant(let selector):
            return try self.instant(selector, at: time)
        case .negation(let inner):
            var vector = try self.vector(inner, at: time)
            for index in vector.indices {
                vector[index].value = -vector[index].value
                vector[index].dropsName = true
            }
            return vector
        case .vectorScalar(let binary):
            let vector = try self.vector(binary.left, at: time)
            return self.combine(vector, with: try self.scalar(binary.right, at: time), binary, scalarIsLeft: false)
        case .scalarVector(let binary):
            let vector = try self.vector(binary.right, at: time)
            return self.combine(vector, with: try self.scalar(binary.left, at: time), binary, scalarIsLeft: true)
        case .vectorVector(let binary):
            return try self.combine(binary, at: time)
        case .aggregation(let aggregation):
            return try self.aggregate(aggregation, at: time)
        case .call(let call):
            return try self.call(call, at: time)
        case .number, .string, .window, .subquery, .scalarOperation:
            throw PromQLError(.execution, "expected an instant vector")
        }
    }

    /// The newest value of each series that is not older than its look-back.
    private func instant(_ plan: SelectorPlan, at time: Timestamp) throws -> [Element] {
        let loaded = try self.series(of: plan)
        var result: [Element] = []
        result.reserveCapacity(loaded.series.count)
        try self.eachVisible(loaded, plan, at: time) { index, sample in
            result.append(
                Element(
                    labels: loaded.series[index].labels,
                    value: loaded.series[index].values[sample],
                    dropsName: false
                )
            )
        }
        return result
    }

    /// Calls `body` with the places of each visible sample: which series, which of its samples.
    func eachVisible(
        _ loaded: LoadedSelector,
        _ plan: SelectorPlan,
        at time: Timestamp,
        _ body: (Int, Int) -> Void
    ) throws {
        let modifiers = plan.selector.modifiers
        let moment = self.moment(modifiers, at: time)
        let tracks = self.isInstant
        if tracks { self.notePeek(plan, at: moment) }
        for index in loaded.series.indices {
            let end = loaded.end(of: index, through: moment)
            let computedChange = loaded.series[index].nextChange
            if tracks, !plan.isInSubquery {
                if let computedChange, computedChange > moment { self.noteChange(computedChange, modifiers) }
                self.noteArrival(after: end, of: loaded.series[index], plan: plan, at: moment)
            }
            guard end > 0 else { continue }
            let sampleTime = loaded.series[index].times[end - 1]
            let ownLookback = loaded.series[index].lookback
            let lookback = computedChange == nil ? self.options.strictLookback ?? ownLookback : ownLookback
            let expiry = sampleTime + lookback
            guard expiry > moment, !loaded.series[index].values[end - 1].isStaleMarker else { continue }
            if tracks {
                self.evidence.formUnion(Evidence(loaded.series[index].marks[end - 1]))
                if computedChange == nil {
                    self.newestSample = max(self.newestSample, sampleTime)
                    if !plan.isInSubquery { self.noteChange(expiry, modifiers) }
                }
            }
            body(index, end - 1)
        }
    }
}

extension SelectorPlan {
    /// How far an offset selector looks ahead for the sample that will come into view next.
    var peek: Milliseconds { Swift.max(self.selector.window ?? 0, 10 * .minute) }
}

/// The series that one selector has read.
final class LoadedSelector {
    let series: [SeriesColumns]
    /// For each series the number of samples not later than the time asked for last: times mostly rise.
    private var ends: [Int]
    private var starts: [Int]

    init(_ series: [SeriesColumns], isWindow: Bool) {
        var series = series
        if isWindow {
            for index in series.indices where series[index].values.contains(where: \.isStaleMarker) {
                let kept = series[index].values.indices.filter { !series[index].values[$0].isStaleMarker }
                series[index].times = kept.map { series[index].times[$0] }
                series[index].marks = kept.map { series[index].marks[$0] }
                series[index].values = kept.map { series[index].values[$0] }
            }
        }
        self.series = series
        self.ends = isWindow || series.count > 0 ? series.map { $0.times.count } : []
        self.starts = isWindow ? Array(repeating: 0, count: series.count) : []
    }

    /// How many samples of a series are not later than `moment`.
    func end(of index: Int, through moment: Timestamp) -> Int {
        let end = self.series[index].times.count(through: moment, near: self.ends[index])
        self.ends[index] = end
        return end
    }

    /// How many samples of a series are not later than the start of a window.
    func start(of index: Int, after moment: Timestamp) -> Int {
        let start = self.series[index].times.count(through: moment, near: self.starts[index])
        self.starts[index] = start
        return start
    }
}

extension [Timestamp] {
    /// How many times are not later than `moment`, in sorted times; quick where the answer is close to `guess`.
    func count(through moment: Timestamp, near guess: Int) -> Int {
        var low = 0
        var high = self.count
        if guess <= high {
            if guess == 0 || self[guess - 1] <= moment {
                low = guess
                var step = 1
                while low + step <= high, self[low + step - 1] <= moment {
                    low += step
                    step *= 2
                }
                high = Swift.min(high, low + step - 1)
            } else {
                high = guess - 1
            }
        }
        while low < high {
            let middle = (low + high) / 2
            if self[middle] <= moment { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
