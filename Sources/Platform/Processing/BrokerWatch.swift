// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Dissemination
import Synchronization
import Telemetry

/// Notices that the broker has been away for long, and that it is back: one warning, instead of one of each device's
/// silence.
struct BrokerWatch {
    static let rule = "system/broker_away"
    /// How long the broker may be away before people are told; a restart of it takes seconds.
    static let patience: Milliseconds = .minute

    private(set) var awaySince: Timestamp?
    /// When people were told that it was away.
    private(set) var outages: Outages

    /// Takes up what was told before a start.
    init(_ outages: Outages) { self.outages = outages }

    /// Takes notice of how the broker is; `fault` says why it is away.
    ///
    /// - Returns: What people are to be told, once at the beginning and once at the end of an outage.
    mutating func observe(fault: String?, at now: Timestamp) -> AlertTransition? {
        guard let fault else {
            self.awaySince = nil
            guard let last = self.outages.spans.last, self.outages.isNow else { return nil }
            self.outages.end(at: now)
            return self.transition(
                .ended,
                since: last.start,
                at: now,
                zh: "消息代理（MQTT）恢复连接",
                en: "the MQTT broker is back"
            )
        }
        let since = self.awaySince ?? now
        self.awaySince = since
        guard !self.outages.isNow, now - since >= Self.patience else { return nil }
        self.outages.begin(at: now)
        return self.transition(
            .raised,
            since: now,
            at: now,
            zh: "消息代理（MQTT）无法连接，收不到读数（\(fault)）",
            en: "the MQTT broker cannot be reached, no readings come (\(fault))"
        )
    }

    private func transition(
        _ change: AlertTransition.Change,
        since: Timestamp,
        at now: Timestamp,
        zh: String,
        en: String
    ) -> AlertTransition {
        AlertTransition(
            rule: Self.rule,
            alertName: "BrokerAway",
            change: change,
            labels: ["hazard": "system", "level": "notice"],
            hazard: .system,
            level: .notice,
            eventTime: now,
            processedAt: now,
            activeSince: since,
            annotations: [
                "summary_zh": zh, "summary_en": en,
                "description_zh": "其间各设备状态未知，不逐一提示失联；已有告警保持，不会解除。",
                "description_en":
                    "Nobody knows how things are meanwhile; no device is called silent for it, and warnings that stand are held.",
                "instruction_zh": "请检查消息代理及其网络。",
                "instruction_en": "Look after the broker and the network to it.",
            ]
        )
    }
}

/// The outages as they are kept in the catalogue among the clocks.
enum OutageNote {
    private static let key = "outages/broker"

    /// What a row says; nil where it is the row of something else.
    static func outages(_ row: ClockRow) throws -> Outages? {
        row.key == self.key ? try StoredJSON.decode(Outages.self, from: row.json) : nil
    }

    static func row(_ outages: Outages) throws -> ClockRow {
        ClockRow(key: self.key, json: try StoredJSON.encode(outages))
    }
}

/// The outages for those on other threads.
final class OutageBoard: Sendable {
    private let held: Mutex<Outages>

    init(_ outages: Outages) { self.held = Mutex(outages) }

    var outages: Outages { self.held.withLock { $0 } }

    func put(_ outages: Outages) { self.held.withLock { $0 = outages } }
}
