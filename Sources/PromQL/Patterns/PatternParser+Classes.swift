// poyang
// SPDX-License-Identifier: Apache-2.0

extension PatternParser {
    mutating func escape() throws(PromQLError) -> PatternNode {
        let start = self.index
        switch self.peek(1) {
        case "A": return self.assertion(.textStart)
        case "z": return self.assertion(.textEnd)
        case "b": return self.assertion(.wordBoundary)
        case "B": return self.assertion(.noWordBoundary)
        default: break
        }
        if let set = try self.escapedClass() { return .set(set) }
        guard let scalar = try self.escapedScalar() else {
            throw self.failure("invalid escape sequence", self.text(from: start))
        }
        return .set(self.literal(scalar))
    }

    private mutating func assertion(_ assertion: PatternAssertion) -> PatternNode {
        self.index += 2
        return .assertion(assertion)
    }

    private static let digits = ScalarSet(ranges: [0x30...0x39])
    private static let blanks = ScalarSet(ranges: [9...10, 12...13, 32...32])
    private static let words = ScalarSet(ranges: [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])

    /// Reads `\d \D \s \S \w \W \pL \p{Lu} \P{…} \p{Han}`.
    private mutating func escapedClass() throws(PromQLError) -> ScalarSet? {
        guard self.peek() == "\\", let kind = self.peek(1) else { return nil }
        var set: ScalarSet
        switch kind {
        case "d", "D": set = Self.digits
        case "s", "S": set = Self.blanks
        case "w", "W": set = Self.words
        case "p", "P": return try self.unicodeClass(isNegated: kind == "P")
        default: return nil
        }
        self.index += 2
        set.isNegated = kind.properties.isUppercase
        return set
    }

    private mutating func unicodeClass(isNegated: Bool) throws(PromQLError) -> ScalarSet {
        let start = self.index
        self.index += 2
        var name = ""
        if self.take("{") {
            while let scalar = self.peek(), scalar != "}" {
                name.unicodeScalars.append(scalar)
                self.index += 1
            }
            guard self.take("}") else {
                throw self.failure("invalid character class range", self.text(from: start))
            }
        } else if let scalar = self.peek() {
            name.unicodeScalars.append(scalar)
            self.index += 1
        }
        var isNegated = isNegated
        if name.hasPrefix("^") {
            name.removeFirst()
            isNegated.toggle()
        }
        var set = ScalarSet()
        switch name {
        case "Any": set = .any
        case "Han":
            let ranges: [ClosedRange<UInt32>] = [
                0x2E80...0x2FD5, 0x3005...0x3005, 0x3007...0x3007, 0x3021...0x3029, 0x3038...0x303B,
                0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAD9, 0x20000...0x323AF,
            ]
            set = ScalarSet(ranges: ranges)
        case let category where Self.isCategory(category): set.insert(.category(category, isNegated: false))
        default:
            throw self.failure("invalid character class range", self.text(from: start))
        }
        set.isNegated = isNegated
        return set
    }

    private static func isCategory(_ name: String) -> Bool {
        let known = [
            "C", "Cc", "Cf", "Co", "Cs", "L", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd", "Nl",
            "No", "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl", "Zp", "Zs",
        ]
        return known.contains(name)
    }

    /// A backslash and what stands for one scalar; nil where that is none of RE2's escapes.
    private mutating func escapedScalar() throws(PromQLError) -> Unicode.Scalar? {
        let start = self.index
        self.index += 1
        guard let scalar = self.peek() else {
            throw PromQLError(.syntax, "trailing backslash at end of expression: ``")
        }
        self.index += 1
        switch scalar {
        case "a": return Unicode.Scalar(7)
        case "f": return Unicode.Scalar(12)
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "v": return Unicode.Scalar(11)
        case "x": return try self.hexScalar(from: start)
        case "0"..."7":
            var code = scalar.value - 48
            if scalar != "0" {
                guard let next = self.peek(), ("0"..."7").contains(next) else { return nil }
            }
            for _ in 0..<2 {
                guard let next = self.peek(), ("0"..."7").contains(next) else { break }
                code = code * 8 + next.value - 48
                self.index += 1
            }
            return Unicode.Scalar(code)
        default:
            let isWord = scalar.value < 128 && (UInt8(scalar.value).isNameStart || UInt8(scalar.value).isDigit)
            return scalar.value < 128 && (!isWord || scalar == "_") ? scalar : nil
        }
    }

