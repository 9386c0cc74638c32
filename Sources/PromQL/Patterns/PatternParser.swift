// poyang
// SPDX-License-Identifier: Apache-2.0

/// Reads regular expressions in RE2's syntax: no back-references, no look-around, so that matching takes linear time.
///
/// Source: https://github.com/google/re2/wiki/Syntax.
struct PatternParser {
    /// Nesting beyond this is refused.
    static let maximumDepth = 200
    /// As in RE2.
    static let maximumRepeat = 1000

    private struct Flags {
        var ignoresCase = false
        /// `^` and `$` also match at line breaks.
        var isMultiline = false
        /// `.` matches a line break; Prometheus sets it.
        var dotMatchesNewline = true
        /// `*` is lazy and `*?` greedy.
        var isUngreedy = false
    }

    private let scalars: [Unicode.Scalar]
    private var index = 0
    private var depth = 0
    private var flags = Flags()
    private(set) var groupNames: [String?] = []

    private init(_ text: String) {
        self.scalars = Array(text.unicodeScalars)
    }

    static func parse(_ text: String) throws(PromQLError) -> (node: PatternNode, groupNames: [String?]) {
        var parser = PatternParser(text)
        let node = try parser.alternatives()
        guard parser.index == parser.scalars.count else { throw parser.failure("unexpected )", text) }
        return (node, parser.groupNames)
    }

    private func failure(_ message: String, _ piece: String) -> PromQLError {
        PromQLError(.syntax, "\(message): `\(piece)`")
    }

    private func text(from start: Int) -> String {
        var result = String.UnicodeScalarView()
        result.append(contentsOf: self.scalars[start..<min(self.index, self.scalars.count)])
        return String(result)
    }

    private func peek(_ distance: Int = 0) -> Unicode.Scalar? {
        self.index + distance < self.scalars.count ? self.scalars[self.index + distance] : nil
    }

    private mutating func take(_ text: String) -> Bool {
        let wanted = Array(text.unicodeScalars)
        guard self.scalars[self.index...].starts(with: wanted) else { return false }
        self.index += wanted.count
        return true
    }

    private mutating func alternatives() throws(PromQLError) -> PatternNode {
        self.depth += 1
        defer { self.depth -= 1 }
        guard self.depth <= Self.maximumDepth else {
            throw PromQLError(.syntax, "expression nests too deeply")
        }
        let outerFlags = self.flags
        defer { self.flags = outerFlags }
        var branches = [try self.sequence()]
        while self.take("|") { branches.append(try self.sequence()) }
        return branches.count == 1 ? branches[0] : .alternatives(branches)
    }

    private mutating func sequence() throws(PromQLError) -> PatternNode {
        var nodes: [PatternNode] = []
        while let scalar = self.peek(), scalar != "|", scalar != ")" {
            let start = self.index
            if self.take("\\Q") {
                while self.index < self.scalars.count, !self.take("\\E") {
                    nodes.append(.set(self.literal(self.scalars[self.index])))
                    self.index += 1
                }
                continue
            }
            guard let atom = try self.atom() else { continue }
            nodes.append(try self.repetition(of: atom, from: start))
        }
        return nodes.count == 1 ? nodes[0] : nodes.isEmpty ? .empty : .sequence(nodes)
    }

    private func literal(_ scalar: Unicode.Scalar) -> ScalarSet {
        self.flags.ignoresCase ? ScalarSet(scalar).ignoringCase() : ScalarSet(scalar)
    }

    private mutating func repetition(of atom: PatternNode, from start: Int) throws(PromQLError) -> PatternNode {
        var node = atom
        var isRepeated = false
        while let (least, most) = try self.repeatCount() {
            if isRepeated { throw self.failure("invalid nested repetition operator", self.text(from: start)) }
            isRepeated = true
            let isLazy = self.take("?")
            node = .repeated(node, least: least, most: most, isGreedy: isLazy == self.flags.isUngreedy)
        }
        return node
    }

    private mutating func repeatCount() throws(PromQLError) -> (least: Int, most: Int?)? {
        switch self.peek() {
        case "*":
            self.index += 1
            return (0, nil)
        case "+":
            self.index += 1
            return (1, nil)
        case "?":
            self.index += 1
            return (0, 1)
        case "{": return try self.bracedCount()
        default: return nil
        }
    }

    /// `{2}`, `{2,}`, `{2,5}`; any other brace is a literal.
    private mutating func bracedCount() throws(PromQLError) -> (least: Int, most: Int?)? {
        let start = self.index
        self.index += 1
        guard let least = self.number() else {
            self.index = start
            return nil
        }
        var most: Int? = least
        if self.take(",") { most = self.peek() == "}" ? nil : self.number() ?? -1 }
        guard self.take("}"), most != -1 else {
            self.index = start
            return nil
        }
        guard least <= Self.maximumRepeat, most.map({ $0 <= Self.maximumRepeat && $0 >= least }) ?? true else {
            throw self.failure("invalid repeat count", self.text(from: start))
        }
        return (least, most)
    }

