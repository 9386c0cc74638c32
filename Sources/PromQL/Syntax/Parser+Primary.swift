// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

extension Parser {
    /// A primary expression with `[…]`, `offset`, `@`, `anchored` and `smoothed` after it.
    mutating func postfix() throws(PromQLError) -> (Expression, height: Int) {
        let start = self.current.start
        var (expression, height) = try self.primary()
        while true {
            if self.isSymbol("[") {
                expression = try self.bracket(after: expression, start: start)
                height += 1
            } else if self.isKeyword("offset") {
                self.advance()
                let place = self.current.start
                let offset = try self.signedSpan(in: "offset")
                expression = try self.modify(expression, at: place) {
                    (modifiers: inout TimeModifiers) throws(PromQLError) in
                    guard modifiers.offset == 0, modifiers.offsetFormula == nil else {
                        throw PromQLError(.syntax, "offset may not be set multiple times")
                    }
                    modifiers.offset = offset.length
                    modifiers.offsetFormula = offset.formula
                }
            } else if self.isSymbol("@") {
                self.advance()
                let place = self.current.start
                let anchor = try self.anchor()
                expression = try self.modify(expression, at: place) {
                    (modifiers: inout TimeModifiers) throws(PromQLError) in
                    guard modifiers.at == nil else {
                        throw PromQLError(.syntax, "@ <timestamp> may not be set multiple times")
                    }
                    modifiers.at = anchor
                }
            } else if let borders = Selector.Borders.allCases.first(where: { self.isKeyword($0.rawValue) }) {
                expression = try self.selector(expression, with: borders)
                self.advance()
            } else {
                return (expression, height)
            }
        }
    }

    private func selector(
        _ expression: Expression,
        with borders: Selector.Borders
    ) throws(PromQLError) -> Expression {
        guard case .selector(var selector) = expression else {
            var reason = "\(borders.rawValue) modifier not implemented"
            if case .subquery = expression { reason = "\(borders.rawValue) modifier is not supported for subqueries" }
            throw self.failure(reason, hint: "it stands behind a selector")
        }
        guard selector.borders == nil || selector.borders == borders else {
            throw self.failure("anchored and smoothed modifiers cannot be used together")
        }
        selector.borders = borders
        return .selector(selector)
    }

    private func modify(
        _ expression: Expression,
        at place: Int,
        by change: (inout TimeModifiers) throws(PromQLError) -> Void
    ) throws(PromQLError) -> Expression {
        do throws(PromQLError) {
            switch expression {
            case .selector(var selector):
                try change(&selector.modifiers)
                return .selector(selector)
            case .subquery(var subquery):
                try change(&subquery.modifiers)
                return .subquery(subquery)
            default:
                throw PromQLError(
                    .syntax,
                    "offset and @ modifiers must be preceded by a selector or a subquery",
                    hint: "put it directly after the selector"
                )
            }
        } catch {
            throw self.failure(error.message, at: place, hint: error.hint)
        }
    }

    private mutating func bracket(after expression: Expression, start: Int) throws(PromQLError) -> Expression {
        let place = self.current.start
        self.advance()
        let window = try self.positiveSpan(in: "range")
        if self.take(":") {
            let step = self.isSymbol("]") ? nil : try self.positiveSpan(in: "subquery step")
            try self.expect("]", in: "subquery selector")
            guard expression.type == .vector else {
                throw self.failure(
                    "subquery is only allowed on instant vector, got \(expression.type.rawValue) instead",
                    at: start,
                    hint: expression.type == .scalar ? "vector(…) turns a scalar into a vector" : nil
                )
            }
            return .subquery(
                Subquery(
                    inner: expression,
                    window: window.length,
                    windowFormula: window.formula,
                    step: step?.length,
                    stepFormula: step?.formula,
                    modifiers: TimeModifiers()
                )
            )
        }
        try self.expect("]", in: "range selector")
        guard case .selector(var selector) = expression, selector.window == nil else {
            throw self.failure(
                "ranges only allowed for vector selectors",
                at: place,
                hint: "a subquery needs a colon: [\(PrometheusDuration.text(window.length)):]"
            )
        }
        guard selector.modifiers == TimeModifiers() else {
            let modifier = selector.at == nil ? "offset" : "@"
            throw self.failure(
                "no \(modifier) modifiers allowed before range",
                at: place,
                hint: "write it after the range"
            )
        }
        selector.window = window.length
        selector.windowFormula = window.formula
        return .selector(selector)
    }

    // MARK: Primaries

    private mutating func primary() throws(PromQLError) -> (Expression, height: Int) {
        let token = self.current
        switch token.kind {
        case .number(let value):
            self.advance()
            return (.number(value), 1)
        case .duration(let span):
            self.advance()
            return (.number(Double(span) / 1000), 1)
        case .string(let text):
            self.advance()
            return (.string(text), 1)
        case .symbol("("):
            self.advance()
            let (inner, height) = try self.expression(minimum: 0)
            guard self.take(")") else { throw self.unclosed("expected \")\"", opening: token.start) }
            return (.parentheses(inner), height + 1)
        case .symbol("{"):
            return (.selector(try self.selector(metric: nil)), 1)
        case .identifier(let text):
            return try self.named(text)
        default:
            throw self.failure("unexpected \(token.name)", hint: self.hintForOperand())
        }
    }

