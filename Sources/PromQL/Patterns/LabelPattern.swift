// poyang
// SPDX-License-Identifier: Apache-2.0

/// A regular expression of a label condition, anchored at both ends.
struct LabelPattern: Sendable {
    /// How it is decided, quicker ways first.
    private enum Way: Sendable {
        case anything
        case nonEmpty
        case literals([String])
        case literalSet(Set<String>)
        case prefix(String, leastMore: Int)
        case suffix(String, leastMore: Int)
        case infix(String)
        case program
    }

    /// Beyond this many alternatives the program is used.
    private static let maximumLiterals = 256

    private let way: Way
    private let program: PatternProgram
    private let groupNames: [String?]

    /// - Throws: ``PromQLError`` in RE2's words, without a position.
    init(_ text: String) throws(PromQLError) {
        let (node, groupNames) = try PatternParser.parse(text)
        self.program = try PatternProgram(node, groupCount: groupNames.count)
        self.groupNames = groupNames
        self.way = Self.way(for: node)
    }

    func matches(_ text: String) -> Bool {
        switch self.way {
        case .anything: true
        case .nonEmpty: !text.isEmpty
        case .literals(let literals): literals.contains(text)
        case .literalSet(let literals): literals.contains(text)
        case .prefix(let prefix, let more):
            text.utf8.count >= prefix.utf8.count + more && text.utf8.starts(with: prefix.utf8)
        case .suffix(let suffix, let more):
            text.utf8.count >= suffix.utf8.count + more
                && text.utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
        case .infix(let infix): Self.contains(text.utf8, infix.utf8)
        case .program: self.program.matches(text)
        }
    }

    var predicate: @Sendable (String) -> Bool {
        { self.matches($0) }
    }

    /// The replacement with `$1` and `${name}` filled in, where the whole of `source` matches; else nil.
    func replacing(_ source: String, with replacement: String) -> String? {
        guard let groups = self.program.groups(in: source) else { return nil }
        let scalars = Array(source.unicodeScalars)
        let template = Array(replacement.unicodeScalars)
        var result = String.UnicodeScalarView()
        var index = 0
        while index < template.count {
            guard template[index] == "$" else {
                result.append(template[index])
                index += 1
                continue
            }
            guard let (name, end) = Self.reference(in: template, at: index + 1) else {
                if index + 1 < template.count, template[index + 1] == "$" { index += 1 }
                result.append("$")
                index += 1
                continue
            }
            index = end
            guard let group = self.groupNumber(name), 2 * group + 1 < groups.count, groups[2 * group] >= 0 else {
                continue
            }
            result.append(contentsOf: scalars[groups[2 * group]..<groups[2 * group + 1]])
        }
        return String(result)
    }

    private func groupNumber(_ name: String) -> Int? {
        if let number = Int(name) { return number }
        return self.groupNames.firstIndex(of: name).map { $0 + 1 }
    }

    /// The name after a dollar, as Go's `Regexp.Expand` reads it: the longest run of letters, digits and `_`.
    private static func reference(in template: [Unicode.Scalar], at start: Int) -> (name: String, end: Int)? {
        let isBraced = start < template.count && template[start] == "{"
        let first = isBraced ? start + 1 : start
        var end = first
        while end < template.count,
            template[end] == "_" || template[end].properties.isAlphabetic
                || ("0"..."9").contains(template[end])
        {
            end += 1
        }
        guard end > first, !isBraced || (end < template.count && template[end] == "}") else { return nil }
        var name = String.UnicodeScalarView()
        name.append(contentsOf: template[first..<end])
        return (String(name), isBraced ? end + 1 : end)
    }

    // MARK: Quick ways

    private static func way(for node: PatternNode) -> Way {
        if let literals = self.literals(of: node) {
            return literals.count <= 8 ? .literals(literals) : .literalSet(Set(literals))
        }
        var nodes: [PatternNode]
        if case .sequence(let members) = node { nodes = members } else { nodes = [node] }
        let least = self.leastOfAny(nodes.first)
        let most = self.leastOfAny(nodes.last)
        if nodes.count == 1, let least { return least == 0 ? .anything : least == 1 ? .nonEmpty : .program }
        if least != nil { nodes.removeFirst() }
        if most != nil { nodes.removeLast() }
        guard least != nil || most != nil, let middle = self.literals(of: .sequence(nodes)), middle.count == 1 else {
            return .program
        }
        switch (least, most) {
        case (nil, let more?) where more <= 1: return .prefix(middle[0], leastMore: more)
        case (let more?, nil) where more <= 1: return .suffix(middle[0], leastMore: more)
        case (0?, 0?): return .infix(middle[0])
        default: return .program
        }
    }

    /// 0 for `.*`, 1 for `.+`; nil for anything else.
    private static func leastOfAny(_ node: PatternNode?) -> Int? {
        switch node {
        case .group(let inner, _): return self.leastOfAny(inner)
        case .repeated(.set(let set), let least, nil, _) where set.isAny && least <= 1: return least
        default: return nil
        }
    }

    /// All texts that match, where they are few.
    private static func literals(of node: PatternNode) -> [String]? {
        switch node {
        case .empty: return [""]
        case .set(let set): return set.single.map { [String(Character($0))] }
        case .group(let inner, _): return self.literals(of: inner)
        case .alternatives(let branches):
            var result: [String] = []
            for branch in branches {
                guard let literals = self.literals(of: branch) else { return nil }
                result += literals
                guard result.count <= self.maximumLiterals else { return nil }
            }
            return result
        case .sequence(let nodes):
            var result = [""]
            for node in nodes {
                guard let literals = self.literals(of: node) else { return nil }
                guard result.count * literals.count <= self.maximumLiterals else { return nil }
                result = result.flatMap { start in literals.map { start + $0 } }
            }
            return result
        case .repeated, .assertion: return nil
        }
    }

    private static func contains(_ text: String.UTF8View, _ part: String.UTF8View) -> Bool {
        var rest = text[text.startIndex...]
        while rest.count >= part.count {
            if rest.starts(with: part) { return true }
            rest = rest.dropFirst()
        }
        return part.isEmpty
    }
}
