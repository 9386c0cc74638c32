// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

extension Expression {
    /// The expression with parts of it replaced.
    ///
    /// `replacement` gives what stands for a part, into which is not looked further; nil where the part stays.
    package func replacing(_ replacement: (Expression) -> Expression?) -> Expression {
        if let replaced = replacement(self) { return replaced }
        switch self {
        case .number, .string, .selector: return self
        case .parentheses(let inner): return .parentheses(inner.replacing(replacement))
        case .unary(let negates, let inner): return .unary(negates: negates, inner.replacing(replacement))
        case .subquery(var subquery):
            subquery.inner = subquery.inner.replacing(replacement)
            return .subquery(subquery)
        case .binary(var binary):
            binary.left = binary.left.replacing(replacement)
            binary.right = binary.right.replacing(replacement)
            return .binary(binary)
        case .aggregation(var aggregation):
            aggregation.parameter = aggregation.parameter?.replacing(replacement)
            aggregation.inner = aggregation.inner.replacing(replacement)
            return .aggregation(aggregation)
        case .call(var call):
            call.arguments = call.arguments.map { $0.replacing(replacement) }
            return .call(call)
        }
    }

    /// The expression where selectors that do not name one metric leave out the series of `metric`.
    package func leavingOut(_ metric: String) -> Expression {
        self.replacing { part in
            guard case .selector(var selector) = part, selector.mayFindByChance(metric) else { return nil }
            selector.matchers.append(
                LabelMatcher(name: Labels.metricName, operation: .notEqual, value: metric, pattern: nil)
            )
            return .selector(selector)
        }
    }

    /// What the expression was some time before.
    package func lookedAtEarlier(by offset: Milliseconds) -> Expression {
        self.replacing { part in
            switch part {
            case .selector(var selector):
                selector.modifiers.lookEarlier(by: offset)
                return .selector(selector)
            case .subquery(var subquery):
                subquery.modifiers.lookEarlier(by: offset)
                return .subquery(subquery)
            case .call(let call): return call.lookedAtEarlier(by: offset)
            default: return nil
            }
        }
    }

    fileprivate func minus(_ offset: Milliseconds) -> Expression {
        .binary(
            BinaryOperation(
                operation: .subtract,
                left: self,
                right: .number(Double(offset) / 1000),
                returnsBool: false,
                matching: VectorMatching()
            )
        )
    }
}

extension FunctionCall {
    /// Of a call that goes by the time of the evaluation; nil for others, of which the arguments are to be changed.
    fileprivate func lookedAtEarlier(by offset: Milliseconds) -> Expression? {
        let now = Expression.call(FunctionCall(function: .time, arguments: [])).minus(offset)
        switch self.function {
        case .time, .queryStart, .queryEnd: return .parentheses(Expression.call(self).minus(offset))
        case .dayOfMonth, .dayOfWeek, .dayOfYear, .daysInMonth, .hour, .minute, .month, .year:
            guard self.arguments.isEmpty else { return nil }
            let moment = Expression.call(FunctionCall(function: .vector, arguments: [now]))
            return .call(FunctionCall(function: self.function, arguments: [moment]))
        case .predictLinear:
            let series = self.arguments[0].lookedAtEarlier(by: offset)
            let ahead = Expression.parentheses(self.arguments[1].lookedAtEarlier(by: offset)).minus(offset)
            return .call(FunctionCall(function: self.function, arguments: [series, ahead]))
        default: return nil
        }
    }
}

extension TimeModifiers {
    fileprivate mutating func lookEarlier(by offset: Milliseconds) {
        if case .time? = self.at { return }
        self.offset += offset
    }
}

extension Selector {
    /// Whether it does not name one metric, and does not exclude this one.
    package func mayFindByChance(_ metric: String) -> Bool {
        let names = self.matchers.filter { $0.name == Labels.metricName }
        return self.metric == nil && names.allSatisfy { $0.matches(metric) }
    }
}
