// poyang
// SPDX-License-Identifier: Apache-2.0

// Frames of field protocols, made without the codecs that are to read them.

/// CRC-16/MODBUS bit by bit, as the standards describe it; the codec's tables are not used.
package func modbusCheck(_ bytes: some Sequence<UInt8>) -> UInt16 {
    bytes.reduce(0xFFFF) { crc, byte in shifted(crc ^ UInt16(byte)) }
}

/// The check of HJ 212-2017, bit by bit.
package func hj212Check(_ bytes: some Sequence<UInt8>) -> UInt16 {
    bytes.reduce(0xFFFF) { crc, byte in shifted(crc >> 8 ^ UInt16(byte)) }
}

private func shifted(_ crc: UInt16) -> UInt16 {
    (0..<8).reduce(crc) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0xA001 : crc >> 1 }
}

package func hex(_ text: String) -> [UInt8] {
    let digits = text.filter { !$0.isWhitespace }
    return stride(from: 0, to: digits.count, by: 2)
        .compactMap { offset in
            let start = digits.index(digits.startIndex, offsetBy: offset)
            return UInt8(digits[start..<digits.index(start, offsetBy: 2)], radix: 16)
        }
}

package func hexText(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined()
}

/// A binary frame up from station 0012345678, made by the words of the standard.
package func sl651Frame(
    _ function: UInt8,
    _ body: [UInt8],
    packet: (number: Int, total: Int)? = nil,
    end: UInt8 = 0x03,
    station: String = "0012345678",
    lengthOff: Int = 0
) -> [UInt8] {
    var content = body
    if let packet {
        content.insert(
            contentsOf: [
                UInt8(packet.total >> 4), UInt8(packet.total & 0xF) << 4 | UInt8(packet.number >> 8),
                UInt8(packet.number & 0xFF),
            ],
            at: 0
        )
    }
    let length = content.count + lengthOff
    var frame: [UInt8] = [0x7E, 0x7E, 0x01] + hex(station) + [0x12, 0x34, function]
    frame += [UInt8(length >> 8), UInt8(length & 0xFF), packet == nil ? 0x02 : 0x16] + content + [end]
    let crc = modbusCheck(frame)
    return frame + [UInt8(crc >> 8), UInt8(crc & 0xFF)]
}

/// The same as text (6.4).
package func sl651TextFrame(
    _ function: String,
    _ body: [UInt8],
    packet: (number: Int, total: Int)? = nil,
    end: UInt8 = 0x03
) -> [UInt8] {
    func digits(_ number: Int, _ count: Int) -> String {
        let text = String(number, radix: 16, uppercase: true)
        return String(repeating: "0", count: count - text.count) + text
    }
    let content = Array((packet.map { digits($0.total, 3) + digits($0.number, 3) } ?? "").utf8) + body
    let head = "01" + "0012345678" + "1234" + function + digits(content.count, 4)
    let frame = [0x01] + Array(head.utf8) + [packet == nil ? 0x02 : 0x16] + content + [end]
    return frame + Array(digits(Int(modbusCheck(frame)), 4).utf8)
}

/// Serial number 1, sent on 21 June 2022 at 16:56:10.
package let sl651Head = "0001 220621165610"

/// A packet of HJ 212 made by the words of the standard, with its check or that of Modbus.
package func hj212Packet(_ data: String, isModbus: Bool = false) -> [UInt8] {
    let bytes = Array(data.utf8)
    let check = isModbus ? modbusCheck(bytes) : hj212Check(bytes)
    let digits = String(check, radix: 16, uppercase: true)
    let length = String(bytes.count)
    return Array("##".utf8) + Array((String(repeating: "0", count: 4 - length.count) + length).utf8) + bytes
        + Array((String(repeating: "0", count: 4 - digits.count) + digits + "\r\n").utf8)
}
