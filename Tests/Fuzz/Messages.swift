// poyang
// SPDX-License-Identifier: Apache-2.0

// What holds for every message that a codec gives, whatever came; Tests/Fuzz/run puts it beside the targets of codecs.

/// Decodes and checks; a payload of which neither values, firmware nor refusals are left has vanished, unless it `mayBeEmpty`.
@discardableResult
func decode(_ bytes: Span<UInt8>, with codec: inout some PayloadCodec, mayBeEmpty: Bool = false) -> DecodedMessage {
    var message = DecodedMessage()
    codec.decode(bytes, into: &message)
    check(message)
    precondition(
        mayBeEmpty || !message.readings.isEmpty || !message.firmware.isEmpty || !message.refusals.isEmpty,
        "a payload vanished"
    )
    return message
}

func check(_ message: DecodedMessage) {
    precondition(message.readings.allSatisfy(\.value.isFinite), "a reading that is none")
    precondition(
        message.refusals.count <= DecodedMessage.listedRefusals + QuarantineReason.allCases.count,
        "a long list"
    )
    let mayWait = !message.awaiting.isEmpty
    precondition(
        message.refusals.allSatisfy { ($0.values > 0 || mayWait) && !$0.detail.isEmpty },
        "a refusal of nothing"
    )
    precondition(message.frame.decodedByServer <= message.readings.count, "more readings of the server than there are")
    precondition(message.units.isEmpty || message.units.count == message.readings.count, "a reading without its unit")
    var last = 0
    for sender in message.senders {
        precondition(
            sender.firstReading >= last && sender.firstReading <= message.readings.count,
            "senders out of order"
        )
        last = sender.firstReading
    }
    for firmware in message.firmware {
        precondition(firmware.sender.map(message.senders.indices.contains) ?? true, "firmware of nobody")
        precondition(firmware.report.version.text.utf8.count <= FirmwareVersion.longest, "a long version")
    }
}
