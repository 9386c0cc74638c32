// poyang
// SPDX-License-Identifier: Apache-2.0

/// The text of JSON strings that hold escapes.
enum JSONText {
    /// The text between two quotation marks whose escapes the scanner has found well formed.
    ///
    /// - Returns: `nil` when it is not UTF-8, or when half a surrogate pair stands alone.
    static func unescape(_ range: Range<Int>, _ bytes: Span<UInt8>) -> String? {
        var units: [UInt8] = []
        units.reserveCapacity(range.count)
        var index = range.lowerBound
        while index < range.upperBound {
            guard bytes[index] == UInt8(ascii: "\\"), index + 1 < range.upperBound else {
                units.append(bytes[index])
                index += 1
                continue
            }
            switch bytes[index + 1] {
            case UInt8(ascii: "b"): units.append(0x08)
            case UInt8(ascii: "f"): units.append(0x0C)
            case UInt8(ascii: "n"): units.append(0x0A)
            case UInt8(ascii: "r"): units.append(0x0D)
            case UInt8(ascii: "t"): units.append(0x09)
            case UInt8(ascii: "u"):
                guard let (scalar, length) = self.scalar(at: index, in: range, bytes) else { return nil }
                units.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
                index += length - 2
            default: units.append(bytes[index + 1])
            }
            index += 2
        }
        return String(validating: units, as: UTF8.self)
    }

    /// Four hexadecimal digits.
    static func hex(_ bytes: Span<UInt8>, at start: Int) -> UInt32? {
        guard start + 4 <= bytes.count else { return nil }
        var number: UInt32 = 0
        for index in start..<start + 4 {
            guard let digit = HexText.digit(bytes[index]) else { return nil }
            number = number << 4 | UInt32(digit)
        }
        return number
    }

    /// One `\uXXXX`, or two that are a surrogate pair, and how many bytes they take.
    private static func scalar(
        at index: Int,
        in range: Range<Int>,
        _ bytes: Span<UInt8>
    ) -> (Unicode.Scalar, Int)? {
        guard let high = self.hex(bytes, at: index + 2) else { return nil }
        if let scalar = Unicode.Scalar(high) { return (scalar, 6) }
        guard (0xD800..<0xDC00).contains(high), index + 12 <= range.upperBound,
            bytes[index + 6] == UInt8(ascii: "\\"), bytes[index + 7] == UInt8(ascii: "u"),
            let low = self.hex(bytes, at: index + 8), (0xDC00..<0xE000).contains(low),
            let scalar = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
        else { return nil }
        return (scalar, 12)
    }
}
