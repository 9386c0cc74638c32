// poyang
// SPDX-License-Identifier: Apache-2.0

/// What to do about an error.
extension Parser {
    /// Names that Prometheus knows and this language does not.
    private static let experimental: Set<String> = [
        "info", "start_timestamp",
    ]
    private static let experimentalHint = "experimental in Prometheus, not available here"

    func unknownFunction(_ name: String) -> PromQLError {
        switch name.lowercased() {
        case "by", "without":
            return self.failure("unexpected \"\(name)\"", hint: "it belongs to an aggregation: sum by (…) (x)")
        case "on", "ignoring":
            return self.failure("unexpected \"\(name)\"", hint: "it stands once, directly after a binary operator")
        case "group_left", "group_right":
            return self.failure("unexpected \"\(name)\"", hint: "it stands after on(…) or ignoring(…)")
        case "fill", "fill_left", "fill_right":
            return self.failure(
                "unexpected \"\(name)\"",
                hint: "it stands once, after a binary operator and what that matches on"
            )
        case let word where word.hasPrefix("histogram_"):
            return self.failure(
                "unknown function with name \"\(name)\"",
                hint: "native histograms are not stored here"
            )
        case let word where Self.experimental.contains(word):
            return self.failure("unknown function with name \"\(name)\"", hint: Self.experimentalHint)
        default:
            return self.failure("unknown function with name \"\(name)\"", hint: Self.suggestion(for: name))
        }
    }

    /// Something else where a parenthesis should have been closed.
    func unclosed(_ expectation: String, opening: Int) -> PromQLError {
        let place = PromQLError.Position(offset: opening, in: self.bytes)
        let isMissing = self.current.kind == .end || self.isSymbol("]") || self.isSymbol("}")
        return self.failure(
            "unexpected \(self.current.name), \(expectation)",
            hint: isMissing ? "the parenthesis at \(place.line):\(place.column) is not closed" : self.hintForRest()
        )
    }

    /// After an expression that is complete.
    func hintForRest() -> String? {
        switch self.current.kind {
        case .symbol("="): return "compare with ==; label conditions stand in braces"
        case .symbol("=~"), .symbol("!~"):
            return "patterns are for labels, in braces: {name=~\"…\"}"
        case .symbol(")"): return "one closing parenthesis too many"
        case .symbol("}"), .symbol("]"): return "nothing was opened that this closes"
        case .identifier(let text) where Self.experimental.contains(text.lowercased()): return Self.experimentalHint
        case .identifier, .number, .string:
            guard self.index > 0, case .identifier(let before) = self.tokens[self.index - 1].kind else {
                return "an operator is missing before it"
            }
            if Function(rawValue: before) != nil || AggregationOperator(rawValue: before.lowercased()) != nil {
                return "the argument of \(before) stands in parentheses"
            }
            return "an operator is missing before it"
        case .duration, .symbol, .end: return nil
        }
    }

    /// Where an expression should have begun.
    func hintForOperand() -> String {
        switch self.current.kind {
        case .symbol("[") where self.index > 0: "a range stands directly after a selector"
        case .symbol("@") where self.index > 0: "it stands directly after a selector"
        case .symbol("=") where self.index > 0: "compare with =="
        default: "an expression is expected here"
        }
    }

    /// The function or aggregation whose name differs least, if it differs little.
    private static func suggestion(for name: String) -> String? {
        let names = Function.allCases.map(\.rawValue) + AggregationOperator.allCases.map(\.rawValue)
        let close = names.map { (name: $0, distance: editDistance(name.lowercased(), $0)) }
            .min { $0.distance < $1.distance }
        guard let close, close.distance <= min(2, name.utf8.count / 2) else { return nil }
        return "did you mean \(close.name)?"
    }
}

/// Levenshtein's distance between short ASCII texts.
private func editDistance(_ left: String, _ right: String) -> Int {
    let right = Array(right.utf8)
    guard left.utf8.count < 64 else { return .max }
    var row = Array(0...right.count)
    for (lineIndex, byte) in left.utf8.enumerated() {
        var diagonal = row[0]
        row[0] = lineIndex + 1
        for (column, other) in right.enumerated() {
            let above = row[column + 1]
            row[column + 1] = byte == other ? diagonal : 1 + min(diagonal, above, row[column])
            diagonal = above
        }
    }
    return row[right.count]
}
