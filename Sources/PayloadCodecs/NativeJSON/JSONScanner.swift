// poyang
// SPDX-License-Identifier: Apache-2.0

/// Where JSON text stops being JSON, and what would have been right there.
struct JSONError: Error {
    /// Offset of the first byte that could not be used.
    let offset: Int
    let message: String
}

/// A cursor over JSON text (RFC 8259) that makes no tree.
///
/// The bytes are passed to each step instead of being stored, so that the cursor borrows nothing.
struct JSONScanner {
    /// Objects and arrays inside one another, at most.
    static let depthLimit = 32

    private(set) var position = 0

    /// A scanner that begins at `position`.
    init(at position: Int = 0) {
        self.position = position
    }

    /// Passes over white space and gives the byte after it; nil at the end.
    mutating func peek(_ bytes: Span<UInt8>) -> UInt8? {
        while self.position < bytes.count {
            let byte = bytes[self.position]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
            self.position += 1
        }
        return nil
    }

    /// Takes `byte` after white space, if it is there.
    mutating func take(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool {
        guard self.peek(bytes) == byte else { return false }
        self.position += 1
        return true
    }

    mutating func expect(_ byte: UInt8, _ what: String, _ bytes: Span<UInt8>) throws(JSONError) {
        guard self.take(byte, bytes) else { throw self.unexpected(bytes, expected: what) }
    }

    /// After a member or an element: true when another follows, false at the closing byte.
    mutating func hasNext(before closing: UInt8, _ bytes: Span<UInt8>) throws(JSONError) -> Bool {
        if self.take(UInt8(ascii: ","), bytes) { return true }
        if self.take(closing, bytes) { return false }
        throw self.unexpected(bytes, expected: "',' or '\(Character(Unicode.Scalar(closing)))'")
    }

    /// Reads a quoted text and gives the range between its quotation marks.
    ///
    /// - Returns: Whether escapes are in it, so that the range is not yet the text.
    mutating func string(_ bytes: Span<UInt8>) throws(JSONError) -> (range: Range<Int>, isEscaped: Bool) {
        try self.expect(UInt8(ascii: "\""), "a name or text in quotation marks", bytes)
        let start = self.position
        var isEscaped = false
        while self.position < bytes.count {
            let byte = bytes[self.position]
            if byte == UInt8(ascii: "\"") {
                self.position += 1
                return (start..<(self.position - 1), isEscaped)
            }
            guard byte >= 0x20 else {
                throw JSONError(offset: self.position, message: "a control character must be written as \\u00XX")
            }
            if byte == UInt8(ascii: "\\") {
                isEscaped = true
                try self.escape(bytes)
            } else {
                self.position += 1
            }
        }
        throw JSONError(offset: bytes.count, message: "the text that begins at byte \(start - 1) does not end")
    }

    /// Passes over any value.
    mutating func skipValue(_ bytes: Span<UInt8>, depth: Int) throws(JSONError) {
        guard depth <= Self.depthLimit else {
            throw JSONError(offset: self.position, message: "more than \(Self.depthLimit) levels deep")
        }
        switch self.peek(bytes) ?? 0 {
        case UInt8(ascii: "{"):
            self.position += 1
            if self.take(UInt8(ascii: "}"), bytes) { return }
            repeat {
                _ = try self.string(bytes)
                try self.expect(UInt8(ascii: ":"), "':'", bytes)
                try self.skipValue(bytes, depth: depth + 1)
            } while try self.hasNext(before: UInt8(ascii: "}"), bytes)
        case UInt8(ascii: "["):
            self.position += 1
            if self.take(UInt8(ascii: "]"), bytes) { return }
            repeat {
                try self.skipValue(bytes, depth: depth + 1)
            } while try self.hasNext(before: UInt8(ascii: "]"), bytes)
        case UInt8(ascii: "\""):
            _ = try self.string(bytes)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            _ = try self.number(bytes)
        default:
            _ = try self.word(bytes)
        }
    }

    /// The bare words that stand for a value; the last two are not JSON but are sent.
    enum Word {
        case yes
        case no
        case null
        case notANumber
        case infinity
    }

    /// Reads `true`, `false`, `null`, or what firmware prints for a float that is none: `NaN`, `inf`, `Infinity`.
    mutating func word(_ bytes: Span<UInt8>) throws(JSONError) -> Word {
        _ = self.peek(bytes)
        let start = self.position
        var end = start
        var letters: UInt64 = 0
        var isLower = true
        while end < bytes.count, end - start < 9 {
            let lower = bytes[end] | 0x20
            guard lower >= UInt8(ascii: "a"), lower <= UInt8(ascii: "z") else { break }
            letters = letters << 8 | UInt64(lower)
            isLower = isLower && bytes[end] == lower
            end += 1
        }
        let word: Word
        switch letters {
        case 0x7472_7565 where isLower: word = .yes
        case 0x66_616C_7365 where isLower: word = .no
        case 0x6E75_6C6C where isLower: word = .null
        case 0x6E_616E: word = .notANumber
        case 0x69_6E66, 0x696E_6669_6E69_7479: word = .infinity
        default: throw self.unexpected(bytes, expected: "a value")
        }
        self.position = end
        return word
    }

    /// Moves past a byte that ``peek(_:)`` has shown.
    mutating func advance(by count: Int = 1) {
        self.position += count
    }

    func unexpected(_ bytes: Span<UInt8>, expected: String) -> JSONError {
        guard self.position < bytes.count else {
            return JSONError(offset: bytes.count, message: "expected \(expected), but the payload ends here")
        }
        let byte = bytes[self.position]
        let found = (0x21...0x7E).contains(byte) ? "'\(Character(Unicode.Scalar(byte)))'" : "byte \(byte)"
        return JSONError(offset: self.position, message: "expected \(expected), found \(found)")
    }

    private mutating func escape(_ bytes: Span<UInt8>) throws(JSONError) {
        let start = self.position
        guard start + 1 < bytes.count else {
            throw JSONError(offset: bytes.count, message: "the payload ends inside a text")
        }
        switch bytes[start + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            self.position += 2
        case UInt8(ascii: "u"):
            guard start + 6 <= bytes.count, JSONText.hex(bytes, at: start + 2) != nil else {
                throw JSONError(offset: start, message: "\\u needs four hexadecimal digits")
            }
            self.position += 6
        default:
            throw JSONError(offset: start, message: "no such escape; write a backslash as \\\\")
        }
    }
}
