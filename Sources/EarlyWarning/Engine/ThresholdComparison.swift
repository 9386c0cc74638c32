// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry

/// The form of nearly all rules: `something >= on(site) group_left() site_threshold_…{…}`, or `something >= 50`.
///
/// The rules of a ladder share `something`, and a threshold holds for months. So the left side is evaluated once for
/// all levels of a site, the right side when it changes; what is left for each level is to compare two numbers.
final class ThresholdComparison: Sendable {
    enum Limit: Hashable, Sendable {
        case threshold(Selector)
        case constant(Double)
    }

    let left: Query
    /// The place of the left side among those of all rules; rules with the same left side have the same.
    let operand: Int
    let operation: BinaryOperator
    let limit: Limit
    /// Where the left side is a number made of one series: the form that needs no labels, and what it reads.
    let formula: SeriesFormula?
    let selector: Int

    /// Whether a higher value, or a lower one, holds against the threshold whenever a value does.
    var isOrdered: Bool { self.operation != .equal && self.operation != .notEqual }

    /// The limit of a comparison with a number; nil of one with a threshold.
    var constantLimit: KnownThreshold? {
        guard case .constant(let value) = self.limit else { return nil }
        return KnownThreshold(value: value, from: .distantPast, until: .distantFuture)
    }

    private static func limit(_ binary: BinaryOperation) -> Limit? {
        switch binary.right.unwrapped {
        case .number(let value): return .constant(value)
        case .unary(let negates, .number(let value)): return .constant(negates ? -value : value)
        case .selector(let threshold) where threshold.isThresholdNow:
            let matching = binary.matching
            guard matching.isOn, matching.labels == ["site"], matching.cardinality != .oneToMany, matching.fill.isEmpty
            else { return nil }
            return .threshold(threshold)
        default: return nil
        }
    }

    func holds(_ value: Double, against limit: Double) -> Bool {
        Evaluator.holds(self.operation, value, limit, rounded: true)
    }

    /// Recognises the form; nil for all others, and with `needsFormula` for a left side without one.
    ///
    /// `operands` collects the left sides of all rules, and what they read.
    init?(_ query: Query, needsFormula: Bool = false, operands: inout OperandTable) {
        guard case .binary(let binary) = query.expression.unwrapped, binary.operation.isComparison, !binary.returnsBool,
            let limit = Self.limit(binary),
            !query.selectors.contains(where: { $0.metric == CompiledRule.silenceMetric }),
            let left = try? Query(binary.left, days: query.days), left.type == .vector
        else { return nil }
        self.formula = SeriesFormula(left)
        guard self.formula != nil || !needsFormula && !query.dependsOnTime else { return nil }
        self.left = left
        self.operation = binary.operation
        self.limit = limit
        self.operand = operands.place(of: left)
        self.selector = self.formula.map { operands.place(of: $0) } ?? 0
    }
}

/// The left sides of all comparisons, each once, and the selectors of those that have a formula.
struct OperandTable {
    private var queries: [Query] = []
    private(set) var selectors: [SharedSelector] = []

    fileprivate mutating func place(of query: Query) -> Int {
        let known = self.queries.firstIndex { $0.expression == query.expression && $0.days == query.days }
        if let known { return known }
        self.queries.append(query)
        return self.queries.count - 1
    }

    fileprivate mutating func place(of formula: SeriesFormula) -> Int {
        if let known = self.selectors.firstIndex(where: { $0.matchers == formula.matchers }) {
            self.selectors[known].reach = max(self.selectors[known].reach, formula.reach)
            return known
        }
        self.selectors.append(SharedSelector(matchers: formula.matchers, reach: formula.reach))
        return self.selectors.count - 1
    }
}

extension Selector {
    /// Whether it asks for thresholds in force at the evaluation time.
    var isThresholdNow: Bool {
        let isThreshold = self.metric?.hasPrefix(CompiledRule.thresholdPrefix) ?? false
        return isThreshold && self.window == nil && self.offset == 0 && self.at == nil
    }
}

