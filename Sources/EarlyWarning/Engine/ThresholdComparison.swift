// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry

/// The form of nearly all rules about thresholds: `something >= on(site) group_left() site_threshold_…{…}`.
///
/// The rules of a ladder share `something`, and a threshold holds for months. So the left side is evaluated once for
/// all levels of a site, the right side when it changes; what is left for each level is to compare two numbers.
final class ThresholdComparison: Sendable {
    let left: Query
    /// The place of the left side among those of all rules; rules with the same left side have the same.
    let operand: Int
    let operation: BinaryOperator
    let threshold: Selector
    /// Where the left side is a number made of one series: the form that needs no labels, and what it reads.
    let formula: SeriesFormula?
    let selector: Int

    /// Whether a higher value, or a lower one, holds against the threshold whenever a value does.
    var isOrdered: Bool { self.operation != .equal && self.operation != .notEqual }

    func holds(_ value: Double, against limit: Double) -> Bool {
        Evaluator.holds(self.operation, value, limit, rounded: true)
    }

    /// Recognises the form; nil for all others.
    ///
    /// `operands` collects the left sides of all rules, and what they read.
    init?(_ query: Query, operands: inout OperandTable) {
        guard case .binary(let binary) = query.expression, binary.operation.isComparison, !binary.returnsBool,
            binary.matching.isOn, binary.matching.labels == ["site"], binary.matching.cardinality != .oneToMany,
            case .selector(let threshold) = binary.right, threshold.isThresholdNow, !query.dependsOnTime,
            let left = try? Query(binary.left), left.type == .vector
        else { return nil }
        self.left = left
        self.operation = binary.operation
        self.threshold = threshold
        self.operand = operands.place(of: binary.left)
        self.formula = SeriesFormula(left)
        self.selector = self.formula.map { operands.place(of: $0) } ?? 0
    }
}

/// The left sides of all comparisons with thresholds, each once, and the selectors of those that have a formula.
struct OperandTable {
    private var expressions: [Expression] = []
    private(set) var selectors: [SharedSelector] = []

    fileprivate mutating func place(of expression: Expression) -> Int {
        if let known = self.expressions.firstIndex(of: expression) { return known }
        self.expressions.append(expression)
        return self.expressions.count - 1
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
        /// Nothing, until a sample arrives or that time.
        case none(until: Timestamp)
        /// One element, with the label of the site.
        case one(value: Double, until: Timestamp)
        /// Several elements, or one without the site's label: how they match is left to the evaluator.
        case several(until: Timestamp)
    }

    let site: String
    private let selectors: [SharedSelector]
    private var known: [(time: Timestamp, operand: Operand)?] = []
    private var kept: [KeptSeries]
    private var epoch = 0

    init(site: String, selectors: [SharedSelector]) {
        self.site = site
        self.selectors = selectors
        self.kept = Array(repeating: KeptSeries(), count: selectors.count)
    }

    /// To be called before samples that arrived meanwhile are judged.
    ///
    /// `epoch` counts how often the store was changed in another way than by samples that ``add(_:of:finding:clock:)`` is
    /// told of.
    func forget(epoch: Int) {
        for index in self.known.indices { self.known[index] = nil }
        guard epoch != self.epoch else { return }
        self.epoch = epoch
        for index in self.kept.indices { self.kept[index].drop() }
    }

    /// Takes note of a sample of a series that the selectors at these places may find.
    func add(_ sample: Sample, of track: SeriesTrack, finding places: [Int], clock: Timestamp) {
        for place in places {
            self.kept[place].add(sample, of: track, reach: self.selectors[place].reach, clock: clock)
        }
    }

    func value(of comparison: ThresholdComparison, at time: Timestamp, _ view: RuleEngine.View) throws -> Operand {
        while self.known.count <= comparison.operand { self.known.append(nil) }
        if let known = self.known[comparison.operand], known.time == time { return known.operand }
        let operand = try self.formulaValue(comparison, at: time, view) ?? self.evaluated(comparison, at: time, view)
        self.known[comparison.operand] = (time, operand)
        return operand
    }

    private func formulaValue(
        _ comparison: ThresholdComparison,
        at time: Timestamp,
        _ view: RuleEngine.View
    ) throws -> Operand? {
        guard let formula = comparison.formula else { return nil }
        let place = comparison.selector
        let result = try self.kept[place]
            .value(of: formula, reach: self.selectors[place].reach, at: time, site: self.site) { view.reader }
        guard let result else { return nil }
        guard let value = result.value else { return .none(until: result.nextChange) }
        return .one(value: value, until: result.nextChange)
    }

    private func evaluated(
        _ comparison: ThresholdComparison,
        at time: Timestamp,
        _ view: RuleEngine.View
    ) throws -> Operand {
        let result = try view.raising.instant(comparison.left, at: time)
        let samples = result.samples
        if samples.isEmpty { return .none(until: result.nextChange) }
        if samples.count == 1, samples[0].labels.site == self.site {
            return .one(value: samples[0].value, until: result.nextChange)
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
        case .none(let until): return until
        case .one(let value, let until):
            guard let threshold = try self.threshold(comparison, unit, at: time, view) else { return nil }
            if let limit = threshold.value, comparison.holds(value, against: limit) { return nil }
            return min(until, threshold.until)
        }
    }

    /// The one threshold in force, or that there is none until one begins or a day has passed; nil where there are
    /// several, and where a stored series gives it, which any sample can change.
    func threshold(
        _ comparison: ThresholdComparison,
        _ unit: RuleUnit,
        at time: Timestamp,
        _ view: View
    ) throws -> KnownThreshold? {
        if let known = unit.threshold, known.from <= time, time < known.until { return known }
        var request = SelectRequest(
            matchers: comparison.threshold.matchers,
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
