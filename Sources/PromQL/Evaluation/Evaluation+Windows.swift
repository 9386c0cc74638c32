// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The samples of one series inside a window.
struct Window {
    var columns: SeriesColumns
    /// The places of the samples inside the columns.
    var first: Int
    var end: Int
    /// The borders: later than `after`, not later than `through`.
    var after: Timestamp
    var through: Timestamp
    var dropsName: Bool

    var count: Int { self.end - self.first }
    /// Whether a sample stands exactly at the border before the window; known only where it was asked for.
    var hasSampleAtBorder: Bool { self.first > 0 && self.columns.times[self.first - 1] == self.after }
    var labels: Labels { self.columns.labels }
    var values: ArraySlice<Double> { self.columns.values[self.first..<self.end] }
    var times: ArraySlice<Timestamp> { self.columns.times[self.first..<self.end] }
    var marks: ArraySlice<SampleMark> { self.columns.marks[self.first..<self.end] }
}

extension Evaluation {
    /// The windows of a range selector or subquery at one time; series without a sample in it are left out.
    func windows(_ plan: Plan, at time: Timestamp) throws -> [Window] {
        switch plan {
        case .window(let selector): return try self.windows(selector, at: time)
        case .subquery(let subquery): return try self.windows(subquery, at: time)
        case .number, .string, .instant, .negation, .scalarOperation, .vectorScalar, .scalarVector, .vectorVector,
            .aggregation, .call:
            throw PromQLError(.execution, "expected a range vector")
        }
    }

    private func windows(_ plan: SelectorPlan, at time: Timestamp) throws -> [Window] {
        let loaded = try self.series(of: plan)
        let modifiers = plan.selector.modifiers
        let through = self.moment(modifiers, at: time)
        let length = plan.selector.window ?? 0
        let after = through - length
        let tracksChanges = self.isInstant && !plan.isInSubquery
        if self.isInstant { self.notePeek(plan, at: through) }
        var result: [Window] = []
        result.reserveCapacity(loaded.series.count)
        for index in loaded.series.indices {
            let first = loaded.start(of: index, after: after)
            let end = loaded.end(of: index, through: through)
            if tracksChanges {
                self.noteArrival(after: end, of: loaded.series[index], plan: plan, at: through)
                if let change = loaded.series[index].nextChange, change > through { self.noteChange(change, modifiers) }
            }
            guard first < end else { continue }
            let columns = loaded.series[index]
            if self.isInstant {
                self.noteEvidence(columns.marks[first..<end])
                if columns.nextChange == nil { self.newestSample = max(self.newestSample, columns.times[end - 1]) }
                if tracksChanges { self.noteChange(columns.times[first] + length, modifiers) }
                if tracksChanges, first > 0, columns.times[first - 1] == after {
                    self.noteChange(through + 1, modifiers)
                }
            }
            result.append(
                Window(columns: columns, first: first, end: end, after: after, through: through, dropsName: false)
            )
        }
        return result
    }

    /// Mostly all marks of a window are the same.
    private func noteEvidence(_ marks: ArraySlice<SampleMark>) {
        var last: SampleMark?
        for mark in marks where mark != last {
            self.evidence.formUnion(Evidence(mark))
            last = mark
        }
    }

    /// Evaluates the inner expression at the multiples of the step inside the window.
    private func windows(_ plan: SubqueryPlan, at time: Timestamp) throws -> [Window] {
        let subquery = plan.subquery
        let step = max(1, subquery.step ?? self.options.defaultSubqueryStep)
        let through = self.moment(subquery.modifiers, at: time)
        let after = through - subquery.window
        guard let firstPoint = Self.multiple(of: step, after: after) else { return [] }
        if self.isInstant, !plan.isInSubquery {
            if let next = Self.multiple(of: step, after: through) { self.noteChange(next, subquery.modifiers) }
            if firstPoint <= through { self.noteChange(firstPoint + subquery.window, subquery.modifiers) }
        }
        let further = firstPoint > through ? -1 : (through - firstPoint) / step
        guard further < Int64(self.options.maximumSubquerySteps - self.subqueryStepCount) else {
            throw PromQLError(
                .limit,
                "subqueries have more than \(self.options.maximumSubquerySteps) steps",
                hint: "ask for a longer step or a shorter range"
            )
        }
        self.subqueryStepCount += Int(further) + 1
        var collector = SeriesCollector()
        var point = firstPoint
        for _ in 0..<further + 1 {
            if plan.inner.type == .scalar {
                let value = try self.scalar(plan.inner, at: point)
                collector.add([Element(labels: .empty, value: value, dropsName: false)], at: point)
            } else {
                let vector = try self.vector(plan.inner, at: point)
                if let twice = duplicate(in: vector) {
                    throw PromQLError(.matching, "vector cannot contain metrics with the same labelset: \(twice)")
                }
                collector.add(vector, at: point)
            }
            point = point + step
        }
        return collector.series.map { series in
            Window(
                columns: SeriesColumns(
                    labels: series.labels,
                    times: series.times,
                    values: series.values,
                    marks: []
                ),
                first: 0,
                end: series.times.count,
                after: after,
                through: through,
                dropsName: series.dropsName
            )
        }
    }

    /// The first multiple of `step` that is later than `moment`; nil beyond the representable times.
    private static func multiple(of step: Milliseconds, after moment: Timestamp) -> Timestamp? {
        let remainder = moment.milliseconds % step
        let down = moment.milliseconds.subtracting(remainder < 0 ? remainder + step : remainder)
        let next = Timestamp(milliseconds: down) + step
        return next == .distantFuture ? nil : next
    }
}

/// Joins the vectors of successive steps to series.
struct SeriesCollector {
    struct Collected {
        var labels: Labels
        var dropsName: Bool
        var times: [Timestamp] = []
        var values: [Double] = []
    }

    private(set) var series: [Collected] = []
    private var places: [Key: Int] = [:]
    private struct Key: Hashable {
        var labels: Labels
        var dropsName: Bool
    }

    /// How many of the next series are tried before the table: a filter leaves out some of them.
    private static let tries = 4

    mutating func add(_ vector: [Element], at time: Timestamp) {
        var next = 0
        for element in vector {
            let place = self.place(of: element, after: next)
            self.series[place].times.append(time)
            self.series[place].values.append(element.value)
            next = place + 1
        }
    }

    private mutating func place(of element: Element, after next: Int) -> Int {
        for guess in next..<max(next, min(next + Self.tries, self.series.count))
        where self.series[guess].labels == element.labels && self.series[guess].dropsName == element.dropsName {
            return guess
        }
        let key = Key(labels: element.labels, dropsName: element.dropsName)
        if let known = self.places[key] { return known }
        self.places[key] = self.series.count
        self.series.append(Collected(labels: element.labels, dropsName: element.dropsName))
        return self.series.count - 1
    }
}

/// The labels that two elements of a vector share, if there are such.
func duplicate(in vector: [Element]) -> Labels? {
    if vector.count <= MatchTable.tiny {
        for index in vector.indices.dropFirst() {
            if vector[..<index].contains(where: { $0.labels == vector[index].labels }) { return vector[index].labels }
        }
        return nil
    }
    var seen: Set<Labels> = []
    seen.reserveCapacity(vector.count)
    return vector.first { !seen.insert($0.labels).inserted }?.labels
}
