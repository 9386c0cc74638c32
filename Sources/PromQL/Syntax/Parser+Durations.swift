// poyang
// SPDX-License-Identifier: Apache-2.0

/// Arithmetic with durations, in seconds.
extension Parser {
    /// A length of time as it was written.
    struct WrittenSpan {
        var formula: SpanFormula
        /// Whether more than a number or a duration was written.
        var isComputed = false
        fileprivate var height = 1
    }

    /// Operators that bind at least as tightly as `minimum`.
    mutating func duration(in context: String, minimum: Int) throws(PromQLError) -> WrittenSpan {
        self.depth += 1
        defer { self.depth -= 1 }
        guard self.depth <= Self.maximumDepth else {
            throw self.failure("expression is nested more than \(Self.maximumDepth) levels deep")
        }
        var left = try self.signedOperand(in: context)
        while let operation = self.durationOperator, operation.precedence >= minimum {
            let place = self.current.start
            self.advance()
            let next = operation == .power ? operation.precedence : operation.precedence + 1
            let right = try self.duration(in: context, minimum: next)
            left = try self.combine(left, right, at: place) {
                (left: SpanFormula, right: SpanFormula) throws(PromQLError) in
                if let left = left.constant, let right = right.constant {
                    return .seconds(try SpanFormula.compute(operation, left, right))
                }
                // That it is zero need not be found out at each evaluation.
                if right.constant == 0 { _ = try SpanFormula.compute(operation, 0, 0) }
                return .binary(operation, left, right)
            }
        }
        return left
    }

    private var durationOperator: BinaryOperator? {
        guard case .symbol(let text) = self.current.kind, let operation = BinaryOperator(rawValue: text) else {
            return nil
        }
        switch operation {
        case .add, .subtract, .multiply, .divide, .modulo, .power: return operation
        default: return nil
        }
    }

    /// A sign binds as in expressions: `-2^2` is −4.
    private mutating func signedOperand(in context: String) throws(PromQLError) -> WrittenSpan {
        guard self.isSymbol("-") || self.isSymbol("+") else { return try self.durationOperand(in: context) }
        let negates = self.isSymbol("-")
        self.advance()
        let span = try self.duration(in: context, minimum: BinaryOperator.power.precedence)
        return negates ? Self.negated(span) : span
    }

    static func negated(_ span: WrittenSpan) -> WrittenSpan {
        var span = span
        span.formula = span.formula.constant.map { .seconds(-$0) } ?? .negation(span.formula)
        return span
    }

    /// A number, a duration, something in parentheses, the smaller or the greater of two, the step or range of the query.
    mutating func durationOperand(in context: String) throws(PromQLError) -> WrittenSpan {
        switch self.current.kind {
        case .duration(let span):
            self.advance()
            return WrittenSpan(formula: .seconds(Double(span) / 1000))
        case .number(let seconds):
            guard seconds < SpanFormula.longest else { throw self.failure("duration out of range") }
            self.advance()
            return WrittenSpan(formula: .seconds(seconds))
        case .symbol("("):
            let opening = self.current.start
            self.advance()
            let span = try self.duration(in: context, minimum: 0)
            guard self.take(")") else { throw self.unclosed("expected \")\" in \(context)", opening: opening) }
            return span
        case .identifier(let text) where self.following.kind == .symbol("("):
            return try self.durationCall(text.lowercased(), in: context)
        default:
            throw self.failure("unexpected \(self.current.name) in \(context), expected number or duration")
        }
    }

    private mutating func durationCall(_ name: String, in context: String) throws(PromQLError) -> WrittenSpan {
        guard ["min_of", "max_of", "step", "range"].contains(name) else {
            throw self.failure("unexpected \(self.current.name) in \(context), expected number or duration")
        }
        let place = self.current.start
        self.advance()
        self.advance()
        if name == "step" || name == "range" {
            try self.expect(")", in: name)
            return WrittenSpan(formula: name == "step" ? .step : .range, isComputed: true)
        }
        let left = try self.duration(in: context, minimum: 0)
        try self.expect(",", in: name)
        let right = try self.duration(in: context, minimum: 0)
        try self.expect(")", in: name)
        let isGreatest = name == "max_of"
        return try self.combine(left, right, at: place) { (left: SpanFormula, right: SpanFormula) in
            guard let one = left.constant, let other = right.constant else {
                return .extreme(isGreatest: isGreatest, left, right)
            }
            return .seconds(isGreatest ? max(one, other) : min(one, other))
        }
    }

    private func combine(
        _ left: WrittenSpan,
        _ right: WrittenSpan,
        at place: Int,
        _ operation: (SpanFormula, SpanFormula) throws(PromQLError) -> SpanFormula
    ) throws(PromQLError) -> WrittenSpan {
        let formula: SpanFormula
        do throws(PromQLError) { formula = try operation(left.formula, right.formula) } catch {
            throw self.failure(error.message, at: place)
        }
        let numbers = formula.constant.map { [$0] } ?? [left, right].compactMap(\.formula.constant)
        guard numbers.allSatisfy({ abs($0) < (formula.constant == nil ? SpanFormula.longest : .infinity) }) else {
            throw self.failure("duration out of range", at: place)
        }
        // A number is one piece again.
        let height = formula.constant == nil ? max(left.height, right.height) + 1 : 1
        guard height <= Self.maximumHeight else {
            throw self.failure("duration has more than \(Self.maximumHeight) operators in a row")
        }
        return WrittenSpan(formula: formula, isComputed: true, height: height)
    }
}
