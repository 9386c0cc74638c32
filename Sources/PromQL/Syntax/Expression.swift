// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// What an expression yields.
package enum ExpressionType: String, Hashable, Sendable {
    case scalar
    case string
    case vector = "instant vector"
    case matrix = "range vector"
}

/// A parsed PromQL expression, as it was written: parentheses are kept.
package indirect enum Expression: Hashable, Sendable {
    case number(Double)
    case string(String)
    /// An instant selector, or a range selector where the selector has a window.
    case selector(Selector)
    case subquery(Subquery)
    case parentheses(Expression)
    /// `+x`, which changes nothing, or `-x`.
    case unary(negates: Bool, Expression)
    case binary(BinaryOperation)
    case aggregation(Aggregation)
    case call(FunctionCall)
}

/// A set of series and which of their samples: `x{a="b"}[5m] offset 1h @ 0`.
///
/// Conditions on `__quality__` ask for samples of other quality than the evaluation's own: `__quality__=~"1|2|3"`.
package struct Selector: Hashable, Sendable {
    package static let qualityLabel = "__quality__"
    /// The same for the test that samples failed: `__failed_test__="spike"`, empty for all others.
    package static let failedTestLabel = "__failed_test__"

    /// Whether a condition on this name is on the marks of samples, not on the labels of series.
    package static func isOnMarks(_ name: String) -> Bool { name == self.qualityLabel || name == self.failedTestLabel }

    /// The name where the selector asks for exactly one.
    package var metric: String? {
        self.matchers.first { $0.name == Labels.metricName && $0.operation == .equal }?.value
    }
    /// All conditions, the one on `__name__` included.
    package var matchers: [LabelMatcher]
    /// The length of a range selector; nil for an instant selector.
    package var window: Milliseconds?
    /// How the length follows from the query; ``window`` is then what an instant query makes of it, or 0.
    package var windowFormula: SpanFormula?
    package var borders: Borders?
    package var modifiers: TimeModifiers

    /// How the values at the borders of a range are found beside the samples in it.
    package enum Borders: String, CaseIterable, Hashable, Sendable {
        /// The sample before the range, if its look-back reaches it, stands for the value at its beginning.
        case anchored
        /// On lines to the samples beyond the borders, within the look-back; of an instant selector, at the moment.
        case smoothed
    }

    package var offset: Milliseconds { self.modifiers.offset }
    package var at: TimeModifiers.Anchor? { self.modifiers.at }

    /// The conditions on labels, without those on the marks of samples.
    package var labelMatchers: [LabelMatcher] { self.matchers.filter { !Selector.isOnMarks($0.name) } }

    /// What the conditions on the marks of samples ask for; nil where there are none.
    package var qualities: QualitySet? {
        let asked = self.matchers.filter { Selector.isOnMarks($0.name) }
        guard !asked.isEmpty else { return nil }
        let marks =
            Quality.allCases.map { SampleMark(quality: $0) } + QualityTest.allCases.map { SampleMark(failed: $0) }
        return marks.reduce(into: QualitySet()) { set, mark in
            let isAsked = asked.allSatisfy { matcher in
                matcher.name == Selector.qualityLabel
                    ? matcher.matches("\(mark.quality.rawValue)") : matcher.matches(mark.failedTest?.description ?? "")
            }
            if isAsked { set.insert(QualitySet(rawValue: 1 << (mark.rawValue & 0x0F))) }
        }
    }
}

/// `offset` and `@`.
package struct TimeModifiers: Hashable, Sendable {
    package enum Anchor: Hashable, Sendable {
        case time(Timestamp)
        case start
        case end
    }

    /// How far back; negative looks ahead.
    package var offset: Milliseconds = 0
    /// As ``Selector/windowFormula``.
    package var offsetFormula: SpanFormula?
    package var at: Anchor?

    /// Whether it looks from the query's own times, wherever it stands.
    var followsQuery: Bool { self.at == .start || self.at == .end }
}

/// `expression[range:step]`.
package struct Subquery: Hashable, Sendable {
    package var inner: Expression
    package var window: Milliseconds
    /// As ``Selector/windowFormula``.
    package var windowFormula: SpanFormula?
    /// Nil where the default resolution applies.
    package var step: Milliseconds?
    /// As ``Selector/windowFormula``.
    package var stepFormula: SpanFormula?
    package var modifiers: TimeModifiers
}

