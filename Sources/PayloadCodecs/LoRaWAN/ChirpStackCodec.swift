// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Events of ChirpStack v4 in JSON: `up` and `status`; others hold no values.
///
/// The device is named by its DevEUI. Of an uplink come the frame, for the model's layout, what ChirpStack's own codec made
/// of it (`object`), and the reception by the best gateway; of a status the battery (percent) and the margin (dB). JSON that
/// was made of protobuf leaves out what is zero: a status without `batteryLevel`, `externalPowerSource` and
/// `batteryLevelUnavailable` says 0 %. All values have the time of the event, so that an event that comes twice is
/// stored once. Source: chirpstack-docs, integrations/events; integration.proto.
package struct ChirpStackCodec: PayloadCodec {
    /// The kind of event, from the topic.
    package enum Event: String, Hashable, Sendable {
        case up
        case status
    }

    /// What the payloads that follow are.
    package var event = Event.up

    private let limit: Int
    private var keys = KeyTable()

    /// - Parameter limit: The longest payload that is read, in bytes.
    package init(limit: Int = NativeJSONCodec.defaultLimit) {
        self.limit = limit
    }

    package mutating func decode(_ payload: Span<UInt8>, into message: inout DecodedMessage) {
        guard message.begin(payload, limit: self.limit) else { return }
        do {
            try self.document(payload, &message)
        } catch {
            message.refuseWhole(
                .malformed,
                "not JSON at byte \(error.offset): \(error.message); set json=true in ChirpStack's MQTT integration"
            )
        }
    }

    private struct Content {
        var eui: String?
        var reception = Reception()
        var battery: Double?
        var margin: Double?
        var hasExternalPower = false
        var isBatteryUnknown = false
        var hasBrokenData = false
    }

    private mutating func document(_ bytes: Span<UInt8>, _ message: inout DecodedMessage) throws(JSONError) {
        var scanner = JSONScanner()
        var content = Content()
        var isFirst = true
        while let name = try scanner.nextName(&isFirst, &self.keys, bytes) {
            try self.member(name, &content, &scanner, bytes, &message)
        }
        guard scanner.peek(bytes) == nil else { throw scanner.unexpected(bytes, expected: "the end of the payload") }
        guard let eui = content.eui, !eui.isEmpty else {
            message.refuseWhole(.malformed, "the event has no deviceInfo.devEui, which says whose it is")
            return
        }
        guard !content.hasBrokenData else {
            message.refuseWhole(.malformed, "\"data\" is not base 64")
            return
        }
        let time = message.frame.time ?? content.reception.time
        message.frame.time = time
        message.isOfNetworkServer = true
        message.senders.append(DecodedMessage.Sender(name: .address(eui), firstReading: 0))
        message.frame.decodedByServer = message.readings.count
        for index in message.readings.indices { message.readings[index].time = time }
        switch self.event {
        case .up:
            content.reception.add(to: &message, at: time)
        case .status:
            message.addOfNetwork("link_margin_decibels", content.margin ?? 0, at: time)
            message.addOfNetwork("external_power_state", content.hasExternalPower ? 1 : 0, at: time)
            if !content.hasExternalPower, !content.isBatteryUnknown {
                message.addOfNetwork("battery_percent", content.battery ?? 0, at: time)
            }
        }
    }

    private mutating func member(
        _ name: String,
        _ content: inout Content,
        _ scanner: inout JSONScanner,
        _ bytes: Span<UInt8>,
        _ message: inout DecodedMessage
    ) throws(JSONError) {
        switch (name, self.event) {
        case ("time", _): message.frame.time = try scanner.timeValue(bytes)
        case ("deviceInfo", _): try self.deviceInfo(&content, &scanner, bytes)
        case ("fPort", .up): message.frame.port = try scanner.wholeNumber(in: 0...255, bytes)
        case ("rxInfo", .up): try content.reception.read(&scanner, &self.keys, times: ["gwTime", "nsTime"], bytes)
        case ("object", .up): try ServerDecoded.read(&scanner, &self.keys, bytes, into: &message)
        case ("data", .up):
            guard scanner.peek(bytes) == UInt8(ascii: "\"") else { return try scanner.skipValue(bytes, depth: 2) }
            let range = try scanner.string(bytes).range
            content.hasBrokenData = !Base64Text.read(bytes, range, into: &message.frame.bytes)
            message.frame.isPresent = !message.frame.bytes.isEmpty
        case ("margin", .status): content.margin = try scanner.looseNumber(bytes, depth: 2)
        case ("batteryLevel", .status): content.battery = try scanner.looseNumber(bytes, depth: 2)
        case ("externalPowerSource", .status): content.hasExternalPower = try scanner.looseNumber(bytes, depth: 2) == 1
        case ("batteryLevelUnavailable", .status):
            content.isBatteryUnknown = try scanner.looseNumber(bytes, depth: 2) == 1
        default: try scanner.skipValue(bytes, depth: 2)
        }
    }

    private mutating func deviceInfo(
        _ content: inout Content,
        _ scanner: inout JSONScanner,
        _ bytes: Span<UInt8>
    ) throws(JSONError) {
        guard scanner.peek(bytes) == UInt8(ascii: "{") else { return try scanner.skipValue(bytes, depth: 2) }
        var isFirst = true
        while let name = try scanner.nextName(&isFirst, &self.keys, bytes) {
            if name == "devEui" {
                content.eui = try scanner.textValue(&self.keys, bytes)
            } else {
                try scanner.skipValue(bytes, depth: 3)
            }
        }
    }
}
