// poyang
// SPDX-License-Identifier: Apache-2.0

/// What stands where a reading's value should be.
enum NativeValue {
    case number(Double)
    /// It is JSON, or nearly, but no number; with words for the device's engineer.
    case notANumber(String)

    /// Scans one value.
    init(_ scanner: inout JSONScanner, _ bytes: Span<UInt8>, depth: Int) throws(JSONError) {
        switch scanner.peek(bytes) ?? 0 {
        case UInt8(ascii: "-") where Self.isWord(bytes, at: scanner.position + 1):
            scanner.advance()
            _ = try scanner.word(bytes)
            self = .notANumber("-Infinity is not a number; leave the value out while there is none")
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            let number = try scanner.number(bytes)
            self = number.isFinite ? .number(number) : .notANumber("the number is beyond what a double can hold")
        case UInt8(ascii: "\""):
            let (range, isEscaped) = try scanner.string(bytes)
            let text = isEscaped || range.count > 32 ? nil : JSONText.unescape(range, bytes)
            let shown = text.map { "the text \"\($0)\"" } ?? "a text"
            self = .notANumber("\(shown) where a number is expected; send it without quotation marks")
        case UInt8(ascii: "{"):
            try scanner.skipValue(bytes, depth: depth)
            self = .notANumber("an object where a number is expected; values cannot be nested")
        case UInt8(ascii: "["):
            try scanner.skipValue(bytes, depth: depth)
            self = .notANumber(
                "a list where a number is expected; send one message, or one object of an array, for each"
            )
        default:
            switch try scanner.word(bytes) {
            case .yes: self = .number(1)
            case .no: self = .number(0)
            case .null: self = .notANumber("null is not a number; leave the value out while there is none")
            case .notANumber: self = .notANumber("NaN is not a number; leave the value out while there is none")
            case .infinity: self = .notANumber("Infinity is not a number; leave the value out while there is none")
            }
        }
    }

    private static func isWord(_ bytes: Span<UInt8>, at index: Int) -> Bool {
        guard index < bytes.count else { return false }
        let lower = bytes[index] | 0x20
        return lower == UInt8(ascii: "i") || lower == UInt8(ascii: "n")
    }
}
