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
    private static let maximumOtherCases = 100_000

    struct Flags {
        var ignoresCase = false
        /// `^` and `$` also match at line breaks.
        var isMultiline = false
        /// `.` matches a line break; Prometheus sets it.
        var dotMatchesNewline = true
        /// `*` is lazy and `*?` greedy.
        var isUngreedy = false
    }

    private let scalars: [Unicode.Scalar]
    var index = 0
    private var depth = 0
    private(set) var flags = Flags()
    private(set) var groupNames: [String?] = []
    private var takenNames: Set<String> = []
    /// How many sets there are that are more than one letter: each is at least one instruction of a program.
    private var wideSets = 0
    /// How many letters were added because case does not matter.
    var otherCases = 0

    private init(_ text: String) {
        self.scalars = Array(text.unicodeScalars)
    }

    static func parse(_ text: String) throws(PromQLError) -> (node: PatternNode, groupNames: [String?]) {
        var parser = PatternParser(text)
        let node = try parser.alternatives()
        guard parser.index == parser.scalars.count else { throw parser.failure("unexpected )", text) }
        return (node, parser.groupNames)
    }

    func failure(_ message: String, _ piece: String) -> PromQLError {
        let shown = piece.unicodeScalars.count > 100 ? String(piece.unicodeScalars.prefix(100)) + "…" : piece
        return PromQLError(.syntax, "\(message): `\(shown)`")
    }

    func text(from start: Int) -> String {
        var result = String.UnicodeScalarView()
        result.append(contentsOf: self.scalars[start..<min(self.index, self.scalars.count)])
        return String(result)
    }

    func peek(_ distance: Int = 0) -> Unicode.Scalar? {
        self.index + distance < self.scalars.count ? self.scalars[self.index + distance] : nil
    }

    mutating func take(_ text: String) -> Bool {
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
                    let set = self.literal(self.scalars[self.index])
                    try self.count(.set(set))
                    nodes.append(.set(set))
                    self.index += 1
                }
                continue
            }
            guard let atom = try self.atom() else { continue }
            try self.count(atom)
            nodes.append(try self.repetition(of: atom, from: start))
        }
        return nodes.count == 1 ? nodes[0] : nodes.isEmpty ? .empty : .sequence(nodes)
    }

    private mutating func count(_ atom: PatternNode) throws(PromQLError) {
        guard case .set(let set) = atom, set.single == nil else { return }
        self.wideSets += 1
        guard self.wideSets <= PatternProgram.maximumSize, self.otherCases <= Self.maximumOtherCases else {
            throw PromQLError(.syntax, "expression too large")
        }
    }

    mutating func literal(_ scalar: Unicode.Scalar) -> ScalarSet {
        self.flags.ignoresCase ? ScalarSet(scalar).ignoringCase(&self.otherCases) : ScalarSet(scalar)
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
            return .set(ScalarSet(ranges: [0...9, 11...0x10FFFF]))
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
                self.takenNames.insert(name).inserted
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