    private mutating func named(_ text: String) throws(PromQLError) -> (Expression, height: Int) {
        let lowered = text.lowercased()
        let opensParenthesis = self.following.kind == .symbol("(")
        if let operation = AggregationOperator(rawValue: lowered) {
            let grouped =
                if case .identifier(let next) = self.following.kind {
                    next.lowercased() == "by" || next.lowercased() == "without"
                } else {
                    false
                }
            if opensParenthesis || grouped { return try self.aggregation(operation) }
        }
        if opensParenthesis { return try self.call(text) }
        if self.following.kind != .symbol("{"), lowered == "inf" || lowered == "nan" {
            self.advance()
            return (.number(lowered == "inf" ? .infinity : .nan), 1)
        }
        self.advance()
        return (.selector(try self.selector(metric: text)), 1)
    }

    private mutating func arguments(
        in context: String
    ) throws(PromQLError) -> (arguments: [(expression: Expression, start: Int)], height: Int) {
        let opening = self.current.start
        try self.expect("(", in: context)
        var arguments: [(expression: Expression, start: Int)] = []
        var tallest = 0
        while !self.isSymbol(")") {
            let start = self.current.start
            let (expression, height) = try self.expression(minimum: 0)
            arguments.append((expression, start))
            tallest = max(tallest, height)
            if self.isSymbol(")") { break }
            guard self.take(",") else { throw self.unclosed("expected \",\" or \")\" in \(context)", opening: opening) }
            if self.isSymbol(")") { throw self.failure("trailing commas not allowed in \(context)") }
        }
        self.advance()
        return (arguments, tallest)
    }

    private mutating func call(_ name: String) throws(PromQLError) -> (Expression, height: Int) {
        guard let function = Function(rawValue: name) else {
            throw self.unknownFunction(name)
        }
        let place = self.current.start
        self.advance()
        let (arguments, height) = try self.arguments(in: "function call")
        let signature = function.signature
        let types = signature.arguments.count
        let least = types - signature.optional
        guard arguments.count >= least, arguments.count - types <= signature.repetitions else {
            let isExact = signature.optional == 0 && signature.repetitions == 0
            let isShort = arguments.count < least
            let wanted =
                isExact ? "\(least)" : isShort ? "at least \(least)" : "at most \(types + signature.repetitions)"
            throw self.failure(
                "expected \(wanted) argument(s) in call to \"\(name)\", got \(arguments.count)",
                at: place
            )
        }
        for (index, argument) in arguments.enumerated() {
            let expected = signature.arguments[min(index, types - 1)]
            try self.check(argument.expression, is: expected, in: "call to function \"\(name)\"", at: argument.start)
        }
        try self.checkConstants(of: function, arguments)
        return (.call(FunctionCall(function: function, arguments: arguments.map(\.expression))), height + 1)
    }

    private func check(
        _ expression: Expression,
        is expected: ExpressionType,
        in context: String,
        at place: Int
    ) throws(PromQLError) {
        let actual = expression.type
        guard actual != expected else { return }
        let hint: String? =
            switch (expected, actual) {
            case (.matrix, .vector): "add a range, for example [5m]"
            case (.vector, .matrix): "leave the range out, or wrap it in a function such as last_over_time()"
            case (.vector, .scalar): "vector(…) turns a scalar into a vector"
            case (.scalar, .vector): "scalar(…) turns a vector of one element into a scalar"
            default: nil
            }
        throw self.failure(
            "expected type \(expected.rawValue) in \(context), got \(actual.rawValue)",
            at: place,
            hint: hint
        )
    }

    private mutating func aggregation(_ operation: AggregationOperator) throws(PromQLError) -> (Expression, height: Int)
    {
        let place = self.current.start
        self.advance()
        var grouping: Aggregation.Grouping? = try self.grouping()
        let (arguments, height) = try self.arguments(in: "aggregation")
        if grouping == nil { grouping = try self.grouping() }
        let wanted = operation.parameter == nil ? 1 : 2
        guard arguments.count == wanted else {
            throw self.failure(
                "wrong number of arguments for aggregate expression provided, expected \(wanted), got \(arguments.count)",
                at: place
            )
        }
        let inner = arguments[wanted - 1]
        try self.check(inner.expression, is: .vector, in: "aggregation expression", at: inner.start)
        if let parameter = operation.parameter {
            try self.check(arguments[0].expression, is: parameter, in: "aggregation parameter", at: arguments[0].start)
        }
        let aggregation = Aggregation(
            operation: operation,
            parameter: wanted == 2 ? arguments[0].expression : nil,
            inner: inner.expression,
            grouping: grouping ?? .by([])
        )
        return (.aggregation(aggregation), height + 1)
    }

    private mutating func grouping() throws(PromQLError) -> Aggregation.Grouping? {
        if self.isKeyword("by") {
            self.advance()
            return .by(try self.labelNames(in: "grouping opts"))
        }
        if self.isKeyword("without") {
            self.advance()
            return .without(try self.labelNames(in: "grouping opts"))
        }
        return nil
    }
}

extension Parser {
    /// What can be known to fail before any sample is read.
    private func checkConstants(
        of function: Function,
        _ arguments: [(expression: Expression, start: Int)]
    ) throws(PromQLError) {
        guard [.labelReplace, .labelJoin, .histogramQuantiles].contains(function) else { return }
        if case .string(let name) = arguments[1].expression.unwrapped, name.isEmpty || name.contains("\u{FFFD}") {
            throw self.failure(
                "invalid destination label name in \(function.rawValue)(): \(NumberText.quoted(name))",
                at: arguments[1].start
            )
        }
        if function == .labelReplace, case .string(let pattern) = arguments[4].expression.unwrapped {
            do {
                _ = try LabelPattern(pattern)
            } catch {
                throw self.failure(
                    "invalid regular expression in label_replace(): \(error.message)",
                    at: arguments[4].start
                )
            }
        }
    }
}
