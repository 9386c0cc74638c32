// poyang
// SPDX-License-Identifier: Apache-2.0

/// Bytes written in base 64 (RFC 4648, sections 4 and 5).
enum Base64Text {
    /// Reads text of either alphabet into `output`, which is emptied first; the padding may be missing, and `/` may be
    /// escaped as JSON allows it.
    ///
    /// - Returns: False when it is no base 64.
    static func read(_ text: Span<UInt8>, _ range: Range<Int>, into output: inout [UInt8]) -> Bool {
        output.removeAll(keepingCapacity: true)
        var bits: UInt32 = 0
        var count = 0
        var padding = 0
        for index in range {
            let byte = text[index]
            if byte == UInt8(ascii: "=") {
                padding += 1
                continue
            }
            if byte == UInt8(ascii: "\\"), index + 1 < range.upperBound, text[index + 1] == UInt8(ascii: "/") {
                continue
            }
            guard padding == 0, let digit = self.digit(byte) else { return false }
            bits = bits << 6 | digit
            count += 1
            guard count == 4 else { continue }
            output.append(UInt8(truncatingIfNeeded: bits >> 16))
            output.append(UInt8(truncatingIfNeeded: bits >> 8))
            output.append(UInt8(truncatingIfNeeded: bits))
            count = 0
            bits = 0
        }
        switch count {
        case 0: return padding == 0
        case 2:
            output.append(UInt8(truncatingIfNeeded: bits >> 4))
            return padding == 0 || padding == 2
        case 3:
            output.append(UInt8(truncatingIfNeeded: bits >> 10))
            output.append(UInt8(truncatingIfNeeded: bits >> 2))
            return padding <= 1
        default: return false
        }
    }

    private static func digit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
