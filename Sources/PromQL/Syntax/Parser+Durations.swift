// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Arithmetic with durations, in seconds; experimental in Prometheus. `step()` and `range()` are not known here.
extension Parser {
    /// Operators that bind at least as tightly as `minimum`.
    mutating func duration(in context: String, minimum: Int) throws(PromQLError) -> Double {
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
            left = try self.compute(left, operation, right, at: place)
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
    private mutating func signedOperand(in context: String) throws(PromQLError) -> Double {
        guard self.isSymbol("-") || self.isSymbol("+") else { return try self.durationOperand(in: context) }
        let negates = self.isSymbol("-")
        self.advance()
        let value = try self.duration(in: context, minimum: BinaryOperator.power.precedence)
        return negates ? -value : value
    }

    /// A number, a duration, something in parentheses, the smaller or the greater of two.
    mutating func durationOperand(in context: String) throws(PromQLError) -> Double {
        switch self.current.kind {
        case .duration(let span):
            self.advance()
            return Double(span) / 1000
        case .number(let seconds):
            guard seconds < Self.longestSpan else { throw self.failure("duration out of range") }
            self.advance()
            return seconds
        case .symbol("("):
            let opening = self.current.start
            self.advance()
            let value = try self.duration(in: context, minimum: 0)
            guard self.take(")") else { throw self.unclosed("expected \")\" in \(context)", opening: opening) }
            return value
        case .identifier(let text) where self.following.kind == .symbol("("):
            return try self.extreme(named: text.lowercased(), in: context)
        default:
            throw self.failure("unexpected \(self.current.name) in \(context), expected number or duration")
        }
    }

    private mutating func extreme(named name: String, in context: String) throws(PromQLError) -> Double {
        guard name == "min_of" || name == "max_of" else {
            let hint = name == "step" || name == "range" ? "experimental in Prometheus, not available here" : nil
            throw self.failure(
                "unexpected \(self.current.name) in \(context), expected number or duration",
                hint: hint
            )
        }
        self.advance()
        self.advance()
        let left = try self.duration(in: context, minimum: 0)
        try self.expect(",", in: name)
        let right = try self.duration(in: context, minimum: 0)
        try self.expect(")", in: name)
        return name == "min_of" ? min(left, right) : max(left, right)
    }

    private func compute(
        _ left: Double,
        _ operation: BinaryOperator,
        _ right: Double,
        at place: Int
    ) throws(PromQLError) -> Double {
        switch operation {
        case .add: return left + right
        case .subtract: return left - right
        case .multiply: return left * right
        case .divide:
            guard right != 0 else { throw self.failure("division by zero", at: place) }
            return left / right
        case .modulo:
            guard right != 0 else { throw self.failure("modulo by zero", at: place) }
            return left.truncatingRemainder(dividingBy: right)
        default: return pow(left, right)
        }
    }
}