/// What the left sides of comparisons are at one site.
final class LeftOperands {
    enum Operand {
        /// Nothing, until a sample arrives or that time; with a slope other than zero it may be something as time goes on.
        case none(slope: Double, until: Timestamp)
        /// One element, with the label of the site, and how it changes with time, per second; NaN where nobody knows.
        case one(value: Double, slope: Double, until: Timestamp)
        /// Several elements, or one without the site's label: how they match is left to the evaluator.
        case several(until: Timestamp)
    }

    /// One left side.
    private final class Slot {
        /// What it was worked out for, and in which batch.
        var batch = 0
        var time = Timestamp.distantPast
        var operand = Operand.none(slope: 0, until: .distantFuture)
        var carried: CarriedFormula?
    }

    let site: String
    private let selectors: [SharedSelector]
    /// By selector; nil of those that find nothing here.
    private var kept: [KeptSeries?]
    /// By operand; nil of those that no rule here has asked for.
    private var slots: [Slot?] = []
    private var epoch = 0
    private var batch = 0

    init(site: String, selectors: [SharedSelector]) {
        self.site = site
        self.selectors = selectors
        self.kept = Array(repeating: nil, count: selectors.count)
    }

    /// To be called before samples that arrived meanwhile are judged.
    ///
    /// `epoch` counts how often the store was changed in another way than by samples that ``add(_:of:finding:clock:)`` is
    /// told of.
    func forget(epoch: Int) {
        self.batch += 1
        guard epoch != self.epoch else { return }
        self.epoch = epoch
        for series in self.kept { series?.forget() }
    }

    /// Takes note of a sample of a series that the selectors at these places may find.
    func add(_ sample: Sample, of track: SeriesTrack, finding places: [Int], clock: Timestamp) {
        for place in places {
            self.series(place).add(sample, of: track, reach: self.selectors[place].reach, clock: clock)
        }
    }

    private func series(_ place: Int) -> KeptSeries {
        if let series = self.kept[place] { return series }
        let series = KeptSeries()
        self.kept[place] = series
        return series
    }

    private func slot(_ operand: Int) -> Slot {
        while self.slots.count <= operand { self.slots.append(nil) }
        if let slot = self.slots[operand] { return slot }
        let slot = Slot()
        self.slots[operand] = slot
        return slot
    }

    func value(of comparison: ThresholdComparison, at time: Timestamp, _ view: RuleEngine.View) throws -> Operand {
        let slot = self.slot(comparison.operand)
        if slot.batch == self.batch, slot.time == time { return slot.operand }
        let known = try self.formulaValue(comparison, slot, at: time, view)
        let operand = try known ?? self.evaluated(comparison, at: time, view)
        slot.operand = operand
        slot.time = time
        slot.batch = self.batch
        return operand
    }

    private func formulaValue(
        _ comparison: ThresholdComparison,
        _ slot: Slot,
        at time: Timestamp,
        _ view: RuleEngine.View
    ) throws -> Operand? {
        guard let formula = comparison.formula else { return nil }
        let place = comparison.selector
        var carried = slot.carried.take() ?? CarriedFormula(state: formula.newState)
        let result = try self.series(place)
            .value(of: formula, reach: self.selectors[place].reach, at: time, site: self.site, &carried) {
                view.reader
            }
        slot.carried = carried
        guard let result else { return nil }
        guard let value = result.value else { return .none(slope: result.slope, until: result.nextChange) }
        return .one(value: value, slope: result.slope, until: result.nextChange)
    }

    private func evaluated(
        _ comparison: ThresholdComparison,
        at time: Timestamp,
        _ view: RuleEngine.View
    ) throws -> Operand {
        let result = try view.raising.instant(comparison.left, at: time)
        let samples = result.samples
        // How a value moves with time is only known of formulas.
        let moves = comparison.left.dependsOnTime
        if samples.isEmpty, !moves { return .none(slope: 0, until: result.nextChange) }
        if samples.count == 1, samples[0].labels.site == self.site {
            return .one(value: samples[0].value, slope: moves ? .nan : 0, until: result.nextChange)
        }
        return .several(until: result.nextChange)
    }
}