    /// Reads `\x41` or `\x{1F30A}`.
    private mutating func hexScalar(from start: Int) throws(PromQLError) -> Unicode.Scalar? {
        let isBraced = self.take("{")
        var digits = ""
        while let scalar = self.peek(), digits.utf8.count < (isBraced ? 8 : 2), scalar.properties.isASCIIHexDigit {
            digits.unicodeScalars.append(scalar)
            self.index += 1
        }
        if isBraced {
            guard self.take("}") else { return nil }
        } else if digits.utf8.count != 2 {
            return nil
        }
        return UInt32(digits, radix: 16).flatMap { Unicode.Scalar($0) }
    }

    /// Reads `[a-z\d[:alpha:]]`.
    mutating func bracketed() throws(PromQLError) -> ScalarSet {
        let start = self.index
        self.index += 1
        let isNegated = self.take("^")
        var set = ScalarSet()
        var ranges: [ClosedRange<UInt32>] = []
        var isFirst = true
        while isFirst || self.peek() != "]" {
            isFirst = false
            guard self.peek() != nil else { throw self.failure("missing closing ]", self.text(from: start)) }
            if self.peek() == "[", self.peek(1) == ":" {
                set.insert(.complement(try self.namedClass()))
                continue
            }
            if let escaped = try self.escapedClass() {
                var complement = escaped
                complement.isNegated.toggle()
                set.insert(.complement(complement))
                continue
            }
            let rangeStart = self.index
            let first = try self.classScalar(from: start)
            var last = first
            if self.peek() == "-", let next = self.peek(1), next != "]" {
                self.index += 1
                last = try self.classScalar(from: start)
            }
            guard first <= last else {
                throw self.failure("invalid character class range", self.text(from: rangeStart))
            }
            ranges.append(first.value...last.value)
        }
        self.index += 1
        set.insert(ranges)
        if self.flags.ignoresCase { set = set.ignoringCase(&self.otherCases) }
        set.isNegated = isNegated
        return set
    }

    private mutating func classScalar(from start: Int) throws(PromQLError) -> Unicode.Scalar {
        guard let scalar = self.peek() else { throw self.failure("missing closing ]", self.text(from: start)) }
        guard scalar == "\\" else {
            self.index += 1
            return scalar
        }
        let escapeStart = self.index
        guard let escaped = try self.escapedScalar() else {
            throw self.failure("invalid escape sequence", self.text(from: escapeStart))
        }
        return escaped
    }

    /// `[:alpha:]` or `[:^alpha:]`, as the complement of what it stands for.
    private mutating func namedClass() throws(PromQLError) -> ScalarSet {
        let start = self.index
        self.index += 2
        let isNegated = self.take("^")
        let nameStart = self.index
        while let scalar = self.peek(), scalar.properties.isAlphabetic { self.index += 1 }
        let name = self.text(from: nameStart)
        let ranges: [ClosedRange<UInt32>]? =
            switch name {
            case "alnum": [48...57, 65...90, 97...122]
            case "alpha": [65...90, 97...122]
            case "ascii": [0...127]
            case "blank": [9...9, 32...32]
            case "cntrl": [0...31, 127...127]
            case "digit": [48...57]
            case "graph": [33...126]
            case "lower": [97...122]
            case "print": [32...126]
            case "punct": [33...47, 58...64, 91...96, 123...126]
            case "space": [9...13, 32...32]
            case "upper": [65...90]
            case "word": [48...57, 65...90, 95...95, 97...122]
            case "xdigit": [48...57, 65...70, 97...102]
            default: nil
            }
        guard let ranges, self.take(":]") else {
            throw self.failure("invalid character class range", self.text(from: start))
        }
        var set = ScalarSet(ranges: ranges)
        set.isNegated = !isNegated
        return set
    }
}
