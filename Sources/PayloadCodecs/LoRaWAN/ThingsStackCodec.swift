// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Uplinks of The Things Stack v3 in JSON.
///
/// The device is named by its DevEUI or, where it has none, by the id that it has in the stack. What comes of an uplink is
/// what comes of ChirpStack's (``ChirpStackCodec``): the frame, `decoded_payload`, the best reception, and the battery, which
/// has the time at which the device reported it; besides, the firmware that the device is registered with there. The time of the values is the network server's receive time. A simulated
/// uplink is refused: it is somebody's test. Source: lorawan-stack-docs, integrations/data-formats.
package struct ThingsStackCodec: PayloadCodec {
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
            message.refuseWhole(.malformed, "not JSON at byte \(error.offset): \(error.message)")
        }
    }

    private struct Content {
        var eui: String?
        var id: String?
        var isSimulated = false
        var hasUplink = false
        var hasBrokenData = false
        /// When the application server, and the settings' gateway, had it.
        var laterTime: Timestamp?
        var gatewayTime: Timestamp?
        var reception = Reception()
        var battery: Double?
        var batteryTime: Timestamp?
        /// As it was chosen when the device was registered there.
        var firmware: String?
    }

    private mutating func document(_ bytes: Span<UInt8>, _ message: inout DecodedMessage) throws(JSONError) {
        var scanner = JSONScanner()
        var content = Content()
        var isFirst = true
        while let name = try scanner.nextName(&isFirst, &self.keys, bytes) {
            switch name {
            case "end_device_ids": try self.deviceIDs(&content, &scanner, bytes)
            case "received_at": content.laterTime = try scanner.timeValue(bytes)
            case "simulated": content.isSimulated = try scanner.looseNumber(bytes, depth: 2) == 1
            case "uplink_message" where scanner.peek(bytes) == UInt8(ascii: "{"):
                try self.uplink(&content, &scanner, bytes, &message)
            default: try scanner.skipValue(bytes, depth: 2)
            }
        }
        guard scanner.peek(bytes) == nil else { throw scanner.unexpected(bytes, expected: "the end of the payload") }
        self.finish(content, &message)
    }

    private func finish(_ content: Content, _ message: inout DecodedMessage) {
        let sender: DecodedMessage.Sender.Name
        switch (content.eui, content.id) {
        case (let eui?, _) where !eui.isEmpty: sender = .address(eui)
        case (_, let id?) where !id.isEmpty: sender = .device(id)
        default:
            message.refuseWhole(.malformed, "the message has no end_device_ids, which say whose it is")
            return
        }
        guard !content.isSimulated else {
            let count = max(message.readings.count, 1)
            message.removeAll()
            message.refuse(
                Refusal(
                    reason: .wrongAddress,
                    detail: "a simulated uplink of The Things Stack; simulated uplinks are never stored",
                    values: count
                )
            )
            message.senders.append(DecodedMessage.Sender(name: sender, firstReading: 0))
            return
        }
        guard !content.hasBrokenData else {
            message.refuseWhole(.malformed, "\"frm_payload\" is not base 64")
            return
        }
        guard content.hasUplink else {
            message.refuseWhole(.malformed, "the message has no uplink_message; only uplinks are read from this topic")
            return
        }
        let time = message.frame.time ?? content.laterTime ?? content.gatewayTime ?? content.reception.time
        message.frame.time = time
        message.isOfNetworkServer = true
        message.senders.append(DecodedMessage.Sender(name: sender, firstReading: 0))
        message.frame.decodedByServer = message.readings.count
        for index in message.readings.indices { message.readings[index].time = time }
        content.reception.add(to: &message, at: time)
        if let battery = content.battery {
            message.addOfNetwork("battery_percent", battery, at: content.batteryTime ?? time)
        }
        if let firmware = content.firmware {
            message.addFirmware(firmware, at: time, isOwn: false, key: "version_ids.firmware_version")
        }
    }

    private mutating func deviceIDs(
        _ content: inout Content,
        _ scanner: inout JSONScanner,
        _ bytes: Span<UInt8>
    ) throws(JSONError) {
        guard scanner.peek(bytes) == UInt8(ascii: "{") else { return try scanner.skipValue(bytes, depth: 2) }
        var isFirst = true
        while let name = try scanner.nextName(&isFirst, &self.keys, bytes) {
            switch name {
            case "dev_eui": content.eui = try scanner.textValue(&self.keys, bytes)
            case "device_id": content.id = try scanner.textValue(&self.keys, bytes)
            default: try scanner.skipValue(bytes, depth: 3)
            }
        }
    }

    private mutating func uplink(
        _ content: inout Content,
        _ scanner: inout JSONScanner,
        _ bytes: Span<UInt8>,
        _ message: inout DecodedMessage
    ) throws(JSONError) {
        content.hasUplink = true
        var isFirst = true
        while let name = try scanner.nextName(&isFirst, &self.keys, bytes) {
            switch name {
            case "f_port": message.frame.port = try scanner.wholeNumber(in: 0...255, bytes)
            case "received_at": message.frame.time = try scanner.timeValue(bytes)
            case "frm_payload" where scanner.peek(bytes) == UInt8(ascii: "\""):
                let range = try scanner.string(bytes).range
                content.hasBrokenData = !Base64Text.read(bytes, range, into: &message.frame.bytes)
                message.frame.isPresent = !message.frame.bytes.isEmpty
            case "decoded_payload": try ServerDecoded.read(&scanner, &self.keys, bytes, into: &message)
            case "rx_metadata":
                try content.reception.read(&scanner, &self.keys, times: ["received_at", "time"], bytes)
            case "settings": content.gatewayTime = try self.object(&scanner, bytes, number: nil, time: "time").time
            case "version_ids": content.firmware = try self.firmware(&scanner, bytes)
            case "last_battery_percentage":
                let battery = try self.object(&scanner, bytes, number: "value", time: "received_at")
                // A zero is left out.
                content.battery = battery.number ?? (battery.time == nil ? nil : 0)
                content.batteryTime = battery.time
            default: try scanner.skipValue(bytes, depth: 3)
            }
        }
    }

    private mutating func firmware(_ scanner: inout JSONScanner, _ bytes: Span<UInt8>) throws(JSONError) -> String? {
        guard scanner.peek(bytes) == UInt8(ascii: "{") else {
            try scanner.skipValue(bytes, depth: 3)
            return nil
        }
        var version: String?
        var isFirst = true
        while let name = try scanner.nextName(&isFirst, &self.keys, bytes) {
            if name == "firmware_version" {
                version = try scanner.textValue(&self.keys, bytes)
            } else {
                try scanner.skipValue(bytes, depth: 4)
            }
        }
        return version
    }

    /// A number and a time of an object, by their names.
    private mutating func object(
        _ scanner: inout JSONScanner,
        _ bytes: Span<UInt8>,
        number: String?,
        time: String
    ) throws(JSONError) -> (number: Double?, time: Timestamp?) {
        guard scanner.peek(bytes) == UInt8(ascii: "{") else {
            return (number == nil ? nil : try scanner.looseNumber(bytes, depth: 3), nil)
        }
        var found: (number: Double?, time: Timestamp?) = (nil, nil)
        var isFirst = true
        while let name = try scanner.nextName(&isFirst, &self.keys, bytes) {
            switch name {
            case number: found.number = try scanner.looseNumber(bytes, depth: 4)
            case time: found.time = try scanner.timeValue(bytes)
            default: try scanner.skipValue(bytes, depth: 4)
            }
        }
        return found
    }
}
