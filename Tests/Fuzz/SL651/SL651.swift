// poyang
// SPDX-License-Identifier: Apache-2.0

// A libFuzzer target for frames of SL 651; Tests/Fuzz/run builds and runs it.

private let crc = CRC16()

/// Decodes what comes as it is, and as the body of frames whose check is right: chance finds no check.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSL651(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = [UInt8](UnsafeBufferPointer(start: start, count: count))
    var codec = SL651Codec(limit: 1 << 16)
    decode(input, &codec)
    guard count > 2, count < 4000 else { return 0 }
    let (form, function, body) = (input[0], input[1], Array(input[2...]))
    let cut = Int(form >> 2) * body.count / 64
    switch form & 3 {
    case 0: decode(binary(function, body, packet: []), &codec)
    case 1: decode(text(function, body), &codec)
    case 2:
        let first = binary(function, Array(body[..<cut]), packet: [0, 0x20, 1])
        decode(first + binary(function, Array(body[cut...]), packet: [0, 0x20, 2]), &codec)
    default:
        // Only what stands behind the times is left to chance.
        let head: [UInt8] = [0, 1, 0x22, 6, 0x21, 0x16, 0x56, 0x10, 0xF1, 0xF1, 0, 0x12, 0x34, 0x56, 0x78, 0x48]
        let time: [UInt8] = [0xF0, 0xF0, 0x22, 6, 0x21, 0x16, 0x50]
        decode(binary(0x30 + function % 32, head + time + body, packet: []), &codec)
    }
    return 0
}

private func decode(_ bytes: [UInt8], _ codec: inout SL651Codec) {
    let message = decode(bytes.span, with: &codec, mayBeEmpty: true)
    precondition(message.readings.allSatisfy { $0.time != nil }, "a reading without time")
}

private func binary(_ function: UInt8, _ body: [UInt8], packet: [UInt8]) -> [UInt8] {
    let content = packet + body
    var frame: [UInt8] = [0x7E, 0x7E, 1, 0, 0x12, 0x34, 0x56, 0x78, 0x12, 0x34, function]
    frame += [UInt8(content.count >> 8), UInt8(content.count & 0xFF), packet.isEmpty ? 2 : 0x16] + content + [3]
    let check = crc.modbus(frame.span, 0..<frame.count)
    return frame + [UInt8(check >> 8), UInt8(check & 0xFF)]
}

private func text(_ function: UInt8, _ body: [UInt8]) -> [UInt8] {
    let head =
        "01" + "0012345678" + "1234" + HexText.text(UInt64(function), digits: 2)
        + HexText.text(UInt64(body.count), digits: 4)
    let frame = [1] + Array(head.utf8) + [2] + body + [3]
    let check = crc.modbus(frame.span, 0..<frame.count)
    return frame + Array(HexText.text(UInt64(check), digits: 4).utf8)
}
