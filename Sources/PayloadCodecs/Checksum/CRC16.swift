// poyang
// SPDX-License-Identifier: Apache-2.0

/// The two cyclic redundancy checks of field protocols, both over the polynomial x¹⁶+x¹⁵+x²+1 (A001 reflected), both
/// begun at FFFF.
///
/// They differ in where a byte enters: ``modbus(_:_:)`` mixes it with the low byte of the remainder, ``hj212(_:_:)`` with
/// what is left of the high one (HJ 212-2017, appendix A). Eight shifts of the mixed byte are the same in both, hence one
/// table.
struct CRC16: Sendable {
    /// 256 remainders of one byte, then those of the byte followed by 1, 2, … 7 zero bytes.
    private let remainders: [UInt16]

    init() {
        var remainders: [UInt16] = []
        remainders.reserveCapacity(8 * 256)
        for byte in 0..<256 {
            var remainder = UInt16(byte)
            for _ in 0..<8 { remainder = remainder & 1 == 1 ? remainder >> 1 ^ 0xA001 : remainder >> 1 }
            remainders.append(remainder)
        }
        for index in 256..<8 * 256 {
            let shorter = remainders[index - 256]
            remainders.append(shorter >> 8 ^ remainders[Int(shorter & 0xFF)])
        }
        self.remainders = remainders
    }

    /// CRC-16/MODBUS, as SL 651 and many meters use it; eight bytes a step.
    func modbus(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt16 {
        let table = self.remainders.span
        var crc: UInt16 = 0xFFFF
        var index = range.lowerBound
        while index + 8 <= range.upperBound {
            let first = Int(crc & 0xFF) ^ Int(bytes[index])
            let second = Int(crc >> 8) ^ Int(bytes[index + 1])
            crc =
                table[7 * 256 + first] ^ table[6 * 256 + second] ^ table[5 * 256 + Int(bytes[index + 2])]
                ^ table[4 * 256 + Int(bytes[index + 3])] ^ table[3 * 256 + Int(bytes[index + 4])]
                ^ table[2 * 256 + Int(bytes[index + 5])] ^ table[256 + Int(bytes[index + 6])]
                ^ table[Int(bytes[index + 7])]
            index += 8
        }
        while index < range.upperBound {
            crc = crc >> 8 ^ table[Int(crc & 0xFF) ^ Int(bytes[index])]
            index += 1
        }
        return crc
    }

    /// The check of HJ 212: `crc = (crc >> 8) ^ byte`, then eight shifts.
    func hj212(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt16 {
        let table = self.remainders.span
        var crc: UInt16 = 0xFFFF
        for index in range { crc = table[Int(crc >> 8) ^ Int(bytes[index])] }
        return crc
    }
}
