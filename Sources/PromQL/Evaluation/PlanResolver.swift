// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Turns an expression into a plan.
struct PlanResolver {
    private(set) var selectors: [SelectorPlan] = []
    private(set) var dependsOnTime = false
    private(set) var hasSpanFormulas = false
    private(set) var asksForItself = false
    private(set) var subquerySteps: Int64 = 0
    private var readsBorder = false

    mutating func plan(_ expression: Expression) throws(PromQLError) -> Plan {
        try self.plan(expression, span: TimeSpan(), isInSubquery: false)
    }

    private mutating func plan(
        _ expression: Expression,
        span: TimeSpan,
        isInSubquery: Bool
    ) throws(PromQLError) -> Plan {
        switch expression {
        case .number(let value): return .number(value)
        case .string(let text): return .string(text)
        case .parentheses(let inner): return try self.plan(inner, span: span, isInSubquery: isInSubquery)
        case .unary(let negates, let inner):
            let plan = try self.plan(inner, span: span, isInSubquery: isInSubquery)
            return negates ? .negation(plan) : plan
        case .selector(let selector):
            let plan = SelectorPlan(
                index: self.selectors.count,
                selector: selector,
                span: span.applying(selector.modifiers),
                isInSubquery: isInSubquery && !selector.modifiers.followsQuery,
                readsBorder: self.readsBorder
            )
            self.selectors.append(plan)
            if selector.borders == .smoothed { self.dependsOnTime = true }
            if selector.windowFormula != nil { self.hasSpanFormulas = true }
            self.note(selector.modifiers)
            return selector.window == nil ? .instant(plan) : .window(plan)
        case .subquery(let subquery):
            let step = subquery.step ?? EvaluationOptions().defaultSubqueryStep
            // What follows from the query itself is not known yet.
            if step > 0 { self.subquerySteps = max(self.subquerySteps, subquery.window / step) }
            let inner = try self.plan(
                subquery.inner,
                span: span.applying(subquery.modifiers).reaching(back: subquery.window),
                isInSubquery: true
            )
            if subquery.windowFormula != nil || subquery.stepFormula != nil { self.hasSpanFormulas = true }
            self.note(subquery.modifiers)
            let standsInside = isInSubquery && !subquery.modifiers.followsQuery
            return .subquery(SubqueryPlan(subquery: subquery, inner: inner, isInSubquery: standsInside))
        case .binary(let binary):
            let left = try self.plan(binary.left, span: span, isInSubquery: isInSubquery)
            let right = try self.plan(binary.right, span: span, isInSubquery: isInSubquery)
            let plan = BinaryPlan(binary, left: left, right: right)
            switch (left.type, right.type) {
            case (.scalar, .scalar): return .scalarOperation(plan)
            case (_, .scalar): return .vectorScalar(plan)
            case (.scalar, _): return .scalarVector(plan)
            default: return .vectorVector(plan)
            }
        case .aggregation(let aggregation):
            var parameter: Plan?
            if let written = aggregation.parameter {
                parameter = try self.plan(written, span: span, isInSubquery: isInSubquery)
            }
            let inner = try self.plan(aggregation.inner, span: span, isInSubquery: isInSubquery)
            return .aggregation(AggregationPlan(aggregation, parameter: parameter, inner: inner))
        case .call(let call):
            return try self.plan(call, span: span, isInSubquery: isInSubquery)
        }
    }

    private mutating func note(_ modifiers: TimeModifiers) {
        if modifiers.offsetFormula != nil { self.hasSpanFormulas = true }
        if modifiers.followsQuery { self.asksForItself = true }
    }

    private mutating func plan(
        _ call: FunctionCall,
        span: TimeSpan,
        isInSubquery: Bool
    ) throws(PromQLError) -> Plan {
        try Self.checkBorders(call)
        let outer = self.readsBorder
        self.readsBorder = call.function == .coveredSumOverTime
        defer { self.readsBorder = outer }
        var arguments: [Plan] = []
        for argument in call.arguments {
            arguments.append(try self.plan(argument, span: span, isInSubquery: isInSubquery))
        }
        if [.queryStart, .queryEnd, .queryRange, .queryStep].contains(call.function) { self.asksForItself = true }
        var pattern: LabelPattern?
        switch call.function {
        case .timestamp:
            if case .instant? = arguments.first {} else { self.dependsOnTime = true }
        case .labelReplace:
            if case .string(let text)? = arguments.last { pattern = try Self.pattern(text) }
        default:
            if call.function.movesWithTime(argumentCount: arguments.count) { self.dependsOnTime = true }
        }
        return .call(
            CallPlan(
                function: call.function,
                arguments: arguments,
                absentLabels: Self.absentLabels(call),
                pattern: pattern,
                note: Self.counterNote(call)
            )
        )
    }

    /// As in Prometheus it is the execution that finds that out.
    private static func checkBorders(_ call: FunctionCall) throws(PromQLError) {
        for case .selector(let selector) in call.arguments.map(\.unwrapped) where selector.window != nil {
            guard let borders = selector.borders, !BorderedWindow.functions(borders).contains(call.function) else {
                continue
            }
            let names = BorderedWindow.functions(borders).map(\.rawValue).joined(separator: ", ")
            throw PromQLError(
                .execution,
                "\(borders.rawValue) modifier can only be used with: \(names) - not with \(call.function.rawValue)"
            )
        }
    }

    /// What is wrong with it belongs to the execution, as in Prometheus, which looks at it only then.
    private static func pattern(_ text: String) throws(PromQLError) -> LabelPattern {
        do { return try LabelPattern(text) } catch {
            throw PromQLError(
                .execution,
                "invalid regular expression in label_replace(): \(text): \(error.message)",
                hint: error.hint
            )
        }
    }

    /// The labels that the selector of `absent` requires by equality, each once.
    private static func absentLabels(_ call: FunctionCall) -> Labels {
        guard call.function == .absent || call.function == .absentOverTime,
            case .selector(let selector)? = call.arguments.first?.unwrapped
        else { return .empty }
        var labels = Labels.empty
        var seen: Set<String> = []
        for matcher in selector.matchers where matcher.name != Labels.metricName {
            let isFirst = seen.insert(matcher.name).inserted
            labels[matcher.name] = isFirst && matcher.operation == .equal ? matcher.value : ""
        }
        return labels
    }

    private static func counterNote(_ call: FunctionCall) -> String? {
        guard call.function == .rate || call.function == .increase || call.function == .irate,
            case .selector(let selector)? = call.arguments.first?.unwrapped, let metric = selector.metric,
            !["_total", "_sum", "_count", "_bucket"].contains(where: metric.hasSuffix)
        else { return nil }
        return "PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "
            + NumberText.quoted(metric)
    }
}
