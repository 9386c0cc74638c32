// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Recursive descent with precedence climbing over the tokens of one query.
struct Parser {
    /// Nesting beyond this is refused, so that no input can exhaust the stack.
    static let maximumDepth = 128
    /// The same for chains such as `a or b or c`, whose trees lean to the left.
    static let maximumHeight = 320
    /// Longer texts are refused.
    static let maximumLength = 1 << 20

    let bytes: [UInt8]
    let tokens: [Token]
    var index = 0
    var depth = 0

    static func parse(_ text: String) throws(PromQLError) -> Expression {
        let bytes = Array(text.utf8)
        guard bytes.count <= self.maximumLength else {
            throw PromQLError(.syntax, "query is longer than \(self.maximumLength) bytes")
        }
        var parser = Parser(bytes: bytes, tokens: try Lexer.tokens(of: bytes))
        if case .end = parser.current.kind {
            throw parser.failure("no expression found in input", hint: "write a metric name, for example up")
        }
        let (expression, _) = try parser.expression(minimum: 0)
        guard case .end = parser.current.kind else {
            throw parser.failure("unexpected \(parser.current.name)", hint: parser.hintForRest())
        }
        return expression
    }

    // MARK: Tokens

    var current: Token { self.tokens[self.index] }

    var following: Token { self.tokens[min(self.index + 1, self.tokens.count - 1)] }

    mutating func advance() { self.index = min(self.index + 1, self.tokens.count - 1) }

    func isSymbol(_ text: String) -> Bool { self.current.kind == .symbol(text) }

    /// Whether the current token is the keyword, in any case.
    func isKeyword(_ keyword: String) -> Bool {
        guard case .identifier(let text) = self.current.kind else { return false }
        return text.lowercased() == keyword
    }

    mutating func take(_ symbol: String) -> Bool {
        guard self.isSymbol(symbol) else { return false }
        self.advance()
        return true
    }

    mutating func expect(_ symbol: String, in context: String) throws(PromQLError) {
        guard self.take(symbol) else {
            throw self.failure("unexpected \(self.current.name) in \(context), expected \"\(symbol)\"")
        }
    }

    func failure(_ message: String, at offset: Int? = nil, hint: String? = nil) -> PromQLError {
        let position = PromQLError.Position(offset: offset ?? self.current.start, in: self.bytes)
        return PromQLError(.syntax, message.shortened, position: position, hint: hint)
    }

    // MARK: Expressions

    /// An expression whose operators all bind at least as tightly as `minimum`, and the height of its tree.
    mutating func expression(minimum: Int) throws(PromQLError) -> (Expression, height: Int) {
        self.depth += 1
        defer { self.depth -= 1 }
        guard self.depth <= Self.maximumDepth else {
            throw self.failure("expression is nested more than \(Self.maximumDepth) levels deep")
        }
        let start = self.current.start
        var (left, height) = try self.unary()
        while let operation = self.binaryOperator(), operation.precedence >= minimum {
            let place = self.current.start
            self.advance()
            var (binary, explicit) = try self.modifiers(operation, left: left)
            let next = operation == .power ? operation.precedence : operation.precedence + 1
            let (right, rightHeight) = try self.expression(minimum: next)
            binary.right = right
            try self.check(&binary, explicitMatching: explicit, leftStart: start, at: place)
            left = .binary(binary)
            height = max(height, rightHeight) + 1
            guard height <= Self.maximumHeight else {
                throw self.failure("expression has more than \(Self.maximumHeight) operators in a row")
            }
        }
        return (left, height)
    }

    private func binaryOperator() -> BinaryOperator? {
        switch self.current.kind {
        case .symbol(let text): BinaryOperator(rawValue: text)
        case .identifier(let text):
            switch text.lowercased() {
            case "and": .and
            case "or": .or
            case "unless": .unless
            case "atan2": .atan2
            default: nil
            }
        default: nil
        }
    }

    /// `+` and `-` bind as `*` does, so `-2^2` is −4 and `-x * y` is (−x) · y.
    private mutating func unary() throws(PromQLError) -> (Expression, height: Int) {
        guard self.isSymbol("+") || self.isSymbol("-") else { return try self.postfix() }
        let negates = self.isSymbol("-")
        self.advance()
        let start = self.current.start
        let (inner, height) = try self.expression(minimum: BinaryOperator.power.precedence)
        guard inner.type == .scalar || inner.type == .vector else {
            throw self.failure(
                "unary expression only allowed on expressions of type scalar or instant vector, got \(inner.type.rawValue)",
                at: start
            )
        }
        if case .number(let value) = inner { return (.number(negates ? -value : value), height) }
        return (.unary(negates: negates, inner), height + 1)
    }

