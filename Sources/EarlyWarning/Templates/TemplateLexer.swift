// poyang
// SPDX-License-Identifier: Apache-2.0

/// Takes a template apart into texts and the tokens of actions.
struct TemplateLexer {
    enum Kind: Equatable {
        /// `}}`
        case end
        case identifier(String)
        /// `$name` with its fields, without the dollar sign.
        case variable(String)
        /// `.a.b`; no names for the dot alone.
        case field([String])
        case text(String)
        case number(Double)
        case symbol(String)
    }

    struct Token {
        let kind: Kind
        let offset: Int
    }

    private let bytes: [UInt8]
    /// Bytes of UTF-8 before what is read next.
    private(set) var offset = 0
    private var opening = 0
    /// Whether the action before takes away the blanks after it.
    private var trims = false

    init(_ source: String) { self.bytes = Array(source.utf8) }

    /// The text up to the next action.
    mutating func text() -> String {
        var start = self.offset
        while self.offset < self.bytes.count, !self.stands("{{") { self.offset += 1 }
        var end = self.offset
        if self.trims { while start < end, Self.isBlank(self.bytes[start]) { start += 1 } }
        if self.stands("{{- ") || self.stands("{{-\n") {
            while start < end, Self.isBlank(self.bytes[end - 1]) { end -= 1 }
        }
        self.trims = false
        return String(decoding: self.bytes[start..<end], as: UTF8.self)
    }

    /// Goes past an action that stands here and is nothing but a comment; false where none does.
    mutating func comment() throws(TemplateError) -> Bool {
        let before = self
        if try self.open() {
            _ = self.word(Self.isBlank)
            if self.stands("/*"), try self.next().kind == .end { return true }
        }
        self = before
        return false
    }

    /// Goes into the action that stands here; false at the end of the text.
    mutating func open() throws(TemplateError) -> Bool {
        guard self.offset < self.bytes.count else { return false }
        self.opening = self.offset
        self.offset += 2
        if self.stands("- ") || self.stands("-\n") { self.offset += 1 }
        return true
    }

    mutating func next() throws(TemplateError) -> Token {
        while self.offset < self.bytes.count {
            if self.stands("/*") {
                while self.offset < self.bytes.count, !self.stands("*/") { self.offset += 1 }
                self.offset = min(self.offset + 2, self.bytes.count)
            } else if Self.isBlank(self.bytes[self.offset]), !self.stands(" -}}"), !self.stands("\n-}}") {
                self.offset += 1
            } else {
                return try self.token()
            }
        }
        throw self.failure("'{{' is not closed by '}}'", at: self.opening)
    }

    private mutating func token() throws(TemplateError) -> Token {
        let start = self.offset
        func token(_ kind: Kind) -> Token { Token(kind: kind, offset: start) }
        if self.stands("}}") || self.stands(" -}}") || self.stands("\n-}}") {
            self.trims = !self.stands("}}")
            self.offset += self.trims ? 4 : 2
            return token(.end)
        }
        let byte = self.bytes[start]
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "`"): return token(.text(try self.quoted()))
        case UInt8(ascii: "$"):
            self.offset += 1
            return token(.variable(self.word { Self.isLetter($0) || $0 == UInt8(ascii: ".") }))
        case UInt8(ascii: ".") where !self.isDigit(start + 1):
            self.offset += 1
            let names = self.word { Self.isLetter($0) || $0 == UInt8(ascii: ".") }
            return token(.field(names.split(separator: ".").map(String.init)))
        case UInt8(ascii: ":") where self.stands(":="):
            self.offset += 2
            return token(.symbol(":="))
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "|"), UInt8(ascii: ","), UInt8(ascii: "="):
            self.offset += 1
            return token(.symbol(String(decoding: [byte], as: UTF8.self)))
        default: break
        }
        let isNumber = self.isDigit(start) || "+-.".utf8.contains(byte) && self.offset + 1 < self.bytes.count
        let word = self.word { Self.isLetter($0) || "+-.".utf8.contains($0) && isNumber }
        if word.isEmpty { self.offset += 1 }
        if isNumber, let number = Double(word) { return token(.number(number)) }
        let shown = word.isEmpty ? String(decoding: self.bytes[start..<self.offset], as: UTF8.self) : word
        return token(.identifier(shown))
    }

    /// A text in double quotes with the escapes of Go, or in backquotes without any.
    private mutating func quoted() throws(TemplateError) -> String {
        let start = self.offset
        let quote = self.bytes[start]
        var content: [UInt8] = []
        self.offset += 1
        while self.offset < self.bytes.count {
            let byte = self.bytes[self.offset]
            self.offset += 1
            if byte == quote { return String(decoding: content, as: UTF8.self) }
            guard byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\""), self.offset < self.bytes.count else {
                content.append(byte)
                continue
            }
            let escaped = self.bytes[self.offset]
            self.offset += 1
            switch escaped {
            case UInt8(ascii: "n"): content.append(UInt8(ascii: "\n"))
            case UInt8(ascii: "t"): content.append(UInt8(ascii: "\t"))
            case UInt8(ascii: "\\"), UInt8(ascii: "\""): content.append(escaped)
            default: content += [byte, escaped]
            }
        }
        throw self.failure("a text is not closed by \(Character(Unicode.Scalar(quote)))", at: start)
    }

    private mutating func word(_ belongs: (UInt8) -> Bool) -> String {
        let start = self.offset
        while self.offset < self.bytes.count, belongs(self.bytes[self.offset]) { self.offset += 1 }
        return String(decoding: self.bytes[start..<self.offset], as: UTF8.self)
    }

    private func failure(_ message: String, at offset: Int) -> TemplateError {
        TemplateError(message: message, offset: offset)
    }

    private func stands(_ text: StaticString) -> Bool {
        let end = self.offset + text.utf8CodeUnitCount
        guard end <= self.bytes.count else { return false }
        return text.withUTF8Buffer { self.bytes[self.offset..<end].elementsEqual($0) }
    }

    private func isDigit(_ index: Int) -> Bool {
        index < self.bytes.count && (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self.bytes[index])
    }

    private static func isBlank(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }

    /// A letter of any script, a digit or `_`.
    private static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...0xFF:
            true
        default: false
        }
    }
}