    private mutating func number() -> Int? {
        let start = self.index
        while let scalar = self.peek(), ("0"..."9").contains(scalar), self.index - start < 6 { self.index += 1 }
        return Int(self.text(from: start))
    }

    /// One thing that can be repeated; nil for flags, which stand for nothing.
    private mutating func atom() throws(PromQLError) -> PatternNode? {
        guard let scalar = self.peek() else { return nil }
        switch scalar {
        case "*", "+", "?": throw self.failure("missing argument to repetition operator", String(Character(scalar)))
        case "(": return try self.group()
        case "[": return .set(try self.bracketed())
        case "\\": return try self.escape()
        default: break
        }
        self.index += 1
        switch scalar {
        case ".":
            guard !self.flags.dotMatchesNewline else { return .set(.any) }
            return .set(ScalarSet(ranges: [(0, 9), (11, 0x10FFFF)]))
        case "^": return .assertion(self.flags.isMultiline ? .lineStart : .textStart)
        case "$": return .assertion(self.flags.isMultiline ? .lineEnd : .textEnd)
        default: return .set(self.literal(scalar))
        }
    }

    private mutating func group() throws(PromQLError) -> PatternNode? {
        let start = self.index
        let outer = self.flags
        var number: Int?
        self.index += 1
        if self.take("?P<") || self.take("?<") {
            let nameStart = self.index
            while self.peek() != nil, self.peek() != ">" { self.index += 1 }
            let name = self.text(from: nameStart)
            guard self.take(">"), !name.isEmpty, name.utf8.allSatisfy({ $0.isNameStart || $0.isDigit }),
                !self.groupNames.contains(name)
            else { throw self.failure("invalid named capture", self.text(from: start)) }
            self.groupNames.append(name)
            number = self.groupNames.count
        } else if self.take("?") {
            guard try self.opensGroupAfterFlags(from: start) else { return nil }
        } else {
            self.groupNames.append(nil)
            number = self.groupNames.count
        }
        let inner = try self.alternatives()
        self.flags = outer
        guard self.take(")") else { throw self.failure("missing closing )", self.text(from: start)) }
        guard let number else { return inner }
        return .group(inner, index: number)
    }

    /// `(?i)` sets flags from here on, and false is returned; `(?i:` opens a group that has them.
    private mutating func opensGroupAfterFlags(from start: Int) throws(PromQLError) -> Bool {
        var value = true
        while let scalar = self.peek() {
            self.index += 1
            switch scalar {
            case "i": self.flags.ignoresCase = value
            case "m": self.flags.isMultiline = value
            case "s": self.flags.dotMatchesNewline = value
            case "U": self.flags.isUngreedy = value
            case "-": value = false
            case ":": return true
            case ")": return false
            default:
                throw self.failure("invalid or unsupported Perl syntax", self.text(from: start))
            }
        }
        throw self.failure("missing closing )", self.text(from: start))
    }
}

// MARK: Escapes and classes

extension PatternParser {
    private mutating func escape() throws(PromQLError) -> PatternNode {
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

    private static let digits = ScalarSet(ranges: [(0x30, 0x39)])
    private static let blanks = ScalarSet(ranges: [(9, 10), (12, 13), (32, 32)])
    private static let words = ScalarSet(ranges: [(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)])

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
            let ranges: [(UInt32, UInt32)] = [
                (0x2E80, 0x2FD5), (0x3005, 0x3005), (0x3007, 0x3007), (0x3021, 0x3029), (0x3038, 0x303B),
                (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAD9), (0x20000, 0x323AF),
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
    private mutating func bracketed() throws(PromQLError) -> ScalarSet {
        let start = self.index
        self.index += 1
        let isNegated = self.take("^")
        var set = ScalarSet()
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
            set.insert(.range(first.value, last.value))
        }
        self.index += 1
        if self.flags.ignoresCase { set = set.ignoringCase() }
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
        let ranges: [(UInt32, UInt32)]? =
            switch name {
            case "alnum": [(48, 57), (65, 90), (97, 122)]
            case "alpha": [(65, 90), (97, 122)]
            case "ascii": [(0, 127)]
            case "blank": [(9, 9), (32, 32)]
            case "cntrl": [(0, 31), (127, 127)]
            case "digit": [(48, 57)]
            case "graph": [(33, 126)]
            case "lower": [(97, 122)]
            case "print": [(32, 126)]
            case "punct": [(33, 47), (58, 64), (91, 96), (123, 126)]
            case "space": [(9, 13), (32, 32)]
            case "upper": [(65, 90)]
            case "word": [(48, 57), (65, 90), (95, 95), (97, 122)]
            case "xdigit": [(48, 57), (65, 70), (97, 102)]
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
