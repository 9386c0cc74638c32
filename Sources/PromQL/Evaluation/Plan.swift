// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// An expression in the form that is evaluated: names resolved, selectors numbered, constants prepared.
indirect enum Plan: Sendable {
    case number(Double)
    case string(String)
    case instant(SelectorPlan)
    case window(SelectorPlan)
    case subquery(SubqueryPlan)
    case negation(Plan)
    case scalarOperation(BinaryPlan)
    case vectorScalar(BinaryPlan)
    case scalarVector(BinaryPlan)
    case vectorVector(BinaryPlan)
    case aggregation(AggregationPlan)
    case call(CallPlan)

    var type: ExpressionType {
        switch self {
        case .number, .scalarOperation: .scalar
        case .string: .string
        case .instant, .vectorScalar, .scalarVector, .vectorVector, .aggregation: .vector
        case .window, .subquery: .matrix
        case .negation(let inner): inner.type
        case .call(let call): call.function.signature.result
        }
    }
}

/// Which times a selector is evaluated at, as a span around the query's own times or a fixed moment.
struct TimeSpan: Sendable {
    enum Base: Sendable {
        case query
        case start
        case end
        case fixed(Timestamp)
    }

    var base = Base.query
    /// Added to the earliest and the latest evaluation time.
    var earliest: Milliseconds = 0
    var latest: Milliseconds = 0

    func applying(_ modifiers: TimeModifiers) -> TimeSpan {
        var span = self
        switch modifiers.at {
        case nil: break
        case .start: span = TimeSpan(base: .start)
        case .end: span = TimeSpan(base: .end)
        case .time(let moment): span = TimeSpan(base: .fixed(moment))
        }
        span.earliest = span.earliest.subtracting(modifiers.offset)
        span.latest = span.latest.subtracting(modifiers.offset)
        return span
    }

    func reaching(back window: Milliseconds) -> TimeSpan {
        var span = self
        span.earliest = span.earliest.subtracting(window)
        return span
    }

    func bounds(from: Timestamp, through: Timestamp) -> (earliest: Timestamp, latest: Timestamp) {
        switch self.base {
        case .query: (from + self.earliest, through + self.latest)
        case .start: (from + self.earliest, from + self.latest)
        case .end: (through + self.earliest, through + self.latest)
        case .fixed(let moment): (moment + self.earliest, moment + self.latest)
        }
    }
}

extension Milliseconds {
    /// Held inside the representable range.
    func subtracting(_ other: Milliseconds) -> Milliseconds {
        let (difference, overflow) = self.subtractingReportingOverflow(other)
        guard overflow else { return difference }
        return other > 0 ? .min : .max
    }
}

final class SelectorPlan: Sendable {
    /// Its place among the query's selectors.
    let index: Int
    let selector: Selector
    /// When it is evaluated.
    let span: TimeSpan
    /// Whether it stands inside a subquery, whose own steps decide when a result changes.
    let isInSubquery: Bool
    /// Whether the sample exactly at the open border of the window is read, too: it tells what a `gap_total` spans.
    let readsBorder: Bool
    /// The conditions on stored labels.
    let matchers: [LabelMatcher]
    /// What the conditions on `__quality__` ask for; nil where there are none.
    let qualities: QualitySet?

    init(index: Int, selector: Selector, span: TimeSpan, isInSubquery: Bool, readsBorder: Bool) {
        self.index = index
        self.selector = selector
        self.span = span
        self.isInSubquery = isInSubquery
        self.readsBorder = readsBorder
        self.matchers = selector.labelMatchers
        self.qualities = selector.qualities
    }

    /// How long before the evaluation time a sample may lie and still be read, look-back aside.
    var reach: Milliseconds {
        switch self.span.base {
        case .query, .start, .end: max(0, (self.selector.window ?? 0).subtracting(self.span.earliest))
        case .fixed: 0
        }
    }
}

final class SubqueryPlan: Sendable {
    let subquery: Subquery
    let inner: Plan
    let isInSubquery: Bool

    init(subquery: Subquery, inner: Plan, isInSubquery: Bool) {
        self.subquery = subquery
        self.inner = inner
        self.isInSubquery = isInSubquery
    }
}

final class BinaryPlan: Sendable {
    let operation: BinaryOperator
    let left: Plan
    let right: Plan
    let returnsBool: Bool
    let matching: VectorMatching

    init(_ binary: BinaryOperation, left: Plan, right: Plan) {
        self.operation = binary.operation
        self.left = left
        self.right = right
        self.returnsBool = binary.returnsBool
        self.matching = binary.matching
    }
}

final class AggregationPlan: Sendable {
    let operation: AggregationOperator
    let parameter: Plan?
    let inner: Plan
    let grouping: Aggregation.Grouping

    init(_ aggregation: Aggregation, parameter: Plan?, inner: Plan) {
        self.operation = aggregation.operation
        self.parameter = parameter
        self.inner = inner
        self.grouping = aggregation.grouping
    }
}

final class CallPlan: Sendable {
    let function: Function
    let arguments: [Plan]
    /// The labels that `absent` gives its element.
    let absentLabels: Labels
    /// The regular expression of `label_replace`.
    let pattern: LabelPattern?
    /// An annotation that goes with any result.
    let note: String?

    init(function: Function, arguments: [Plan], absentLabels: Labels, pattern: LabelPattern?, note: String?) {
        self.function = function
        self.arguments = arguments
        self.absentLabels = absentLabels
        self.pattern = pattern
        self.note = note
    }

    /// The literal text of a string argument.
    func text(_ index: Int) -> String {
        guard index < self.arguments.count, case .string(let text) = self.arguments[index] else { return "" }
        return text
    }
}
