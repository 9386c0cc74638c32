// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Telemetry of a ThingsBoard gateway: `{"Device A":[{"ts":1483228800000,"values":{"level":1.25}}],"Device B":[…]}`.
///
/// Under each device's name stands an array of what native JSON knows, or one such object. Source: ThingsBoard, MQTT gateway
/// API.
package struct GatewayTelemetryCodec: PayloadCodec {
    private let limit: Int
    private var native: NativeJSONCodec
    private var names = KeyTable()

    /// - Parameter limit: The longest payload that is read, in bytes.
    package init(limit: Int = NativeJSONCodec.defaultLimit) {
        self.limit = limit
        self.native = NativeJSONCodec(limit: limit)
    }

    package mutating func decode(_ payload: Span<UInt8>, into message: inout DecodedMessage) {
        guard message.begin(payload, limit: self.limit) else { return }
        do throws(JSONError) {
            var scanner = JSONScanner()
            var isFirst = true
            while let name = try scanner.nextName(&isFirst, &self.names, payload) {
                try self.device(name, &scanner, payload, &message)
            }
            guard scanner.peek(payload) == nil else {
                throw scanner.unexpected(payload, expected: "the end of the payload")
            }
            if message.readings.isEmpty, message.firmware.isEmpty, message.refusals.isEmpty {
                message.refuseWhole(.malformed, "the payload holds no value of any device" + Self.form)
            }
        } catch {
            message.refuseWhole(.malformed, "not JSON at byte \(error.offset): \(error.message)")
        }
    }

    private mutating func device(
        _ name: String,
        _ scanner: inout JSONScanner,
        _ bytes: Span<UInt8>,
        _ message: inout DecodedMessage
    ) throws(JSONError) {
        message.senders.append(
            DecodedMessage.Sender(name: .device(name), firstReading: message.readings.count)
        )
        let before = message.firmware.count
        defer {
            for index in message.firmware.indices.dropFirst(before) {
                message.firmware[index].sender = message.senders.count - 1
            }
        }
        switch scanner.peek(bytes) ?? 0 {
        case UInt8(ascii: "["):
            scanner.advance()
            try self.native.elements(&scanner, bytes, &message)
        case UInt8(ascii: "{"): try self.native.object(&scanner, bytes, &message)
        default:
            try scanner.skipValue(bytes, depth: 2)
            message.refuse(
                Refusal(reason: .malformed, detail: "under \"\(name.prefix(80))\" stands no array" + Self.form)
            )
        }
    }

    private static let form =
        "; expected {\"Device A\":[{\"ts\":1655802960000,\"values\":{\"level\":1.25}}]}"
}