/// The threshold of a unit as it was last looked up.
struct KnownThreshold {
    /// Nil where there is none.
    let value: Double?
    /// Valid from then on.
    let from: Timestamp
    /// No longer valid then.
    let until: Timestamp
}

extension RuleEngine {
    /// Whether a unit without alerts stays without: when the comparison surely has no result at `time`.
    ///
    /// - Returns: When it must be looked at again; nil where the evaluator must say.
    func quietUntil(
        _ comparison: ThresholdComparison,
        _ unit: RuleUnit,
        at time: Timestamp,
        _ view: View
    ) throws -> Timestamp? {
        guard let operands = view.operands else { return nil }
        switch try operands.value(of: comparison, at: time, view) {
        case .several(let until):
            guard let threshold = try self.threshold(comparison, unit, at: time, view), threshold.value == nil else {
                return nil
            }
            return min(until, threshold.until)
        case .none(let slope, let until):
            return slope == 0 ? until : min(until, self.nextTimeStep(unit, after: time))
        case .one(let value, let slope, let until):
            guard let threshold = try self.threshold(comparison, unit, at: time, view) else { return nil }
            guard let limit = threshold.value else { return min(until, threshold.until) }
            if comparison.holds(value, against: limit) { return nil }
            let reaches = self.reaches(limit, from: value, slope: slope, comparison, unit.rule.rule, at: time)
            return min(until, threshold.until, reaches)
        }
    }

    /// Until when a value that does not reach its limit need not be looked at, as far as it moves with time alone.
    ///
    /// Outputs that move with time are evaluated at the multiples of the group's interval; those are left out that lie
    /// before a straight line can come near the limit.
    func reaches(
        _ limit: Double,
        from value: Double,
        slope: Double,
        _ comparison: ThresholdComparison,
        _ rule: AlertRule,
        at time: Timestamp
    ) -> Timestamp {
        if slope == 0 { return .distantFuture }
        let next = self.nextTimeStep(rule.interval, after: time)
        let isUpward = comparison.operation == .greater || comparison.operation == .greaterOrEqual
        guard comparison.isOrdered, slope.isFinite, value.isFinite, limit.isFinite else { return next }
        guard (slope > 0) == isUpward else { return .distantFuture }
        // Less what the comparison rounds away, and a thousandth for what the arithmetic does.
        let distance = abs(limit - value) - 1e-8 - 1e-12 * max(abs(limit), abs(value))
        let seconds = distance / abs(slope) * 0.999
        guard seconds > 0 else { return next }
        guard seconds < 1e9 else { return .distantFuture }
        return max(next, RuleEngine.lastMultiple(of: rule.interval, through: time + Milliseconds(seconds * 1000)))
    }

    /// The one threshold in force, or that there is none until one begins or a day has passed; nil where there are
    /// several, and where a stored series gives it, which any sample can change.
    func threshold(
        _ comparison: ThresholdComparison,
        _ unit: RuleUnit,
        at time: Timestamp,
        _ view: View
    ) throws -> KnownThreshold? {
        guard case .threshold(let selector) = comparison.limit else { return comparison.constantLimit }
        if let known = unit.threshold, known.from <= time, time < known.until { return known }
        var request = SelectRequest(
            matchers: selector.matchers,
            extent: .lookback(from: time, through: time),
            qualities: .raising
        )
        let found = try view.reader.select(request)
        if let columns = found.first {
            guard found.count == 1, let until = columns.nextChange, until > time, columns.times.count == 1,
                columns.times[0] <= time, columns.times[0] + columns.lookback > time,
                columns.labels.site == view.operands?.site
            else { return nil }
            unit.threshold = KnownThreshold(value: columns.values[0], from: time, until: until)
        } else {
            request.extent = .lookback(from: time, through: time + .day)
            let until = try view.reader.select(request).compactMap(\.times.first).min() ?? time + .day
            guard until > time else { return nil }
            unit.threshold = KnownThreshold(value: nil, from: time, until: until)
        }
        return unit.threshold
    }
}
