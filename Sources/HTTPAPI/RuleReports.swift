// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
package import Telemetry

/// A group of rules as Prometheus's `/api/v1/rules` shows it (Prometheus HTTP API, "Rules").
///
/// What is measured there and not here, the time an evaluation takes, is 0; times of evaluations are event times.
package struct RuleGroupReport: Encodable, Sendable {
    package let name: String
    package let file: String
    /// In seconds.
    package let interval: Double
    /// How many alerts or values a rule may have at once; 0 where there is no limit.
    package let limit: Int
    package private(set) var rules: [RuleReport] = []
    package let evaluationTime = 0.0
    package private(set) var lastEvaluation = RuleReport.text(nil)
    private var newest: Timestamp?

    private enum CodingKeys: String, CodingKey {
        case name, file, interval, limit, rules, evaluationTime, lastEvaluation
    }

    package init(name: String, file: String, interval: Milliseconds, limit: Int) {
        self.name = name
        self.file = file
        self.interval = Double(interval) / 1000
        self.limit = limit
    }

    package mutating func add(_ rule: RuleReport) {
        self.rules.append(rule)
        guard let time = rule.lastEvaluation, self.newest.map({ $0 < time }) ?? true else { return }
        self.newest = time
        self.lastEvaluation = RuleReport.text(time)
    }

    /// Names the group among all: where a page begins.
    var token: String {
        Data("\(self.file);\(self.name)".utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
    }

    /// With these of its rules only; nil where none is left.
    func keeping(_ isWanted: (RuleReport) -> Bool, withAlerts: Bool) -> RuleGroupReport? {
        var copy = self
        copy.rules.removeAll { !isWanted($0) }
        if copy.rules.isEmpty { return nil }
        if !withAlerts { for index in copy.rules.indices { copy.rules[index].alerting?.alerts = nil } }
        return copy
    }
}

/// One rule of a group; a rule of several levels is several.
package struct RuleReport: Encodable, Sendable {
    package enum Kind: String, Encodable, Sendable {
        case alerting
        case recording
    }

    package enum Health: String, Encodable, Sendable {
        case working = "ok"
        case failing = "err"
        /// Not evaluated yet; of recording rules, which `serve` does not evaluate, for ever.
        case unknown
    }

    /// What only an alerting rule has.
    package struct Alerting: Sendable {
        package var hold: Milliseconds
        package var keepFiringFor: Milliseconds
        /// Templates, as written.
        package var annotations: [String: String]
        /// Those that are pending or fire; nil where nobody wants to see them.
        package var alerts: [AlertReport]?
        /// That of the alert that is furthest: `firing`, `pending` or `inactive`.
        package var state: String

        package init(
            hold: Milliseconds,
            keepFiringFor: Milliseconds,
            annotations: [String: String],
            alerts: [AlertReport]
        ) {
            self.hold = hold
            self.keepFiringFor = keepFiringFor
            self.annotations = annotations
            self.alerts = alerts
            self.state = ["firing", "pending"].first { state in alerts.contains { $0.state == state } } ?? "inactive"
        }
    }

    package var name: String
    package var query: String
    /// Templates, as written.
    package var labels: [String: String]
    /// Nil for a recording rule.
    package var alerting: Alerting?
    package var health: Health
    package var lastError: String?
    package var lastEvaluation: Timestamp?

    package init(
        name: String,
        query: String,
        labels: [String: String],
        alerting: Alerting? = nil,
        health: Health = .unknown,
        lastError: String? = nil,
        lastEvaluation: Timestamp? = nil
    ) {
        self.name = name
        self.query = query
        self.labels = labels
        self.alerting = alerting
        self.health = health
        self.lastError = lastError
        self.lastEvaluation = lastEvaluation
    }

    /// Whether its labels, as written, meet all of some conditions.
    func hasLabels(_ matchers: [LabelMatcher]) -> Bool {
        matchers.allSatisfy { $0.matches(self.labels[$0.name] ?? "") }
    }

    package var kind: Kind { self.alerting == nil ? .recording : .alerting }

    private enum Key: String, CodingKey {
        case type, name, query, labels, health, lastError, evaluationTime, lastEvaluation
        case duration, keepFiringFor, annotations, alerts, state
    }

    package func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: Key.self)
        try object.encode(self.kind, forKey: .type)
        try object.encode(self.name, forKey: .name)
        try object.encode(self.query, forKey: .query)
        try object.encode(self.labels, forKey: .labels)
        try object.encode(self.health, forKey: .health)
        try object.encodeIfPresent(self.lastError, forKey: .lastError)
        try object.encode(0.0, forKey: .evaluationTime)
        try object.encode(Self.text(self.lastEvaluation), forKey: .lastEvaluation)
        guard let alerting else { return }
        try object.encode(Double(alerting.hold) / 1000, forKey: .duration)
        try object.encode(Double(alerting.keepFiringFor) / 1000, forKey: .keepFiringFor)
        try object.encode(alerting.annotations, forKey: .annotations)
        try object.encodeIfPresent(alerting.alerts, forKey: .alerts)
        try object.encode(alerting.state, forKey: .state)
    }

    /// Clients written in Go take the year 1 for "never".
    static func text(_ time: Timestamp?) -> String { time?.rfc3339() ?? "0001-01-01T00:00:00Z" }
}
