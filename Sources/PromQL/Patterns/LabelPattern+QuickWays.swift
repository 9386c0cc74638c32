// poyang
// SPDX-License-Identifier: Apache-2.0

/// Ways to decide a pattern without a machine.
extension LabelPattern {
    /// Beyond these many texts that match, or bytes of them, a program is used; alternatives of a dashboard's variable
    /// stay below.
    private static let maximumLiterals = 100_000
    private static let maximumLiteralBytes = 4 << 20

    /// Nil where only a program decides.
    static func quickWay(for node: PatternNode) -> Way? {
        if let literals = self.literals(of: node) {
            return literals.count <= 8 ? .literals(literals) : .literalSet(Set(literals))
        }
        var nodes: [PatternNode]
        if case .sequence(let members) = node { nodes = members } else { nodes = [node] }
        let least = self.leastOfAny(nodes.first)
        let most = self.leastOfAny(nodes.last)
        if nodes.count == 1, let least { return least == 0 ? .anything : least == 1 ? .nonEmpty : nil }
        if least != nil { nodes.removeFirst() }
        if most != nil { nodes.removeLast() }
        guard least != nil || most != nil, let middle = self.literals(of: .sequence(nodes)), middle.count == 1 else {
            return nil
        }
        switch (least, most) {
        case (nil, let more?) where more <= 1: return .prefix(middle[0], leastMore: more)
        case (let more?, nil) where more <= 1: return .suffix(middle[0], leastMore: more)
        case (0?, 0?): return .infix(TextSearch(middle[0]))
        default: return nil
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
            var bytes = 0
            for branch in branches {
                guard let literals = self.literals(of: branch) else { return nil }
                result += literals
                bytes += literals.reduce(0) { $0 + $1.utf8.count }
                guard result.count <= self.maximumLiterals, bytes <= self.maximumLiteralBytes else { return nil }
            }
            return result
        case .sequence(let nodes):
            var result = [""]
            for node in nodes {
                guard let literals = self.literals(of: node) else { return nil }
                if literals.count == 1 {
                    guard result.count == 1 || self.isSmall(result, times: 1) else { return nil }
                    for index in result.indices { result[index] += literals[0] }
                } else {
                    guard self.isSmall(result, times: literals.count) else { return nil }
                    result = result.flatMap { start in literals.map { start + $0 } }
                }
            }
            return result
        case .repeated, .assertion: return nil
        }
    }

    /// Whether so many texts with these beginnings are few.
    private static func isSmall(_ beginnings: [String], times: Int) -> Bool {
        beginnings.count * times <= 256 && (beginnings.first?.utf8.count ?? 0) < 4096
    }
}

/// Finds one text in others in linear time (Knuth, Morris and Pratt).
struct TextSearch: Sendable {
    private let wanted: [UInt8]
    /// How many bytes before each place begin the text again.
    private let borders: [Int]

    init(_ text: String) {
        let wanted = Array(text.utf8)
        var borders = Array(repeating: 0, count: wanted.count)
        var length = 0
        for index in wanted.indices.dropFirst() {
            while length > 0, wanted[index] != wanted[length] { length = borders[length - 1] }
            if wanted[index] == wanted[length] { length += 1 }
            borders[index] = length
        }
        self.wanted = wanted
        self.borders = borders
    }

    func finds(in text: String) -> Bool {
        guard !self.wanted.isEmpty else { return true }
        guard text.utf8.count >= self.wanted.count else { return false }
        var length = 0
        for byte in text.utf8 {
            while length > 0, byte != self.wanted[length] { length = self.borders[length - 1] }
            if byte == self.wanted[length] { length += 1 }
            if length == self.wanted.count { return true }
        }
        return false
    }
}
