// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Cuts query text into tokens.
struct Lexer {
    let bytes: [UInt8]
    private var offset = 0
    /// Inside `{…}` a colon is no part of a name.
    private var braceDepth = 0
    private var bracketDepth = 0

    var isInBraces: Bool { self.braceDepth > 0 }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    static func tokens(of bytes: [UInt8]) throws(PromQLError) -> [Token] {
        var lexer = Lexer(bytes: bytes)
        var tokens: [Token] = []
        while true {
            let token = try lexer.next()
            tokens.append(token)
            if token.kind == .end { return tokens }
        }
    }

    private func peek(_ distance: Int = 0) -> UInt8 {
        let index = self.offset + distance
        return index < self.bytes.count ? self.bytes[index] : 0
    }

    private func text(from start: Int) -> String {
        String(decoding: self.bytes[start..<self.offset], as: UTF8.self)
    }

    func failure(_ message: String, at offset: Int, hint: String? = nil) -> PromQLError {
        let position = PromQLError.Position(offset: offset, in: self.bytes)
        return PromQLError(.syntax, message.shortened, position: position, hint: hint)
    }

    private mutating func skipBlanksAndComments() {
        while self.offset < self.bytes.count {
            switch self.bytes[self.offset] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): self.offset += 1
            case UInt8(ascii: "#"):
                while self.offset < self.bytes.count, self.bytes[self.offset] != UInt8(ascii: "\n") { self.offset += 1 }
            default: return
            }
        }
    }

    private mutating func next() throws(PromQLError) -> Token {
        self.skipBlanksAndComments()
        let start = self.offset
        guard start < self.bytes.count else { return Token(kind: .end, start: start, end: start) }
        let kind = try self.kind(startingWith: self.bytes[start])
        return Token(kind: kind, start: start, end: self.offset)
    }

    private mutating func kind(startingWith byte: UInt8) throws(PromQLError) -> Token.Kind {
        let start = self.offset
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"):
            return .string(try self.string(quote: byte))
        case _ where byte.isDigit, UInt8(ascii: ".") where self.peek(1).isDigit:
            return try self.number()
        case _ where byte.isNameStart, UInt8(ascii: ":") where self.bracketDepth == 0 && self.braceDepth == 0:
            while self.peek().isNameStart || self.peek().isDigit
                || (self.peek() == UInt8(ascii: ":") && self.bracketDepth == 0 && self.braceDepth == 0)
            {
                self.offset += 1
            }
            return .identifier(self.text(from: start))
        default:
            return .symbol(try self.symbol(startingWith: byte))
        }
    }

    private mutating func symbol(startingWith byte: UInt8) throws(PromQLError) -> String {
        let start = self.offset
        let second = self.peek(1)
        let isPair =
            switch (byte, second) {
            case (UInt8(ascii: "="), UInt8(ascii: "=")), (UInt8(ascii: "="), UInt8(ascii: "~")),
                (UInt8(ascii: "!"), UInt8(ascii: "=")), (UInt8(ascii: "!"), UInt8(ascii: "~")),
                (UInt8(ascii: ">"), UInt8(ascii: "=")), (UInt8(ascii: "<"), UInt8(ascii: "=")):
                true
            default: false
            }
        self.offset += isPair ? 2 : 1
        switch byte {
        case UInt8(ascii: "{"): self.braceDepth += 1
        case UInt8(ascii: "}"): self.braceDepth = max(0, self.braceDepth - 1)
        case UInt8(ascii: "["): self.bracketDepth += 1
        case UInt8(ascii: "]"): self.bracketDepth = max(0, self.bracketDepth - 1)
        case UInt8(ascii: "!") where !isPair:
            throw self.failure("unexpected character after \"!\"", at: start, hint: "write != or !~")
        case UInt8(ascii: "="), UInt8(ascii: "!"), UInt8(ascii: ">"), UInt8(ascii: "<"), UInt8(ascii: "("),
            UInt8(ascii: ")"), UInt8(ascii: ","), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "*"),
            UInt8(ascii: "/"), UInt8(ascii: "%"), UInt8(ascii: "^"), UInt8(ascii: "@"), UInt8(ascii: ":"):
            break
        default:
            throw self.unexpectedCharacter(at: start)
        }
        return self.text(from: start)
    }

    /// A number, or a duration such as `1h30m`.
    private mutating func number() throws(PromQLError) -> Token.Kind {
        let start = self.offset
        if self.peek() == UInt8(ascii: "0"), self.peek(1) | 0x20 == UInt8(ascii: "x") {
            self.offset += 2
            while self.peek().isHexDigit { self.offset += 1 }
            guard let value = UInt64(self.text(from: start).dropFirst(2), radix: 16), !self.peek().isNameStart else {
                throw self.failure("bad number or duration syntax: \"\(self.text(from: start))\"", at: start)
            }
            return .number(Double(value))
        }
        self.skipDigits()
        if self.peek().isUnitStart, self.bytes[start..<self.offset].allSatisfy(\.isDigit) {
            while self.peek().isDigit || self.peek().isNameStart { self.offset += 1 }
            guard let span = PrometheusDuration.parse(self.text(from: start)) else {
                throw self.failure(
                    "bad number or duration syntax: \"\(self.text(from: start))\"",
                    at: start,
                    hint: "units are y w d h m s ms, the larger first, as in 1h30m"
                )
            }
            guard Double(span) / 1000 < SpanFormula.longest else {
                throw self.failure("duration out of range: \"\(self.text(from: start))\"", at: start)
            }
            return .duration(span)
        }
        if self.peek() == UInt8(ascii: ".") {
            self.offset += 1
            self.skipDigits()
        }
        if self.peek() | 0x20 == UInt8(ascii: "e") {
            let sign = self.peek(1) == UInt8(ascii: "+") || self.peek(1) == UInt8(ascii: "-")
            if self.peek(sign ? 2 : 1).isDigit {
                self.offset += sign ? 2 : 1
                self.skipDigits()
            }
        }
        let text = self.text(from: start).filter { $0 != "_" }
        guard !self.peek().isNameStart, let value = Double(text.hasSuffix(".") ? text + "0" : text) else {
            while self.peek().isDigit || self.peek().isNameStart { self.offset += 1 }
            throw self.failure("bad number or duration syntax: \"\(self.text(from: start))\"", at: start)
        }
        guard value.isFinite else { throw self.failure("number out of range: \"\(text.prefix(40))\"", at: start) }
        return .number(value)
    }

    private mutating func skipDigits() {
        while self.peek().isDigit || (self.peek() == UInt8(ascii: "_") && self.peek(1).isDigit) { self.offset += 1 }
    }

    private mutating func string(quote: UInt8) throws(PromQLError) -> String {
        let start = self.offset
        self.offset += 1
        var content: [UInt8] = []
        while self.offset < self.bytes.count {
            let byte = self.bytes[self.offset]
            self.offset += 1
            if byte == quote { return String(decoding: content, as: UTF8.self) }
            if quote == UInt8(ascii: "`") {
                content.append(byte)
            } else if byte == UInt8(ascii: "\\") {
                try self.escape(into: &content, quote: quote)
            } else if byte == UInt8(ascii: "\n") {
                break
            } else {
                content.append(byte)
            }
        }
        throw self.failure(
            "unterminated quoted string",
            at: start,
            hint: "close it with \(Character(Unicode.Scalar(quote)))"
        )
    }

    /// Go's escapes: `\a \b \f \n \r \t \v \\ \' \" \ooo \xhh \uhhhh \Uhhhhhhhh`.
    private mutating func escape(into content: inout [UInt8], quote: UInt8) throws(PromQLError) {
        let start = self.offset - 1
        let byte = self.peek()
        self.offset += 1
        switch byte {
        case UInt8(ascii: "a"): content.append(7)
        case UInt8(ascii: "b"): content.append(8)
        case UInt8(ascii: "f"): content.append(12)
        case UInt8(ascii: "n"): content.append(10)
        case UInt8(ascii: "r"): content.append(13)
        case UInt8(ascii: "t"): content.append(9)
        case UInt8(ascii: "v"): content.append(11)
        case UInt8(ascii: "\\"), quote: content.append(byte)
        case UInt8(ascii: "x"):
            content.append(UInt8(truncatingIfNeeded: try self.code(digits: 2, radix: 16, from: start)))
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            self.offset -= 1
            content.append(UInt8(truncatingIfNeeded: try self.code(digits: 3, radix: 8, from: start)))
        case UInt8(ascii: "u"), UInt8(ascii: "U"):
            let code = try self.code(digits: byte == UInt8(ascii: "u") ? 4 : 8, radix: 16, from: start)
            guard let scalar = Unicode.Scalar(code) else {
                throw self.failure("escape sequence is an invalid Unicode code point", at: start)
            }
            content.append(contentsOf: Array(String(Character(scalar)).utf8))
        default:
            throw self.failure("unknown escape sequence in string", at: start, hint: "write \\\\ for a backslash")
        }
    }

    private mutating func code(digits: Int, radix: Int, from start: Int) throws(PromQLError) -> UInt32 {
        let text = String(decoding: self.bytes[self.offset...].prefix(digits), as: UTF8.self)
        guard text.utf8.count == digits, let code = UInt32(text, radix: radix), text.first != "+" else {
            throw self.failure("illegal character in escape sequence", at: start)
        }
        self.offset += digits
        return code
    }
}

extension String {
    /// Without its middle, where it is too long to be read: a name in a message may have a megabyte.
    var shortened: String {
        guard self.unicodeScalars.count > 400 else { return self }
        return String(self.unicodeScalars.prefix(200)) + "…" + String(self.unicodeScalars.suffix(100))
    }
}

extension UInt8 {
    var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }
    var isHexDigit: Bool { self.isDigit || (self | 0x20 >= UInt8(ascii: "a") && self | 0x20 <= UInt8(ascii: "f")) }
    var isLetter: Bool { self | 0x20 >= UInt8(ascii: "a") && self | 0x20 <= UInt8(ascii: "z") }
    var isNameStart: Bool { self.isLetter || self == UInt8(ascii: "_") }

    fileprivate var isUnitStart: Bool {
        switch self {
        case UInt8(ascii: "y"), UInt8(ascii: "w"), UInt8(ascii: "d"), UInt8(ascii: "h"), UInt8(ascii: "m"),
            UInt8(ascii: "s"):
            true
        default: false
        }
    }
}
