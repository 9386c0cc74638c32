// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry

/// How a length of time follows from the step and the range of the query that it stands in: `step() * 2`.
package indirect enum SpanFormula: Hashable, Sendable {
    case seconds(Double)
    /// `step()`: from one evaluation time to the next; none in an instant query.
    case step
    /// `range()`: from the first evaluation time to the last.
    case range
    case negation(SpanFormula)
    /// Of an arithmetic operator.
    case binary(BinaryOperator, SpanFormula, SpanFormula)
    /// `max_of` or `min_of`.
    case extreme(isGreatest: Bool, SpanFormula, SpanFormula)

    /// 2⁶³ ns, in seconds: the longest duration that Prometheus can hold, about 292 years.
    static let longest = 9_223_372_036.854775

    /// The value of a formula that needs no query.
    var constant: Double? {
        if case .seconds(let seconds) = self { seconds } else { nil }
    }

    /// In whole ms, of a query with this step and range; what is left is cut off, as in Prometheus.
    ///
    /// - Throws: ``PromQLError`` where it is no length of time.
    func milliseconds(step: Milliseconds, range: Milliseconds) throws(PromQLError) -> Milliseconds {
        let seconds = try self.seconds(step: step.seconds, range: range.seconds)
        guard abs(seconds) < Self.longest else { throw PromQLError(.execution, "duration out of range") }
        return Milliseconds(seconds * 1000)
    }

    private func seconds(step: Double, range: Double) throws(PromQLError) -> Double {
        switch self {
        case .seconds(let seconds): return seconds
        case .step: return step
        case .range: return range
        case .negation(let inner): return -(try inner.seconds(step: step, range: range))
        case .binary(let operation, let left, let right):
            let left = try left.seconds(step: step, range: range)
            return try Self.compute(operation, left, try right.seconds(step: step, range: range))
        case .extreme(let isGreatest, let left, let right):
            let left = try left.seconds(step: step, range: range)
            let right = try right.seconds(step: step, range: range)
            return isGreatest ? greater(left, right) : lesser(left, right)
        }
    }

    /// - Throws: ``PromQLError`` of a division by zero.
    static func compute(_ operation: BinaryOperator, _ left: Double, _ right: Double) throws(PromQLError) -> Double {
        if right == 0, operation == .divide { throw PromQLError(.execution, "division by zero") }
        if right == 0, operation == .modulo { throw PromQLError(.execution, "modulo by zero") }
        return arithmetic(operation, left, right)
    }
}

extension SpanFormula: CustomStringConvertible {
    /// Canonical text: it parses back to the same formula.
    package var description: String {
        switch self {
        case .seconds(let seconds): NumberText.text(seconds)
        case .step: "step()"
        case .range: "range()"
        case .negation(let inner): "-" + inner.operand
        case .binary(let operation, let left, let right): "\(left.operand) \(operation.rawValue) \(right.operand)"
        case .extreme(let isGreatest, let left, let right): "\(isGreatest ? "max_of" : "min_of")(\(left), \(right))"
        }
    }

    /// As it stands beside an operator.
    private var operand: String {
        switch self {
        case .seconds(let seconds): seconds.sign == .minus ? "(\(self))" : "\(self)"
        case .step, .range, .extreme: "\(self)"
        case .negation, .binary: "(\(self))"
        }
    }

    /// As it stands after `offset`, where only a sign and one operand may stand.
    var offsetText: String {
        if case .negation(let inner) = self { "-" + inner.operand } else { self.operand }
    }
}

extension Expression {
    /// With the lengths of time that `step()` and `range()` make in a query.
    ///
    /// - Throws: ``PromQLError`` where one is none.
    func resolved(step: Milliseconds, range: Milliseconds) throws(PromQLError) -> Expression {
        func length(_ formula: SpanFormula) throws(PromQLError) -> Milliseconds {
            let length = try formula.milliseconds(step: step, range: range)
            guard length > 0 else {
                throw PromQLError(.execution, "duration must be greater than 0: \(formula)")
            }
            return length
        }
        func resolve(_ modifiers: inout TimeModifiers) throws(PromQLError) {
            guard let formula = modifiers.offsetFormula else { return }
            modifiers.offset = try formula.milliseconds(step: step, range: range)
            modifiers.offsetFormula = nil
        }
        switch self {
        case .number, .string: return self
        case .selector(var selector):
            if let formula = selector.windowFormula { selector.window = try length(formula) }
            selector.windowFormula = nil
            try resolve(&selector.modifiers)
            return .selector(selector)
        case .subquery(var subquery):
            if let formula = subquery.windowFormula { subquery.window = try length(formula) }
            if let formula = subquery.stepFormula { subquery.step = try length(formula) }
            subquery.windowFormula = nil
            subquery.stepFormula = nil
            try resolve(&subquery.modifiers)
            subquery.inner = try subquery.inner.resolved(step: step, range: range)
            return .subquery(subquery)
        case .parentheses(let inner): return .parentheses(try inner.resolved(step: step, range: range))
        case .unary(let negates, let inner):
            return .unary(negates: negates, try inner.resolved(step: step, range: range))
        case .binary(var binary):
            binary.left = try binary.left.resolved(step: step, range: range)
            binary.right = try binary.right.resolved(step: step, range: range)
            return .binary(binary)
        case .aggregation(var aggregation):
            aggregation.inner = try aggregation.inner.resolved(step: step, range: range)
            if let parameter = aggregation.parameter {
                aggregation.parameter = try parameter.resolved(step: step, range: range)
            }
            return .aggregation(aggregation)
        case .call(var call):
            for index in call.arguments.indices {
                call.arguments[index] = try call.arguments[index].resolved(step: step, range: range)
            }
            return .call(call)
        }
    }
}
