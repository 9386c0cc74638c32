// poyang
// SPDX-License-Identifier: Apache-2.0

/// Why bytes are no packet of HJ 212.
struct HJ212Error: Error {
    /// Offset of the first byte that could not be used.
    let offset: Int
    let message: String
}

/// The envelope of one packet of HJ 212 (6.3), its check passed.
///
/// ```
/// ##  LLLL  QN=…;ST=…;CN=…;PW=…;MN=…;Flag=…;[PNUM=…;PNO=…;]CP=&&…&&  CRC   CR LF
/// 2   4     as many bytes as LLLL says                                4
/// ```
struct HJ212Packet {
    /// Kind of system (ST): 21 surface water, 32 waste water, 91 answers.
    var system = 0
    /// Kind of message (CN).
    var command = 0
    /// Identity of the station (MN); at most 24 characters in the standard.
    var station = 0..<0
    /// Request number (QN), the same in all packets of a message.
    var request = 0..<0
    /// Number of this packet and how many there are; 1 of 1 where the packet does not say.
    var number = 1
    var total = 1
    /// What stands between && and &&.
    var content = 0..<0
    /// The whole packet with its line end.
    var extent = 0..<0

    /// Reads the packet at `start`; with `takesModbus` the CRC-16/MODBUS is as good as the standard's check.
    init(
        _ bytes: Span<UInt8>,
        at start: Int,
        crc: CRC16,
        takesModbus: Bool
    ) throws(HJ212Error) {
        guard start + 2 <= bytes.count, bytes[start] == UInt8(ascii: "#"), bytes[start + 1] == UInt8(ascii: "#") else {
            throw HJ212Error(offset: start, message: "a packet of HJ 212 begins with ##")
        }
        guard start + 6 <= bytes.count, let length = Self.number(bytes, start + 2..<start + 6) else {
            throw HJ212Error(offset: start + 2, message: "four decimal digits of length follow ##")
        }
        let data = start + 6..<start + 6 + length
        guard data.upperBound + 4 <= bytes.count else {
            throw HJ212Error(
                offset: bytes.count,
                message: "\(length) bytes of data and a CRC of 4 are announced, \(bytes.count - start - 6) bytes follow"
            )
        }
        var sent: UInt16 = 0
        for index in data.upperBound..<data.upperBound + 4 {
            guard let digit = HexText.digit(bytes[index]) else {
                throw HJ212Error(
                    offset: index,
                    message:
                        "the CRC is four hexadecimal digits behind the \(length) bytes of data; is the length right?"
                )
            }
            sent = sent << 4 | UInt16(digit)
        }
        let check = crc.hj212(bytes, data)
        if sent != check {
            let isModbus = sent == crc.modbus(bytes, data)
            guard isModbus, takesModbus else {
                let shown = HexText.text(UInt64(sent), digits: 4)
                let right = HexText.text(UInt64(check), digits: 4)
                let advice =
                    isModbus
                    ? "; it is the CRC-16/MODBUS: correct the firmware, or allow it in the model (hj212: { check: modbus })"
                    : ""
                throw HJ212Error(
                    offset: data.upperBound,
                    message: "the CRC \(shown) is not that of the data, \(right)\(advice)"
                )
            }
        }
        var end = data.upperBound + 4
        while end < bytes.count, bytes[end] == 0x0D || bytes[end] == 0x0A { end += 1 }
        self.extent = start..<end
        try self.fields(bytes, data)
    }

    /// The fields before CP, in any order.
    private mutating func fields(_ bytes: Span<UInt8>, _ data: Range<Int>) throws(HJ212Error) {
        var position = data.lowerBound
        while position < data.upperBound {
            let start = position
            while position < data.upperBound, bytes[position] != UInt8(ascii: "=") { position += 1 }
            let name = start..<position
            position = min(position + 1, data.upperBound)
            if Self.isSame("CP", name, bytes) {
                try self.content(bytes, position..<data.upperBound)
                return
            }
            let valueStart = position
            while position < data.upperBound, bytes[position] != UInt8(ascii: ";") { position += 1 }
            let value = valueStart..<position
            position = min(position + 1, data.upperBound)
            if Self.isSame("QN", name, bytes) {
                self.request = value
            } else if Self.isSame("MN", name, bytes) {
                self.station = value
            } else if Self.isSame("ST", name, bytes) {
                self.system = Self.number(bytes, value) ?? 0
            } else if Self.isSame("CN", name, bytes) {
                self.command = Self.number(bytes, value) ?? 0
            } else if Self.isSame("PNUM", name, bytes) {
                self.total = Self.number(bytes, value) ?? 1
            } else if Self.isSame("PNO", name, bytes) {
                self.number = Self.number(bytes, value) ?? 1
            }
        }
        throw HJ212Error(offset: data.upperBound, message: "the data has no CP=&&…&&")
    }

    private mutating func content(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(HJ212Error) {
        guard range.count >= 4, Self.isMark(bytes, range.lowerBound), Self.isMark(bytes, range.upperBound - 2) else {
            throw HJ212Error(offset: range.lowerBound, message: "the content stands between && and && behind CP=")
        }
        self.content = range.lowerBound + 2..<range.upperBound - 2
    }

    private static func isMark(_ bytes: Span<UInt8>, _ index: Int) -> Bool {
        bytes[index] == UInt8(ascii: "&") && bytes[index + 1] == UInt8(ascii: "&")
    }

    /// At most nine decimal digits.
    static func number(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
        guard (1...9).contains(range.count) else { return nil }
        var number = 0
        for index in range {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            number = number * 10 + Int(digit)
        }
        return number
    }

    static func isSame(_ name: StaticString, _ range: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
        guard name.utf8CodeUnitCount == range.count else { return false }
        return name.withUTF8Buffer { known in
            for (offset, index) in range.enumerated() where known[offset] != bytes[index] { return false }
            return true
        }
    }
}