package enum BinaryOperator: String, CaseIterable, Hashable, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case modulo = "%"
    case power = "^"
    case atan2
    case equal = "=="
    case notEqual = "!="
    case greater = ">"
    case less = "<"
    case greaterOrEqual = ">="
    case lessOrEqual = "<="
    case and
    case or
    case unless

    package var isComparison: Bool {
        switch self {
        case .equal, .notEqual, .greater, .less, .greaterOrEqual, .lessOrEqual: true
        case .add, .subtract, .multiply, .divide, .modulo, .power, .atan2, .and, .or, .unless: false
        }
    }

    package var isSet: Bool { self == .and || self == .or || self == .unless }

    /// Binds tighter the higher it is.
    var precedence: Int {
        switch self {
        case .or: 1
        case .and, .unless: 2
        case .equal, .notEqual, .greater, .less, .greaterOrEqual, .lessOrEqual: 3
        case .add, .subtract: 4
        case .multiply, .divide, .modulo, .atan2: 5
        case .power: 6
        }
    }
}

/// How the elements of two vectors find each other.
package struct VectorMatching: Hashable, Sendable {
    package enum Cardinality: Hashable, Sendable {
        case oneToOne
        /// `group_left`: many on the left.
        case manyToOne
        /// `group_right`: many on the right.
        case oneToMany
    }

    /// Whether `labels` are those compared (`on`) or those left out (`ignoring`, and the default).
    package var isOn = false
    package var labels: [String] = []
    package var cardinality = Cardinality.oneToOne
    /// Labels taken from the "one" side, from `group_left(…)`.
    package var include: [String] = []
    package var fill = Fill()

    /// What stands for elements that have no partner; nil where those are left out.
    ///
    /// As in Prometheus, with `group_right` the left value is that of the right side, where the many are.
    package struct Fill: Hashable, Sendable {
        /// From `fill_left(…)`.
        package var left: Double?
        /// From `fill_right(…)`.
        package var right: Double?

        package var isEmpty: Bool { self.left == nil && self.right == nil }
    }
}

package struct BinaryOperation: Hashable, Sendable {
    package var operation: BinaryOperator
    package var left: Expression
    package var right: Expression
    package var returnsBool: Bool
    package var matching: VectorMatching

    /// Whether every element of the result comes of one of the left side and one of the right.
    package var needsBothSides: Bool {
        self.operation != .or && self.operation != .unless && self.matching.fill.isEmpty
    }
}

package enum AggregationOperator: String, CaseIterable, Hashable, Sendable {
    case sum
    case avg
    case min
    case max
    case count
    case group
    case stddev
    case stdvar
    case topk
    case bottomk
    case quantile
    case countValues = "count_values"
    case limitk
    case limitRatio = "limit_ratio"

    /// The type of the argument before the vector; nil where there is none.
    var parameter: ExpressionType? {
        switch self {
        case .topk, .bottomk, .quantile, .limitk, .limitRatio: .scalar
        case .countValues: .string
        case .sum, .avg, .min, .max, .count, .group, .stddev, .stdvar: nil
        }
    }
}

package struct Aggregation: Hashable, Sendable {
    package enum Grouping: Hashable, Sendable {
        case by([String])
        case without([String])
    }

    package var operation: AggregationOperator
    package var parameter: Expression?
    package var inner: Expression
    /// `by ()` where nothing was written.
    package var grouping: Grouping
}

package struct FunctionCall: Hashable, Sendable {
    package var function: Function
    package var arguments: [Expression]

    package init(function: Function, arguments: [Expression]) {
        self.function = function
        self.arguments = arguments
    }
}

extension Expression {
    package var type: ExpressionType {
        switch self {
        case .number: .scalar
        case .string: .string
        case .selector(let selector): selector.window == nil ? .vector : .matrix
        case .subquery: .matrix
        case .parentheses(let inner): inner.type
        case .unary(_, let inner): inner.type
        case .binary(let binary):
            binary.left.type == .scalar && binary.right.type == .scalar ? .scalar : .vector
        case .aggregation: .vector
        case .call(let call): call.function.signature.result
        }
    }

    /// Without the parentheses around it.
    package var unwrapped: Expression {
        var current = self
        while case .parentheses(let inner) = current { current = inner }
        return current
    }
}
