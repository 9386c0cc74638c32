// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Decodes the payloads of devices whose model says where the values stand.
///
/// Nothing is allocated but the readings' places in the message. Bytes that do not fit are refused with the byte at which
/// they stop fitting; what was read before stands.
package enum LayoutDecoder {
    /// Appends the readings of a payload to a message.
    ///
    /// `port` is the LoRaWAN port, where it is known; `time` the time of values that have none of their own.
    package static func decode(
        _ layout: PayloadLayout,
        _ bytes: Span<UInt8>,
        port: Int?,
        time: Timestamp?,
        into message: inout DecodedMessage
    ) {
        if let port {
            if layout.ignoredPorts.contains(port) { return }
            guard layout.ports.isEmpty || layout.ports.contains(port) else {
                let known = layout.ports.map { "\($0)" }.joined(separator: ", ")
                message.refuse(Self.malformed("port \(port) is not one of the model's layout, which has \(known)"))
                return
            }
        }
        guard self.holds(layout.conditions, layout, bytes, 0..<bytes.count) else {
            message.refuse(Self.malformed("the payload is not of the kind that the model's layout describes"))
            return
        }
        switch layout.form {
        case .fixed: self.frames(layout, bytes, port: port, time, &message)
        case .tagged: self.items(layout, bytes, time, &message)
        case .flagged: self.blocks(layout, bytes, time, &message)
        }
    }

    private static func frames(
        _ layout: PayloadLayout,
        _ bytes: Span<UInt8>,
        port: Int?,
        _ time: Timestamp?,
        _ message: inout DecodedMessage
    ) {
        var isKnown = false
        var longest = 0
        for block in layout.blocks {
            if let port, !block.ports.isEmpty, !block.ports.contains(port) { continue }
            guard bytes.count >= block.length else {
                longest = max(longest, block.length)
                continue
            }
            guard self.holds(block.conditions, layout, bytes, 0..<bytes.count) else { continue }
            isKnown = true
            self.values(of: block, layout, bytes, 0..<bytes.count, time, &message)
        }
        guard !isKnown else { return }
        let need = longest > 0 ? ", of which the shortest that fits has \(longest)" : ""
        message.refuse(
            self.malformed(
                "byte \(bytes.count): \(bytes.count) bytes are none of the frames of the model's layout\(need)"
            )
        )
    }

    private static func items(
        _ layout: PayloadLayout,
        _ bytes: Span<UInt8>,
        _ time: Timestamp?,
        _ message: inout DecodedMessage
    ) {
        let hasTypes = layout.hasTypes
        let head = hasTypes ? 2 : 1
        let limit = bytes.count - layout.trailer
        var position = layout.start
        while position < limit {
            guard position + head <= limit else {
                message.refuse(self.malformed("byte \(position): an id without type"))
                return
            }
            let id = Int(bytes[position])
            let type = hasTypes ? Int(bytes[position + 1]) : -1
            guard
                let block = layout.blocks.first(where: {
                    $0.id == id && ($0.type == type || $0.type == PayloadLayout.anyType)
                })
            else {
                let name = hasTypes ? "\(self.hex(id)) \(self.hex(type))" : self.hex(id)
                message.refuse(
                    self.malformed(
                        "byte \(position): the item \(name) is not in the model's layout; what follows is unread"
                    )
                )
                return
            }
            let start = position + head
            let end = block.length < 0 ? limit : start + block.length
            guard end <= limit else {
                message.refuse(
                    self.malformed("byte \(limit): the item \(self.hex(id)) at byte \(position) ends at \(end)")
                )
                return
            }
            if self.holds(block.conditions, layout, bytes, start..<end) {
                self.values(of: block, layout, bytes, start..<end, time, &message)
            }
            position = end
        }
    }

    private static func blocks(
        _ layout: PayloadLayout,
        _ bytes: Span<UInt8>,
        _ time: Timestamp?,
        _ message: inout DecodedMessage
    ) {
        guard let number = layout.flags, case .value(let word) = self.raw(number, bytes, 0..<bytes.count),
            let flags = UInt64(exactly: word)
        else {
            message.refuse(self.malformed("byte \(bytes.count): the payload ends before its flags"))
            return
        }
        let limit = bytes.count - layout.trailer
        var position = layout.start
        for bit in 0..<32 where flags >> UInt64(bit) & 1 == 1 {
            guard let block = layout.blocks.first(where: { $0.id == bit }) else {
                message.refuse(
                    self.malformed("byte \(position): the block of flag \(bit) is not in the model's layout")
                )
                return
            }
            let end = block.length < 0 ? max(position, limit) : position + block.length
            guard end <= limit else {
                message.refuse(
                    self.malformed("byte \(limit): the block of flag \(bit), at byte \(position), ends at \(end)")
                )
                return
            }
            if self.holds(block.conditions, layout, bytes, position..<end) {
                self.values(of: block, layout, bytes, position..<end, time, &message)
            }
            position = end
        }
    }

    private static func values(
        of block: PayloadLayout.Block,
        _ layout: PayloadLayout,
        _ bytes: Span<UInt8>,
        _ extent: Range<Int>,
        _ time: Timestamp?,
        _ message: inout DecodedMessage
    ) {
        var time = time
        if let number = block.time, case .value(let seconds) = self.raw(number, bytes, extent),
            seconds > 0, seconds < 253_402_300_800
        {
            time = Timestamp(milliseconds: Int64(seconds) * 1000)
        }
        if !block.version.isEmpty { self.firmware(of: block, layout, bytes, extent, time, &message) }
        for index in block.fields {
            let field = layout.fields[index]
            guard self.holds(field.conditions, layout, bytes, extent) else { continue }
            switch self.raw(field.number, bytes, extent) {
            case .value(let raw):
                if field.missing.contains(where: { layout.missing[$0] == raw }) { continue }
                let value = field.value(raw)
                guard value.isFinite else {
                    message.refuse(
                        Refusal(reason: .notANumber, detail: "the bytes are of no finite number", key: field.key)
                    )
                    continue
                }
                message.readings.append(Reading(key: field.key, value: value, time: time))
            case .beyond:
                if field.isOptional { continue }
                message.refuse(
                    Refusal(
                        reason: .malformed,
                        detail: "byte \(extent.upperBound): the payload ends before the value",
                        key: field.key
                    )
                )
            case .invalid:
                message.refuse(
                    Refusal(reason: .notANumber, detail: "the bytes are not packed decimal (BCD)", key: field.key)
                )
            }
        }
    }

    private static func firmware(
        of block: PayloadLayout.Block,
        _ layout: PayloadLayout,
        _ bytes: Span<UInt8>,
        _ extent: Range<Int>,
        _ time: Timestamp?,
        _ message: inout DecodedMessage
    ) {
        var version = ""
        for index in block.version {
            guard case .value(let raw) = self.raw(layout.versionParts[index], bytes, extent),
                let part = UInt64(exactly: raw)
            else {
                let detail = "byte \(extent.upperBound): the payload ends before the firmware version"
                message.refuse(Refusal(reason: .malformed, detail: detail, key: "firmware"))
                return
            }
            version += (version.isEmpty ? "" : ".") + String(part, radix: block.versionRadix)
        }
        message.addFirmware(version, at: time, isOwn: true, key: "firmware")
    }

    private static func holds(
        _ conditions: Range<Int>,
        _ layout: PayloadLayout,
        _ bytes: Span<UInt8>,
        _ extent: Range<Int>
    ) -> Bool {
        for index in conditions {
            let condition = layout.allConditions[index]
            guard case .value(let raw) = self.raw(condition.number, bytes, extent),
                condition.range.contains(raw) != condition.isInverted
            else { return false }
        }
        return true
    }

    private static func malformed(_ detail: String) -> Refusal { Refusal(reason: .malformed, detail: detail) }

    private static func hex(_ byte: Int) -> String { "0x" + HexText.text(UInt64(max(byte, 0)), digits: 2) }
}
