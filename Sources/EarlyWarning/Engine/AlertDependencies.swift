// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry

/// Which rules read the alerts of which.
struct AlertDependencies: Sendable {
    /// By the place of a rule, the places of those that read its alerts, itself among them where it does.
    let readers: [[Int]]
    /// By the place of a rule, how far back its alerts are read, by recording rules, too; nil where nobody does.
    let reaches: [Milliseconds?]
    /// By the place of a rule: 0 where it reads no alerts, else more than those have that it reads.
    let ranks: [Int]
    /// The places of rules that read alerts of others which in turn read theirs.
    let rings: Set<Int>

    init(_ rules: [CompiledRule], recordings: [RecordingRule]) {
        var readers: [[Int]] = rules.map { _ in [] }
        var sources: [[Int]] = rules.map { _ in [] }
        var reaches: [Milliseconds?] = rules.map { _ in nil }
        for reader in rules where reader.readsAlerts {
            for rule in rules where reader.reads(alertsOf: rule) {
                readers[rule.order].append(reader.order)
                sources[reader.order].append(rule.order)
                reaches[rule.order] = max(reaches[rule.order] ?? 0, reader.alertReach)
            }
        }
        for recording in recordings where recording.readsAlerts {
            for rule in rules where rule.isFound(by: recording.expr.selectors) {
                reaches[rule.order] = max(reaches[rule.order] ?? 0, recording.expr.reach)
            }
        }
        var walk = Walk(sources: sources, readsAlerts: rules.map(\.readsAlerts))
        for place in rules.indices { walk.visit(place) }
        self.readers = readers
        self.reaches = reaches
        self.ranks = walk.ranks.map { $0 ?? 0 }
        self.rings = walk.rings
    }

    /// Goes from each rule to those whose alerts it reads.
    private struct Walk {
        let sources: [[Int]]
        let readsAlerts: [Bool]
        var ranks: [Int?]
        var rings: Set<Int> = []
        private var way: Set<Int> = []

        init(sources: [[Int]], readsAlerts: [Bool]) {
            self.sources = sources
            self.readsAlerts = readsAlerts
            self.ranks = sources.map { _ in nil }
        }

        mutating func visit(_ place: Int) {
            guard self.ranks[place] == nil else { return }
            self.way.insert(place)
            var highest = 0
            for source in self.sources[place] where source != place {
                if self.way.contains(source) {
                    self.rings.insert(place)
                    continue
                }
                self.visit(source)
                highest = max(highest, self.ranks[source] ?? 0)
            }
            self.way.remove(place)
            self.ranks[place] = self.readsAlerts[place] ? highest + 1 : 0
        }
    }
}

extension CompiledRule {
    /// Whether it may read the alerts of another rule, or its own.
    func reads(alertsOf rule: CompiledRule) -> Bool { rule.isFound(by: self.alertSelectors) }

    /// Whether one of the selectors may find its alerts.
    func isFound(by selectors: [Selector]) -> Bool {
        selectors.contains { selector in
            AlertHistory.isNamed(by: selector.matchers)
                && selector.matchers.allSatisfy { matcher in
                    if matcher.name == "alertname" { return matcher.matches(self.rule.name) }
                    return self.constantLabels?.value(of: matcher.name).map(matcher.matches) ?? true
                }
        }
    }
}

extension RecordingRule {
    /// Whether it records from what alerts are.
    var readsAlerts: Bool { self.expr.selectors.contains { AlertHistory.isNamed(by: $0.matchers) } }
}