    /// `bool`, `on`, `ignoring`, `group_left`, `group_right` and `fill` after an operator.
    private mutating func modifiers(
        _ operation: BinaryOperator,
        left: Expression
    ) throws(PromQLError) -> (BinaryOperation, explicitMatching: Bool) {
        var matching = VectorMatching()
        var returnsBool = false
        var explicit = false
        if self.isKeyword("bool") {
            guard operation.isComparison else {
                throw self.failure("bool modifier can only be used on comparison operators")
            }
            returnsBool = true
            self.advance()
        }
        if self.isKeyword("on") || self.isKeyword("ignoring"), self.following.kind == .symbol("(") {
            explicit = true
            matching.isOn = self.isKeyword("on")
            self.advance()
            matching.labels = try self.labelNames(in: "grouping opts")
            if self.isKeyword("group_left") || self.isKeyword("group_right") {
                let place = self.current.start
                matching.cardinality = self.isKeyword("group_left") ? .manyToOne : .oneToMany
                self.advance()
                if self.isSymbol("(") { matching.include = try self.labelNames(in: "grouping opts") }
                try self.checkGrouping(matching, of: operation, at: place)
            }
        }
        if let fill = try self.fill() {
            explicit = true
            matching.fill = fill
        }
        let binary = BinaryOperation(
            operation: operation,
            left: left,
            right: left,
            returnsBool: returnsBool,
            matching: matching
        )
        return (binary, explicit)
    }

    /// `fill(…)`, or `fill_left(…)` and `fill_right(…)` in any order; nil where a metric has such a name.
    private mutating func fill() throws(PromQLError) -> VectorMatching.Fill? {
        if let value = try self.fillValue(of: "fill") { return VectorMatching.Fill(left: value, right: value) }
        if let left = try self.fillValue(of: "fill_left") {
            return VectorMatching.Fill(left: left, right: try self.fillValue(of: "fill_right"))
        }
        guard let right = try self.fillValue(of: "fill_right") else { return nil }
        return VectorMatching.Fill(left: try self.fillValue(of: "fill_left"), right: right)
    }

    private mutating func fillValue(of keyword: String) throws(PromQLError) -> Double? {
        guard self.isKeyword(keyword), self.following.kind == .symbol("(") else { return nil }
        self.advance()
        self.advance()
        let negates = self.take("-")
        if !negates { _ = self.take("+") }
        let magnitude: Double
        switch self.current.kind {
        case .number(let value): magnitude = value
        case .duration(let span): magnitude = Double(span) / 1000
        case .identifier(let text) where text.lowercased() == "inf": magnitude = .infinity
        case .identifier(let text) where text.lowercased() == "nan": magnitude = .nan
        default: throw self.failure("unexpected \(self.current.name) in \(keyword), expected number")
        }
        self.advance()
        try self.expect(")", in: keyword)
        return negates ? -magnitude : magnitude
    }

    private func checkGrouping(
        _ matching: VectorMatching,
        of operation: BinaryOperator,
        at place: Int
    ) throws(PromQLError) {
        if operation.isSet {
            throw self.failure("no grouping allowed for \"\(operation.rawValue)\" operation", at: place)
        }
        if matching.isOn, let twice = matching.include.first(where: matching.labels.contains) {
            throw self.failure("label \"\(twice)\" must not occur in ON and GROUP clause at once", at: place)
        }
    }

    private func check(
        _ binary: inout BinaryOperation,
        explicitMatching: Bool,
        leftStart: Int,
        at place: Int
    ) throws(PromQLError) {
        let operation = binary.operation
        for side in [binary.left, binary.right] where side.type != .scalar && side.type != .vector {
            throw self.failure(
                "binary expression must contain only scalar and instant vector types, got \(side.type.rawValue)",
                at: leftStart,
                hint: side.type == .matrix ? "wrap the range vector in a function such as rate()" : nil
            )
        }
        let hasScalar = binary.left.type == .scalar || binary.right.type == .scalar
        if operation.isSet, hasScalar {
            throw self.failure(
                "set operator \"\(operation.rawValue)\" not allowed in binary scalar expression",
                at: place,
                hint: "vector(…) turns a scalar into a vector"
            )
        }
        if operation.isComparison, !binary.returnsBool, binary.left.type == .scalar, binary.right.type == .scalar {
            throw self.failure("comparisons between scalars must use BOOL modifier", at: place)
        }
        if operation.isSet, !binary.matching.fill.isEmpty {
            throw self.failure("filling in missing series not allowed for set operators", at: place)
        }
        if explicitMatching, hasScalar {
            if !binary.matching.labels.isEmpty {
                throw self.failure("vector matching only allowed between instant vectors", at: place)
            }
            if !binary.matching.fill.isEmpty {
                throw self.failure("filling in missing series only allowed between instant vectors", at: place)
            }
            binary.matching = VectorMatching()
        }
    }

    /// Reads `(a, b, "c")`.
    mutating func labelNames(in context: String) throws(PromQLError) -> [String] {
        try self.expect("(", in: context)
        var names: [String] = []
        while !self.isSymbol(")") {
            switch self.current.kind {
            case .identifier(let text), .string(let text):
                guard !text.isEmpty, !text.contains(":") || self.current.kind == .string(text) else { fallthrough }
                names.append(text)
                self.advance()
            default:
                throw self.failure("unexpected \(self.current.name) in \(context), expected label")
            }
            if !self.take(","), !self.isSymbol(")") {
                throw self.failure("unexpected \(self.current.name) in \(context), expected \",\" or \")\"")
            }
        }
        self.advance()
        return names
    }
}
