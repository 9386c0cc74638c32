// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The platform's own JSON: `{"k":v,…}`, `{"ts":…,"values":{…}}`, or an array of either.
///
/// ```
/// {"level": 1.25, "battery": 3.6}
/// {"ts": 1655802960000, "values": {"level": 1.25}}
/// {"ts": "2022-06-21T16:56:00+08:00", "values": {"level": 1.25},
///  "quality": {"level": 1}, "method": {"level": "interpolated"}, "simulated": true}
/// ```
/// A text under `firmware`, with the values or beside them, is the version of the device's software and no value.
/// `true` and `false` read as 1 and 0. A value that is no number refuses itself only; what is wrong with an object's time
/// refuses that object; text that is not JSON refuses the payload.
package struct NativeJSONCodec: PayloadCodec {
    /// Payloads beyond this are refused unread: 1 MiB.
    package static let defaultLimit = 1 << 20

    static let firmwareKey = "firmware"

    private let limit: Int
    private var keys = KeyTable()

    /// - Parameter limit: The longest payload that is read, in bytes.
    package init(limit: Int = Self.defaultLimit) {
        self.limit = limit
    }

    package mutating func decode(_ payload: Span<UInt8>, into message: inout DecodedMessage) {
        message.removeAll()
        guard payload.count <= self.limit else {
            message.refuseWhole(
                .tooLarge,
                "\(payload.count) bytes; at most \(self.limit) are read: send several smaller messages"
            )
            return
        }
        guard !payload.isEmpty else {
            message.refuseWhole(.malformed, "the payload is empty; expected a JSON object such as {\"level\":1.25}")
            return
        }
        do {
            try self.document(payload, &message)
            if message.readings.isEmpty, message.firmware.isEmpty, message.refusals.isEmpty {
                message.refuseWhole(.malformed, "the payload holds no value; expected one such as {\"level\":1.25}")
            }
        } catch {
            message.refuseWhole(.malformed, "not JSON at byte \(error.offset): \(error.message)")
        }
    }

    private mutating func document(_ bytes: Span<UInt8>, _ message: inout DecodedMessage) throws(JSONError) {
        let hasMark = bytes.count >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF
        var scanner = JSONScanner(at: hasMark ? 3 : 0)
        if scanner.take(UInt8(ascii: "["), bytes) {
            try self.elements(&scanner, bytes, &message)
        } else {
            guard scanner.peek(bytes) == UInt8(ascii: "{") else {
                throw scanner.unexpected(bytes, expected: "'{' or '['")
            }
            try self.object(&scanner, bytes, &message)
        }
        guard scanner.peek(bytes) == nil else {
            throw scanner.unexpected(bytes, expected: "the end of the payload")
        }
    }

    /// The objects of an array whose opening bracket is taken.
    mutating func elements(
        _ scanner: inout JSONScanner,
        _ bytes: Span<UInt8>,
        _ message: inout DecodedMessage
    ) throws(JSONError) {
        if scanner.take(UInt8(ascii: "]"), bytes) { return }
        repeat {
            if scanner.peek(bytes) == UInt8(ascii: "{") {
                try self.object(&scanner, bytes, &message)
            } else {
                let offset = scanner.position
                try scanner.skipValue(bytes, depth: 2)
                message.refuse(
                    Refusal(reason: .malformed, detail: "the element at byte \(offset) is not an object")
                )
            }
        } while try scanner.hasNext(before: UInt8(ascii: "]"), bytes)
    }

    /// One object: its members are scanned once; what applies to all of its values is applied at its end.
    mutating func object(
        _ scanner: inout JSONScanner,
        _ bytes: Span<UInt8>,
        _ message: inout DecodedMessage
    ) throws(JSONError) {
        var object = NativeObject(firstReading: message.readings.count)
        scanner.advance()
        if !scanner.take(UInt8(ascii: "}"), bytes) {
            repeat {
                let key = try scanner.name(&self.keys, bytes)
                try self.member(key, &object, &scanner, bytes, &message)
            } while try scanner.hasNext(before: UInt8(ascii: "}"), bytes)
        }
        if let offset = object.quality { try self.qualities(at: offset, &object, bytes, &message) }
        if let offset = object.method { try self.methods(at: offset, &object, bytes, &message) }
        object.finish(&message)
    }

    private mutating func member(
        _ key: String,
        _ object: inout NativeObject,
        _ scanner: inout JSONScanner,
        _ bytes: Span<UInt8>,
        _ message: inout DecodedMessage
    ) throws(JSONError) {
        let next = scanner.peek(bytes) ?? 0
        let offset = scanner.position
        switch key {
        case "values" where next == UInt8(ascii: "{"):
            object.foundValues(&message)
            scanner.advance()
            if scanner.take(UInt8(ascii: "}"), bytes) { return }
            repeat {
                let key = try scanner.name(&self.keys, bytes)
                if try self.firmware(key, &object, &scanner, bytes, &message) { continue }
                try object.value(key, &scanner, bytes, &message)
            } while try scanner.hasNext(before: UInt8(ascii: "}"), bytes)
        case "ts":
            try object.time(&scanner, bytes)
        case "quality" where next == UInt8(ascii: "{"):
            object.quality = offset
            try scanner.skipValue(bytes, depth: 3)
        case "method" where next == UInt8(ascii: "{"):
            object.method = offset
            try scanner.skipValue(bytes, depth: 3)
        case "simulated":
            try object.simulated(&scanner, bytes)
        default:
            if try self.firmware(key, &object, &scanner, bytes, &message) { return }
            if object.hasValues {
                try scanner.skipValue(bytes, depth: 3)
                object.refuseStray(key, &message)
            } else {
                try object.value(key, &scanner, bytes, &message)
            }
        }
    }

    /// Takes the member if it is the text of a version.
    private mutating func firmware(
        _ key: String,
        _ object: inout NativeObject,
        _ scanner: inout JSONScanner,
        _ bytes: Span<UInt8>,
        _ message: inout DecodedMessage
    ) throws(JSONError) -> Bool {
        guard scanner.peek(bytes) == UInt8(ascii: "\""), key == Self.firmwareKey else { return false }
        let start = scanner.position
        let (range, isEscaped) = try scanner.string(bytes)
        // What is far too long is not copied, and least of all kept.
        guard range.count <= 6 * FirmwareVersion.longest,
            let text = isEscaped ? JSONText.unescape(range, bytes) : self.keys.text(of: range, in: bytes)
        else {
            let detail =
                "the text of \(range.count) bytes at byte \(start) is no firmware version; send a short one such as \"1.4.2\""
            message.refuse(Refusal(reason: .malformed, detail: detail, key: key))
            return true
        }
        object.firmware = text
        return true
    }

    private mutating func qualities(
        at offset: Int,
        _ object: inout NativeObject,
        _ bytes: Span<UInt8>,
        _ message: inout DecodedMessage
    ) throws(JSONError) {
        var scanner = JSONScanner(at: offset + 1)
        if scanner.take(UInt8(ascii: "}"), bytes) { return }
        repeat {
            let key = try scanner.name(&self.keys, bytes)
            let quality: Quality?
            if case .number(let number) = try NativeValue(&scanner, bytes, depth: 4), (1...4).contains(number) {
                quality = UInt8(exactly: number).flatMap(Quality.init(rawValue:))
            } else {
                quality = nil
            }
            guard let reading = object.index(of: key, message) else { continue }
            if let quality {
                message.readings[reading].quality = quality
            } else {
                object.refuseLater(reading, "its quality is not one of 1, 2, 3, 4")
            }
        } while try scanner.hasNext(before: UInt8(ascii: "}"), bytes)
    }

    private mutating func methods(
        at offset: Int,
        _ object: inout NativeObject,
        _ bytes: Span<UInt8>,
        _ message: inout DecodedMessage
    ) throws(JSONError) {
        var scanner = JSONScanner(at: offset + 1)
        if scanner.take(UInt8(ascii: "}"), bytes) { return }
        repeat {
            let key = try scanner.name(&self.keys, bytes)
            var method: Telemetry.Method?
            if scanner.peek(bytes) == UInt8(ascii: "\"") {
                let (range, isEscaped) = try scanner.string(bytes)
                method = isEscaped ? nil : self.keys.text(of: range, in: bytes).flatMap { Method(name: $0) }
            } else {
                try scanner.skipValue(bytes, depth: 4)
            }
            guard let reading = object.index(of: key, message) else { continue }
            if let method {
                message.readings[reading].method = method
            } else {
                object.refuseLater(reading, "its method is not one of measured, manual, interpolated, gap_total")
            }
        } while try scanner.hasNext(before: UInt8(ascii: "}"), bytes)
    }
}
