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
    /// functions without an argument, `timestamp()` of a computed vector, and the functions that extrapolate to the
    /// borders of a window (`rate`, `increase`, `delta`, `predict_linear`).
    package let dependsOnTime: Bool
    /// Whether every element of the result depends on series of one value of the label `site` only.
    ///
    /// Conservative: false where that is not certain.
    package let isConfinedToSite: Bool
    /// How long before the evaluation time a sample may lie and still decide the result.
    ///
    /// Windows, offsets and subqueries added up, without the look-back of instant selectors. Selectors with `@` and a
    /// fixed time are not counted.
    package let reach: Milliseconds
    /// Makes ranges and subquery steps of whole days calendar days; nil, as in Prometheus, makes them multiples of 24 h.
    package let days: CalendarDays?
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
        self.reach = resolver.selectors.map(\.reach).max() ?? 0
        self.isConfinedToSite = SiteConfinement.confines(expression)
    }

    package var type: ExpressionType { self.expression.type }
}

extension Query: CustomStringConvertible {
    /// Canonical text, which parses back to an equal query.
    package var description: String { self.expression.description }
}
