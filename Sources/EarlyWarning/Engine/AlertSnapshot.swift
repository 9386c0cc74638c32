// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// The present state of one alert.
package struct AlertSnapshot: Sendable {
    package enum State: String, Sendable {
        case pending
        case firing
        /// Raised, and held because nobody knows.
        case held
        /// Not raised, and nobody knows (`maybe`).
        case unknown
    }

    package var rule: String
    package var alertName: String
    package var state: State
    /// As in ``AlertTransition/labels``.
    package var labels: Labels
    package var hazard: Hazard
    package var level: WarningLevel
    /// Since when the expression holds, `for` included; event time.
    package var activeAt: Timestamp
    /// Since when it fires; nil while it does not.
    package var firingSince: Timestamp?
    package var value: Double?
    package var threshold: Double?
    package var evidence: Evidence
    package var reason: String?
    package var lastReadingAt: Timestamp?
    package var annotations: [String: String]
}

extension RuleEngine {
    /// All alerts that are not inactive, in the order of rules and labels; annotations that ask the store see it through
    /// the reader.
    package func snapshot(over reader: any SeriesReader) -> [AlertSnapshot] {
        self.asked = reader
        defer { self.asked = nil }
        var result: [AlertSnapshot] = []
        for scope in Array(self.scopes.values) + self.acrossScopes {
            for unit in scope.units + scope.wallUnits {
                result += unit.alerts.compactMap { self.snapshot($0, unit, at: max(scope.clock, unit.evaluatedAt)) }
                result += unit.undecided.map { self.snapshot(undecided: $0.labels, since: $0.since, unit) }
            }
        }
        return result.sorted { ($0.rule, $0.labels) < ($1.rule, $1.labels) }
    }

    /// The rules of which some label set cannot be evaluated, with the reason.
    package func failures() -> [(rule: String, site: String, message: String, since: Timestamp)] {
        var result: [(rule: String, site: String, message: String, since: Timestamp)] = []
        for scope in Array(self.scopes.values) + self.acrossScopes {
            for unit in scope.units + scope.wallUnits {
                guard let failure = unit.failure else { continue }
                result.append((unit.rule.rule.id, scope.site, failure.message, failure.since))
            }
        }
        return result.sorted { ($0.rule, $0.site) < ($1.rule, $1.site) }
    }

    /// When each rule was last evaluated at one of some sites.
    ///
    /// - Parameter isWanted: Asked with the site; with an empty text for a rule across sites and for data without one.
    /// - Returns: Event times by the ids of rules; nothing for rules that were not evaluated.
    package func lastEvaluations(where isWanted: (String) -> Bool) -> [String: Timestamp] {
        var result: [String: Timestamp] = [:]
        for scope in Array(self.scopes.values) + self.acrossScopes where isWanted(scope.site) {
            for unit in scope.units + scope.wallUnits where unit.isEvaluated {
                result[unit.rule.rule.id] = max(result[unit.rule.rule.id] ?? .distantPast, unit.evaluatedAt)
            }
        }
        return result
    }

    private func snapshot(_ alert: Alert, _ unit: RuleUnit, at time: Timestamp) -> AlertSnapshot? {
        let rule = unit.rule.rule
        let state: AlertSnapshot.State
        var firingSince: Timestamp?
        var reason: String?
        switch alert.machine.state {
        case .inactive: return nil
        case .pending: state = .pending
        case .firing(let since, _):
            state = .firing
            firingSince = since
        case .held(let since, _, let text):
            state = .held
            firingSince = since
            reason = text
        }
        return AlertSnapshot(
            rule: rule.id,
            alertName: rule.name,
            state: state,
            labels: alert.labels,
            hazard: rule.hazard,
            level: rule.level,
            activeAt: alert.activeAt,
            firingSince: firingSince,
            value: alert.value,
            threshold: alert.threshold,
            evidence: alert.evidence,
            reason: reason,
            lastReadingAt: alert.lastReadingAt,
            annotations: self.annotations(alert, unit.rule, at: time)
        )
    }

    private func snapshot(undecided labels: Labels, since: Timestamp, _ unit: RuleUnit) -> AlertSnapshot {
        let rule = unit.rule.rule
        return AlertSnapshot(
            rule: rule.id,
            alertName: rule.name,
            state: .unknown,
            labels: self.alertLabels(labels, value: nil, unit.rule),
            hazard: rule.hazard,
            level: rule.level,
            activeAt: since,
            evidence: [],
            reason: "maybe",
            annotations: [:]
        )
    }
}
