// poyang
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Telemetry

extension WarningMessage {
    /// One line of the demo's standard output: the members in the order that is promised, times at +08:00.
    package func jsonLine() -> String {
        let members: [(String, String)] = [
            ("number", jsonText(self.number)),
            ("identifier", jsonText(self.identifier)),
            ("msgType", jsonText(self.messageType)),
            ("action", jsonText(self.action.rawValue)),
            ("status", jsonText(self.status.rawValue)),
            ("hazard", jsonText(self.hazard.rawValue)),
            ("level", jsonText(self.level.rawValue)),
            ("previous_level", jsonText(self.previousLevel?.rawValue)),
            ("site", jsonText(self.site.id)),
            ("event_time", jsonText(self.eventTime.rfc3339())),
            ("sent", jsonText(self.sent.rfc3339())),
            ("value", jsonNumber(self.value)),
            ("threshold", jsonNumber(self.threshold)),
            ("headline", jsonText(self.headline.zh)),
        ]
        return "{" + members.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
    }
}

/// Server-Sent Events (WHATWG HTML, section 9.2).
package enum ServerSentEvent {
    /// One message: `id` is the feed's sequence, `event` the action, `data` a GeoJSON feature on one line.
    package static func frame(sequence: Int64, entry: FeedMessage, base: String = "") throws -> String {
        let data = try GeoJSON.feature(entry, base: base)
        return "id: \(sequence)\nevent: \(entry.message.action.rawValue)\ndata: \(data)\n\n"
    }

    /// Sent once, at the start of a stream: how long a client waits before it connects again.
    package static let start = "retry: 5000\n\n"
    /// A comment that keeps a quiet connection open; every 15 to 30 seconds.
    package static let ping = ":\n\n"
}

/// The stored form of warnings and messages: JSON with sorted keys.
package enum StoredJSON {
    package static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "+Inf",
            negativeInfinity: "-Inf",
            nan: "NaN"
        )
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    package static func decode<Value: Decodable>(_ type: Value.Type, from text: String) throws -> Value {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "+Inf",
            negativeInfinity: "-Inf",
            nan: "NaN"
        )
        return try decoder.decode(type, from: Data(text.utf8))
    }
}

/// A JSON string on one line; `null` for no text.
private func jsonText(_ text: String?) -> String { text?.jsonString ?? "null" }

/// A JSON number; `null` for none and for what JSON cannot say.
private func jsonNumber(_ number: Double?) -> String {
    guard let number, number.isFinite else { return "null" }
    return number == number.rounded() && abs(number) < 1e15 ? "\(Int64(number))" : "\(number)"
}
