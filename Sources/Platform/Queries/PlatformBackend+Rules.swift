// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import EarlyWarning
package import HTTPAPI
import PromQL
import Telemetry

extension PlatformBackend {
    package func alertReports(org: String?) async throws -> [AlertReport] {
        let states = try await self.processor.look { $0.alerts }
        let isVisible = self.isVisible(to: org)
        return states.filter { isVisible($0.labels.site) }.map { AlertReport($0, state: $0.state.rawValue) }
    }

    package func ruleGroups(org: String?) async throws -> [RuleGroupReport] {
        let isVisible = self.isVisible(to: org)
        let seen = try await self.processor.look { core in
            (
                rules: core.rules, alerts: core.alerts.filter { isVisible($0.labels.site) },
                failures: core.engine.failures().filter { isVisible($0.site) },
                evaluations: core.engine.lastEvaluations(where: isVisible),
                recordings: core.rules.recordings.map { ($0, core.recorder.state(of: $0, where: isVisible)) }
            )
        }
        let alerts = Dictionary(grouping: seen.alerts, by: \.rule)
        func report(_ rule: AlertRule) -> RuleReport {
            let failure = seen.failures.first { $0.rule == rule.id }
            let evaluation = seen.evaluations[rule.id]
            return RuleReport(
                name: rule.name,
                query: rule.expr.description,
                labels: rule.labels.sources,
                alerting: RuleReport.Alerting(
                    hold: rule.hold,
                    keepFiringFor: rule.keepFiringFor,
                    annotations: rule.annotations.sources,
                    alerts: (alerts[rule.id] ?? [])
                        .compactMap { alert in
                            alert.stateOfPrometheus.map { AlertReport(alert, state: $0) }
                        }
                ),
                health: failure != nil ? .failing : evaluation != nil ? .working : .unknown,
                lastError: failure?.message,
                lastEvaluation: evaluation
            )
        }
        func report(_ rule: RecordingRule) -> RuleReport {
            let state = seen.recordings.first { $0.0.isSame(as: rule) }?.1
            return RuleReport(
                name: rule.record,
                query: rule.expr.description,
                labels: Dictionary(rule.labels.map { ($0.name, $0.value) }) { $1 },
                health: state == nil ? .unknown : state?.failure == nil ? .working : .failing,
                lastError: state?.failure,
                lastEvaluation: state?.lastEvaluation
            )
        }
        return seen.rules.groups.map { group in
            var found = RuleGroupReport(
                name: group.name,
                file: group.file,
                interval: group.interval,
                limit: group.limit
            )
            for rule in group.rules {
                switch rule {
                case .alert(let rule): found.add(report(rule))
                case .recording(let rule): found.add(report(rule))
                }
            }
            return found
        }
    }

    /// Whether what happens at a site, or across sites (an empty id), may be seen.
    func isVisible(to org: String?) -> @Sendable (String) -> Bool {
        let catalog = self.resolver.catalog
        return { site in org.map { $0 == catalog.sites[site]?.org } ?? true }
    }
}

extension RecordingRule {
    fileprivate func isSame(as other: RecordingRule) -> Bool {
        self.record == other.record && self.labels == other.labels && self.group == other.group
            && self.file == other.file
    }
}

extension AlertReport {
    fileprivate init(_ alert: AlertSnapshot, state: String) {
        self.init(
            labels: alert.labels.with("alertname", alert.alertName),
            annotations: alert.annotations,
            state: state,
            activeAt: alert.activeAt.rfc3339(),
            value: alert.value
        )
    }
}

extension AlertSnapshot {
    /// In the words that Prometheus has; nil where it has none: nobody knows whether the alert would fire.
    fileprivate var stateOfPrometheus: String? {
        switch self.state {
        case .pending: "pending"
        case .firing, .held: "firing"
        case .unknown: nil
        }
    }
}

extension [NamedTemplate] {
    fileprivate var sources: [String: String] { Dictionary(self.map { ($0.name, $0.source) }) { $1 } }
}
