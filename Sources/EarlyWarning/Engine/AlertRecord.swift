// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
package import Telemetry

/// The identity of an alert in a checkpoint.
struct AlertKey: Hashable {
    var rule: String
    var labels: Labels
}

/// What must be saved together with the processed position.
package struct EngineCheckpoint: Hashable, Sendable {
    /// New or changed rows.
    package var alerts: [AlertStateRow] = []
    /// Rows that are gone.
    package var removed: [AlertStateRow.Key] = []
    /// New or changed clocks.
    package var clocks: [ClockRow] = []

    package var isEmpty: Bool { self.alerts.isEmpty && self.removed.isEmpty && self.clocks.isEmpty }
}

/// What is kept of one alert.
struct AlertRecord: Codable {
    var alertName: String
    var hazard: String
    var level: WarningLevel
    /// `pending`, `firing`, `held` or `failed`.
    var state: String
    var since: Timestamp
    var coolingSince: Timestamp?
    var heldSince: Timestamp?
    var reason: String?
    var resultLabels: Labels
    var value: Double?
    var threshold: Double?
    var evidence: Evidence
    var lastReadingAt: Timestamp?
    var activeAt: Timestamp
    var peak: AlertPeak?
    var peakedAt: Timestamp?
    /// Of `failed`: the rule.
    var failedRule: String?

    init?(_ alert: Alert, rule: AlertRule) {
        switch alert.machine.state {
        case .inactive: return nil
        case .pending(let since):
            self.state = "pending"
            self.since = since
        case .firing(let since, let coolingSince):
            self.state = "firing"
            self.since = since
            self.coolingSince = coolingSince
        case .held(let since, let heldSince, let reason):
            self.state = "held"
            self.since = since
            self.heldSince = heldSince
            self.reason = reason
        }
        self.alertName = rule.name
        self.hazard = rule.hazard.rawValue
        self.level = rule.level
        self.resultLabels = alert.resultLabels
        self.value = alert.value.flatMap { $0.isFinite ? $0 : nil }
        self.threshold = alert.threshold.flatMap { $0.isFinite ? $0 : nil }
        self.evidence = alert.evidence
        self.lastReadingAt = alert.lastReadingAt
        self.activeAt = alert.activeAt
        self.peak = alert.peak.flatMap { $0.value.isFinite ? $0 : nil }
        self.peakedAt = self.peak == nil ? nil : alert.peakedAt
    }

    init(failure message: String, since: Timestamp, unit: String) {
        self.alertName = "RuleError"
        self.hazard = Hazard.system.rawValue
        self.level = .notice
        self.state = "failed"
        self.since = since
        self.reason = message
        self.resultLabels = .empty
        self.evidence = []
        self.activeAt = since
        self.failedRule = unit
    }

    var machineState: AlertStateMachine.State {
        switch self.state {
        case "pending": .pending(since: self.since)
        case "firing": .firing(since: self.since, coolingSince: self.coolingSince)
        case "held":
            .held(since: self.since, heldSince: self.heldSince ?? self.since, reason: self.reason ?? "")
        default: .inactive
        }
    }
}

extension AlertRecord {
    func alert(_ labels: Labels, of rule: CompiledRule) -> Alert {
        var alert = Alert(
            resultLabels: self.resultLabels,
            matchingLabels: rule.matchingLabels(self.resultLabels),
            labels: labels,
            activeAt: self.activeAt
        )
        alert.machine = AlertStateMachine(self.machineState)
        alert.value = self.value
        alert.threshold = self.threshold
        alert.evidence = self.evidence
        alert.lastReadingAt = self.lastReadingAt
        alert.peak = self.peak
        alert.peakedAt = self.peakedAt ?? self.peak?.at
        return alert
    }
}

/// What is kept of the trail of one rule at one site.
struct TrailRecord: Codable {
    struct Point: Codable {
        var time: Timestamp
        var alerts: [Entry]
        /// Nil where nothing ended.
        var ended: [Entry]?
    }

    struct Entry: Codable {
        var labels: Labels
        var record: AlertRecord
    }

    private static let prefix = "trail:"

    var start: Timestamp
    var points: [Point]

    init(_ trail: AlertTrail, rule: AlertRule) {
        self.start = trail.start
        func entries(_ alerts: [Alert]) -> [Entry] {
            alerts.compactMap { alert in
                AlertRecord(alert, rule: rule).map { Entry(labels: alert.labels, record: $0) }
            }
        }
        self.points = trail.points.map { point in
            let ended = point.ended.isEmpty ? nil : entries(point.ended)
            return Point(time: point.time, alerts: entries(point.alerts), ended: ended)
        }
    }

    func trail(of rule: CompiledRule) -> AlertTrail {
        func alerts(_ entries: [Entry]) -> [Alert] { entries.map { $0.record.alert($0.labels, of: rule) } }
        let points = self.points.map { point in
            AlertTrail.Point(time: point.time, alerts: alerts(point.alerts), ended: alerts(point.ended ?? []))
        }
        return AlertTrail(points, start: self.start)
    }

    func row(rule: String, site: String) -> AlertStateRow {
        let labels: Labels = ["site": site]
        let key = AlertStateRow.Key(rule: Self.prefix + rule, labels: CanonicalJSON.text(labels))
        return AlertStateRow(key: key, json: CanonicalJSON.text(self))
    }

    /// The rule of a row that holds a trail; nil of any other.
    static func rule(of key: AlertStateRow.Key) -> String? {
        key.rule.hasPrefix(self.prefix) ? String(key.rule.dropFirst(self.prefix.count)) : nil
    }
}

struct ScopeClock: Codable {
    var clock: Timestamp
    var future: [Timestamp]

    /// Written by hand: a thousand sites write one each second.
    var json: String {
        let future = self.future.map { "\($0.milliseconds)" }.joined(separator: ",")
        return "{\"clock\":\(self.clock.milliseconds),\"future\":[\(future)]}"
    }
}

/// JSON with sorted keys, so that equal states are equal texts.
enum CanonicalJSON {
    static func text(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { return "" }
        return String(decoding: data, as: UTF8.self)
    }

    static func value<Value: Decodable>(_ type: Value.Type, from text: String) throws -> Value {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }
}
