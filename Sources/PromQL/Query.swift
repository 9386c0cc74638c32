// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// A parsed expression, ready to be evaluated any number of times.
///
/// ```swift
/// let query = try Query(parsing: "water_level_meters >= 19")
/// let answer = try Evaluator(reader: store).instant(query, at: now)
/// ```
package struct Query: Sendable {
    package let expression: Expression
    /// Every vector selector, in the order of the text.
    package let selectors: [Selector]
    /// Whether the result changes with the evaluation time although no sample comes or goes: `time()`, date
    /// functions without an argument, `timestamp()` of a computed vector, smoothed selectors, and the functions that
    /// extrapolate to the borders of a window (`rate`, `increase`, `delta`, `predict_linear`).
    package let dependsOnTime: Bool
    /// Whether every element of the result depends on series of one value of the label `site` only.
    ///
    /// Conservative: false where that is not certain.
    package let isConfinedToSite: Bool
    /// How long before the evaluation time a sample may lie and still decide the result.
    ///
    /// Windows, offsets and subqueries added up, without the look-back of instant and anchored selectors. Selectors with `@` and a
    /// fixed time are not counted.
    package let reach: Milliseconds
    /// Whether lengths of time in it follow from its step or range: `x[step()]`.
    package let hasSpanFormulas: Bool
    /// Whether it asks for the first or the last time, the range or the step of the query, so that a range query says
    /// something else than instant queries at its steps.
    let asksForItself: Bool
    /// Makes ranges and subquery steps of whole days calendar days; nil, as in Prometheus, makes them multiples of 24 h.
    package let days: CalendarDays?
    /// How many steps the longest subquery takes by itself.
    package let subquerySteps: Int64
    let plan: Plan

    /// `days` as in ``days``.
    ///
    /// - Throws: ``PromQLError`` with a position.
    package init(parsing text: String, days: CalendarDays? = nil) throws(PromQLError) {
        try self.init(Parser.parse(text), days: days)
    }

    /// A query of a part of another one.
    package init(_ expression: Expression, days: CalendarDays? = nil) throws(PromQLError) {
        var resolver = PlanResolver()
        self.expression = expression
        self.days = days
        self.plan = try resolver.plan(expression)
        self.selectors = resolver.selectors.map(\.selector)
        self.dependsOnTime = resolver.dependsOnTime
        self.hasSpanFormulas = resolver.hasSpanFormulas
        self.asksForItself = resolver.asksForItself
        self.subquerySteps = resolver.subquerySteps
        self.reach = resolver.selectors.map(\.reach).max() ?? 0
        self.isConfinedToSite = SiteConfinement.confines(expression)
    }

    package var type: ExpressionType { self.expression.type }

    /// The same with the lengths of time that `step()` and `range()` make.
    ///
    /// `step` and `range` are zero of an instant query.
    ///
    /// - Throws: ``PromQLError`` where one is none, or where ranges would not be above zero.
    package func resolved(step: Milliseconds = 0, range: Milliseconds = 0) throws(PromQLError) -> Query {
        guard self.hasSpanFormulas else { return self }
        return try Query(self.expression.resolved(step: step, range: range), days: self.days)
    }
}

extension Query {
    /// The calls of a text that name a part of the date, of which all but `minute` differ between UTC and local time.
    ///
    /// - Returns: Their functions and where they stand, in bytes of UTF-8; none of a text that cannot be read.
    package static func callsInUTC(of text: String) -> [(function: Function, offset: Int)] {
        guard let tokens = try? Lexer.tokens(of: Array(text.utf8)) else { return [] }
        return zip(tokens, tokens.dropFirst())
            .compactMap { token, next in
                guard case .identifier(let name) = token.kind, next.kind == .symbol("("),
                    let function = Function(rawValue: name), function.isPartOfDate
                else { return nil }
                return (function, token.start)
            }
    }
}

extension Query: CustomStringConvertible {
    /// Canonical text, which parses back to an equal query.
    package var description: String { self.expression.description }
}
