// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry

/// The rules of one site that compare the same left side with thresholds: the levels of a ladder, often of several.
///
/// While none of them has an alert it is enough to know the lowest threshold that a value must not reach and the highest
/// that it must not fall below: one comparison says for all of them that nothing changed. As soon as that does not hold,
/// each is looked at by itself.
final class RuleLadder {
    /// The values that reach no threshold.
    private struct Band {
        /// Of each operation the threshold that is reached first.
        var borders: [(comparison: ThresholdComparison, limit: Double)] = []
        /// When one of the thresholds was looked up last, and when the first ceases to be known.
        var from = Timestamp.distantPast
        var until = Timestamp.distantFuture

        mutating func add(_ comparison: ThresholdComparison, _ limit: Double) {
            guard let index = self.borders.firstIndex(where: { $0.comparison.operation == comparison.operation }) else {
                self.borders.append((comparison, limit))
                return
            }
            let known = self.borders[index].limit
            let risesToIt = comparison.operation == .greater || comparison.operation == .greaterOrEqual
            if risesToIt ? limit < known : limit > known { self.borders[index] = (comparison, limit) }
        }
    }

    /// Of the first of the units.
    let comparison: ThresholdComparison
    private(set) var units: [RuleUnit] = []
    var isDirty = false
    /// When it must be looked at again although no sample arrives.
    private(set) var due = Timestamp.distantFuture
    /// Whether the units were last looked at as one; what they say of themselves, `due` and `isDirty`, is then out of date.
    private(set) var isAsOne = false
    /// No unit has an alert or a failure.
    private var isQuiet = false
    private var band: Band?

    init(_ comparison: ThresholdComparison, _ unit: RuleUnit) {
        self.comparison = comparison
        self.units = [unit]
    }

    func add(_ unit: RuleUnit) {
        self.units.append(unit)
        self.isQuiet = false
        self.band = nil
    }

    func forgetThresholds() { self.band = nil }

    /// An alert of a unit came or went otherwise than by looking at the ladder.
    func wake() { self.isQuiet = false }

    /// Takes over what the units say of themselves.
    func takeDue() {
        self.isAsOne = false
        self.isQuiet = self.units.allSatisfy { $0.alerts.isEmpty && $0.failure == nil }
        self.due = self.units.map(\.due).min() ?? .distantFuture
    }

    /// Until when all units stay without an alert; nil where each must be looked at.
    fileprivate func quietUntil(
        at time: Timestamp,
        _ view: RuleEngine.View,
        threshold: (ThresholdComparison, RuleUnit) throws -> KnownThreshold?,
        reaches: (_ limit: Double, _ value: Double, _ slope: Double, ThresholdComparison) -> Timestamp
    ) throws -> Timestamp? {
        guard self.isQuiet, let operands = view.operands else { return nil }
        switch try operands.value(of: self.comparison, at: time, view) {
        case .several: return nil
        case .none(let slope, let until): return slope == 0 ? until : nil
        case .one(let value, let slope, let until):
            if self.band.map({ time < $0.from || time >= $0.until }) ?? true {
                self.band = try self.makeBand(threshold)
            }
            guard let band = self.band else { return nil }
            for border in band.borders where border.comparison.holds(value, against: border.limit) { return nil }
            var end = min(until, band.until)
            if slope != 0 {
                for border in band.borders { end = min(end, reaches(border.limit, value, slope, border.comparison)) }
            }
            return end
        }
    }

    /// - Returns: Nil where one of the thresholds is not known.
    private func makeBand(_ threshold: (ThresholdComparison, RuleUnit) throws -> KnownThreshold?) rethrows -> Band? {
        var band = Band()
        for unit in self.units {
            guard let comparison = unit.rule.comparison, let known = try threshold(comparison, unit) else { return nil }
            band.from = max(band.from, known.from)
            band.until = min(band.until, known.until)
            // Nothing reaches what is not a number.
            if let limit = known.value, !limit.isNaN { band.add(comparison, limit) }
        }
        return band
    }

    fileprivate func settle(until: Timestamp, at time: Timestamp) {
        if !self.isAsOne { for unit in self.units { unit.isDirty = false } }
        self.isAsOne = true
        self.due = max(until, time + 1)
    }
}

extension RuleEngine {
    /// Looks at the units as one where that is enough, else at each that samples or a timer set going.
    ///
    /// With `isAll` at every one. With `keepsDirty` what waits for the end of the advance goes on waiting.
    func evaluate(_ ladder: RuleLadder, at time: Timestamp, _ view: View, isAll: Bool, keepsDirty: Bool) throws {
        if let until = try self.quietUntil(ladder, at: time, view) {
            self.counters.evaluations += ladder.units.count
            let isDirty = ladder.isDirty
            ladder.settle(until: until, at: time)
            ladder.isDirty = keepsDirty && isDirty
            return
        }
        let isDirty = ladder.isDirty
        let all = isAll || ladder.isAsOne
        for unit in ladder.units where all || (unit.isDirty && !keepsDirty) || unit.due <= time {
            let isUnitDirty = unit.isDirty || (ladder.isAsOne && isDirty)
            try self.evaluate(unit, at: time, view)
            if keepsDirty { unit.isDirty = isUnitDirty }
        }
        ladder.takeDue()
        ladder.isDirty = keepsDirty && isDirty
    }

    /// Errors of the query are left to the units, which say them.
    private func quietUntil(_ ladder: RuleLadder, at time: Timestamp, _ view: View) throws -> Timestamp? {
        do {
            return try ladder.quietUntil(at: time, view) {
                try self.threshold($0, $1, at: time, view)
            } reaches: { limit, value, slope, comparison in
                self.reaches(limit, from: value, slope: slope, comparison, ladder.units[0].rule.rule, at: time)
            }
        } catch is PromQLError {
            return nil
        }
    }
}
