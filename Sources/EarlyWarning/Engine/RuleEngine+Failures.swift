// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry

extension CompiledRule {
    /// Two elements of a result became one alert when the metric name was dropped.
    func duplicate(_ labels: Labels) -> MatchFault {
        let matching = self.matchingLabels(labels)
        return MatchFault(
            labels: matching,
            message: "two elements of the result have the same labels without the metric name: \(matching)"
        )
    }
}

/// Rules that cannot be evaluated are themselves a warning of hazard `system`.
extension RuleEngine {
    static let failureRule = "system/rule_error"

    func failureLabels(_ unit: RuleUnit) -> Labels {
        var labels: Labels = ["rule": unit.rule.rule.id]
        for scope in self.scopes.values where scope.units.contains(where: { $0 === unit }) {
            labels["site"] = scope.site
        }
        return labels
    }

    /// Makes the alerts of the unit unknown and says so once.
    func fail(_ unit: RuleUnit, message: String, at time: Timestamp) {
        self.counters.errors += 1
        let rule = unit.rule.rule
        unit.alerts.removeAll { $0.machine.state == .inactive }
        guard self.rehearsal == nil else {
            unit.failure = (message, time)
            return
        }
        for index in unit.alerts.indices {
            let actions = unit.alerts[index].machine
                .observe(
                    .unknown(reason: message),
                    at: time,
                    hold: rule.hold,
                    keepFiringFor: rule.keepFiringFor
                )
            for case .hold(let since, let reason) in actions {
                self.emit(.held, unit.alerts[index], unit, at: time, since: since, reason: reason)
                self.noteChange(unit.alerts[index], unit)
            }
        }
        if !unit.alerts.isEmpty { self.noteTrail(unit, at: time) }
        unit.due = self.nextTimeStep(unit, after: time)
        guard unit.failure == nil else { return }
        unit.failure = (message, time)
        self.emitFailure(.raised, unit, message: message, since: time, at: time)
    }

    /// Says once that a part of a rule cannot be evaluated: the alerts that this concerns are unknown, others go on.
    func noteFault(_ unit: RuleUnit, message: String, at time: Timestamp) {
        self.counters.errors += 1
        guard unit.failure == nil else { return }
        unit.failure = (message, time)
        guard self.rehearsal == nil else { return }
        self.emitFailure(.raised, unit, message: message, since: time, at: time)
    }

    func recover(_ unit: RuleUnit, at time: Timestamp) {
        guard let failure = unit.failure else { return }
        unit.failure = nil
        self.emitFailure(.ended, unit, message: failure.message, since: failure.since, at: time)
    }

    func emitFailure(
        _ change: AlertTransition.Change,
        _ unit: RuleUnit,
        message: String,
        since: Timestamp,
        at time: Timestamp
    ) {
        let labels = self.failureLabels(unit)
        let place = labels.site.isEmpty ? "" : "\(labels.site): "
        let zh = change == .ended ? "规则恢复正常" : "规则无法计算，所涉状态未知"
        let en = change == .ended ? "rule works again" : "rule cannot be evaluated, what it would say is unknown"
        let transition = AlertTransition(
            rule: RuleEngine.failureRule,
            alertName: "RuleError",
            change: change,
            labels: labels,
            hazard: .system,
            level: .notice,
            eventTime: time,
            processedAt: self.processedAt,
            activeSince: since,
            reason: message,
            annotations: [
                "summary_zh": "\(place)\(zh)：\(unit.rule.rule.id)（\(message)）",
                "summary_en": "\(place)\(en): \(unit.rule.rule.id) (\(message))",
            ]
        )
        self.output.append((unit.rule.order, transition))
        let key = AlertKey(rule: RuleEngine.failureRule, labels: labels)
        self.changes[key] =
            .some(change == .ended ? nil : AlertRecord(failure: message, since: since, unit: unit.rule.rule.id))
    }
}
