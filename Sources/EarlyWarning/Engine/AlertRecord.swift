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
