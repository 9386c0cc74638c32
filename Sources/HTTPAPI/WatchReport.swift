// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// One message of a device as those who watch it see it.
struct WatchReport: Encodable {
    private struct Value: Encodable {
        let metric: String
        let labels: Labels
        /// Canonical unit; nil for what is no number.
        let value: Double?
        let unit: String
        let time: String
        /// 1 pass, 2 not evaluated, 3 suspect, 4 fail, 9 missing.
        let quality: Int
        let qualityName: String
        /// Of a suspect value the test that it failed.
        let failedTest: String?
        let failedTestZh: String?
        /// Whether it is another quality of a value that came before.
        let revision: Bool
        let method: String
        let simulated: Bool

        init(_ reading: ResolvedReading) {
            let labels = reading.series.labels
            let metric = labels.value(of: Labels.metricName) ?? ""
            self.metric = metric
            self.labels = labels.removing(Labels.metricName)
            self.value = reading.sample.value.isFinite ? reading.sample.value : nil
            self.unit = Unit(ofMetric: metric).symbol
            self.time = reading.sample.time.rfc3339()
            let quality = reading.sample.mark.quality
            self.quality = Int(quality.rawValue)
            self.qualityName = Self.name(of: quality)
            let test = reading.sample.mark.failedTest
            self.failedTest = test?.description
            self.failedTestZh = test?.title.zh
            self.revision = reading.isRevision
            self.method = "\(reading.sample.mark.method)"
            self.simulated = reading.sample.mark.isSimulated
        }

        private static func name(of quality: Quality) -> String {
            switch quality {
            case .pass: "pass"
            case .notEvaluated: "not_evaluated"
            case .suspect: "suspect"
            case .fail: "fail"
            case .missing: "missing"
            }
        }
    }

    private struct RefusedValue: Encodable {
        let reason: String
        /// Nil for the payload as a whole.
        let key: String?
        let detail: String
        let values: Int
    }

    private struct Alert: Encodable {
        let alert: String
        let level: String
        /// `pending`, `firing` or `unknown`.
        let state: String
        let since: String
        let value: String
    }

    let receivedAt: String
    let topic: String
    let decoder: String
    /// Of the payload as it came.
    let length: Int
    /// Whether the bytes and what is of other devices are left out: a gateway's message may hold what is of other orgs.
    let partial: Bool
    /// The first bytes, as hexadecimal digits.
    let hex: String
    /// The same as text, where it is text.
    let text: String?
    private let values: [Value]
    private let refused: [RefusedValue]
    /// The alerts of the site when the message had been judged; none of them inactive.
    private let alerts: [Alert]

    init(_ message: WatchedMessage, alerts: [AlertReport]) {
        self.receivedAt = message.receivedAt.rfc3339()
        self.topic = message.topic
        self.decoder = Self.decoder(of: message.topic)
        self.length = message.length
        self.partial = message.isPartial
        self.hex = message.payload.hexadecimal(uppercase: true)
        let text = message.isPartial ? nil : String(validating: message.payload, as: UTF8.self)
        let isReadable = text?.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control || $0 == "\n" }
        self.text = isReadable == true ? text : nil
        self.values = message.values.map(Value.init)
        self.refused = message.refusals.map {
            RefusedValue(reason: $0.reason.rawValue, key: $0.key, detail: $0.detail, values: $0.values)
        }
        self.alerts = alerts.map {
            Alert(
                alert: $0.labels.value(of: "alertname") ?? "",
                level: $0.labels.value(of: "level") ?? "",
                state: $0.state,
                since: $0.activeAt,
                value: $0.value
            )
        }
    }

    /// What reads a topic's payloads.
    private static func decoder(of topic: String) -> String {
        let levels = topic.split(separator: "/")
        switch (levels.first, levels.last) {
        case ("application", _): return "chirpstack"
        case ("v3", _): return "the-things-stack"
        case ("spBv1.0", _): return "sparkplug-b"
        case ("v1", _) where levels.dropFirst().first == "gateway": return "thingsboard-gateway"
        case (_, "sl651"): return "sl651"
        case (_, "hj212"): return "hj212"
        case (_, "senml"): return "senml"
        case (_, "status"): return "status"
        case (_, _): return "json"
        }
    }
}
