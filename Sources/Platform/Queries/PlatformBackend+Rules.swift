// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import EarlyWarning
package import HTTPAPI
import PromQL
import Telemetry

extension PlatformBackend {
    package func alertReports(org: String?) async throws -> [AlertReport] {
        let states = try await self.processor.look { $0.engine.snapshot() }
        let isVisible = self.isVisible(to: org)
        return states.filter { isVisible($0.labels.site) }.map { AlertReport($0, state: $0.state.rawValue) }
    }

    package func ruleGroups(org: String?) async throws -> [RuleGroupReport] {
        let isVisible = self.isVisible(to: org)
        let seen = try await self.processor.look { core in
            (
                rules: core.rules, alerts: core.engine.snapshot().filter { isVisible($0.labels.site) },
                failures: core.engine.failures().filter { isVisible($0.site) },
                evaluations: core.engine.lastEvaluations(where: isVisible),
                recordings: core.rules.recordings.map { ($0, core.recorder.state(of: $0, where: isVisible)) }
            )
        }
        let alerts = Dictionary(grouping: seen.alerts, by: \.rule)
        var groups = GroupTable()
        for rule in seen.rules.alerts {
            let failure = seen.failures.first { $0.rule == rule.id }
            let evaluation = seen.evaluations[rule.id]
            let report = RuleReport(
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
            groups.add(report, rule.file, rule.group, rule.interval)
        }
        for (rule, state) in seen.recordings {
            let report = RuleReport(
                name: rule.record,
                query: rule.expr.description,
                labels: Dictionary(rule.labels.map { ($0.name, $0.value) }) { $1 },
                health: state == nil ? .unknown : state?.failure == nil ? .working : .failing,
                lastError: state?.failure,
                lastEvaluation: state?.lastEvaluation
            )
            groups.add(report, rule.file, rule.group, rule.interval)
        }
        return groups.reports
    }

    /// Whether what happens at a site, or across sites (an empty id), may be seen.
    func isVisible(to org: String?) -> @Sendable (String) -> Bool {
        let catalog = self.resolver.catalog
        return { site in org.map { $0 == catalog.sites[site]?.org } ?? true }
    }
}

/// Groups in the order of their first rule.
private struct GroupTable {
    private var places: [[String]: Int] = [:]
    private(set) var reports: [RuleGroupReport] = []

    mutating func add(_ rule: RuleReport, _ file: String, _ group: String, _ interval: Milliseconds) {
        let place = self.places[[file, group]] ?? self.reports.count
        if place == self.reports.count {
            self.places[[file, group]] = place
            self.reports.append(RuleGroupReport(name: group, file: file, interval: interval))
        }
        self.reports[place].add(rule)
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
