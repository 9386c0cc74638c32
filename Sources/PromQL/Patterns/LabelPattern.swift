// poyang
// SPDX-License-Identifier: Apache-2.0

/// A regular expression of a label condition, anchored at both ends.
struct LabelPattern: Sendable {
    /// How it is decided, quicker ways first.
    enum Way: Sendable {
        case anything
        case nonEmpty
        case literals([String])
        case literalSet(Set<String>)
        case prefix(String, leastMore: Int)
        case suffix(String, leastMore: Int)
        case infix(TextSearch)
        case program(PatternProgram)
    }

    private let way: Way
    /// For ``replacing(_:with:)``; nil where only matches are asked for.
    private let groups: PatternProgram?
    private let groupNames: [String?]

    /// - Parameters:
    ///   - text: The pattern.
    ///   - onlyMatches: Whether nobody will ask for ``replacing(_:with:)``.
    /// - Throws: ``PromQLError`` in RE2's words, without a position.
    init(_ text: String, onlyMatches: Bool = false) throws(PromQLError) {
        let (node, groupNames) = try PatternParser.parse(text)
        self.groupNames = groupNames
        self.groups = onlyMatches ? nil : try PatternProgram(node, groupCount: groupNames.count, savesGroups: true)
        if let quick = Self.quickWay(for: node) {
            self.way = quick
        } else {
            self.way = .program(try PatternProgram(node, groupCount: 0, savesGroups: false))
        }
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
        case .infix(let search): search.finds(in: text)
        case .program(let program): program.matches(text)
        }
    }

    var predicate: @Sendable (String) -> Bool {
        { self.matches($0) }
    }

    /// The replacement with `$1` and `${name}` filled in, where the whole of `source` matches; else nil.
    func replacing(_ source: String, with replacement: String) -> String? {
        guard let groups = self.groups?.groups(in: source) else { return nil }
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
}
