// poyang
// SPDX-License-Identifier: Apache-2.0

/// Bytes written as hexadecimal digits.
enum HexText {
    static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    /// A number in upper case with leading zeros.
    static func text(_ number: UInt64, digits: Int) -> String {
        let text = String(number, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }

    /// Reads pairs of digits into `output`, which is emptied first; white space between pairs is passed over.
    ///
    /// - Returns: False when a byte is neither, or half a pair is left.
    static func read(_ text: Span<UInt8>, into output: inout [UInt8]) -> Bool {
        output.removeAll(keepingCapacity: true)
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte == 0x20 || (0x09...0x0D).contains(byte) {
                index += 1
                continue
            }
            guard let high = self.digit(byte), index + 1 < text.count, let low = self.digit(text[index + 1]) else {
                return false
            }
            output.append(high << 4 | low)
            index += 2
        }
        return true
    }
}
