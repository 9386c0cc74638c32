// poyang
// SPDX-License-Identifier: Apache-2.0

// A libFuzzer target for packets of HJ 212; Tests/Fuzz/run builds and runs it.

private let crc = CRC16()

/// Decodes what comes as it is, and as the data of a packet whose length and check are right: chance finds neither.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHJ212(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = [UInt8](UnsafeBufferPointer(start: start, count: count))
    var codec = HJ212Codec(limit: 1 << 16)
    codec.dialect.takesModbusCheck = count % 2 == 1
    decode(input, &codec)
    guard count < 5000 else { return 0 }
    decode(packet(input), &codec)
    let half = count / 2
    decode(packet(Array(input[..<half])) + packet(Array(input[half...])), &codec)
    return 0
}

private func decode(_ bytes: [UInt8], _ codec: inout HJ212Codec) {
    let message = decode(bytes.span, with: &codec, mayBeEmpty: true)
    precondition(message.readings.allSatisfy { $0.time != nil }, "a reading without time")
    precondition(message.readings.isEmpty || message.senders.first?.firstReading == 0, "a reading of nobody")
}

private func packet(_ data: [UInt8]) -> [UInt8] {
    let length = String(data.count)
    let head = "##" + String(repeating: "0", count: max(0, 4 - length.utf8.count)) + length
    let check = crc.hj212(data.span, 0..<data.count)
    return Array(head.utf8) + data + Array((HexText.text(UInt64(check), digits: 4) + "\r\n").utf8)
}
