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

    /// Recognises the form; nil for all others.
    ///
    /// `operands` collects the left sides of all rules.
    init?(_ query: Query, operands: inout [Expression]) {
        guard case .binary(let binary) = query.expression, binary.operation.isComparison, !binary.returnsBool,
            binary.matching.isOn, binary.matching.labels == ["site"], binary.matching.cardinality != .oneToMany,
            case .selector(let threshold) = binary.right, threshold.isThresholdNow, !query.dependsOnTime,
            let left = try? Query(binary.left), left.type == .vector
        else { return nil }
        self.left = left
        self.operation = binary.operation
        self.threshold = threshold
        if let known = operands.firstIndex(of: binary.left) {
            self.operand = known
        } else {
            self.operand = operands.count
            operands.append(binary.left)
        }
    }
}

extension Selector {
    /// Whether it asks for thresholds in force at the evaluation time.
    var isThresholdNow: Bool {
        let isThreshold = self.metric?.hasPrefix(CompiledRule.thresholdPrefix) ?? false
        return isThreshold && self.window == nil && self.offset == 0 && self.at == nil
    }
}

/// What the left sides of comparisons are at one site, for as long as no sample arrives.
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
    private var known: [(time: Timestamp, operand: Operand)?] = []

    init(site: String) { self.site = site }

    /// To be called before samples that arrived meanwhile are judged.
    func forget() {
        for index in self.known.indices { self.known[index] = nil }
    }

    func value(of comparison: ThresholdComparison, at time: Timestamp, _ evaluator: Evaluator) throws -> Operand {
        while self.known.count <= comparison.operand { self.known.append(nil) }
        if let known = self.known[comparison.operand], known.time == time { return known.operand }
        let result = try evaluator.instant(comparison.left, at: time)
        let operand: Operand
        let samples = result.samples
        if samples.isEmpty {
            operand = .none(until: result.nextChange)
        } else if samples.count == 1, samples[0].labels.site == self.site {
            operand = .one(value: samples[0].value, until: result.nextChange)
        } else {
            operand = .several(until: result.nextChange)
        }
        self.known[comparison.operand] = (time, operand)
        return operand
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
        switch try operands.value(of: comparison, at: time, view.raising) {
        case .several(let until):
            guard let threshold = try self.threshold(comparison, unit, at: time, view), threshold.value == nil else {
                return nil
            }
            return min(until, threshold.until)
        case .none(let until): return until
        case .one(let value, let until):
            guard let threshold = try self.threshold(comparison, unit, at: time, view) else { return nil }
            if let limit = threshold.value, view.raising.holds(comparison.operation, value, limit) { return nil }
            return min(until, threshold.until)
        }
    }

    /// The one threshold in force, or that there is none until one begins or a day has passed; nil where there are
    /// several, and where a stored series gives it, which any sample can change.
    private func threshold(
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
