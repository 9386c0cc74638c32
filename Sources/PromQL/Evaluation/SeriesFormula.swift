// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// A query that makes one number of the samples of one series, in a form that needs neither labels nor a reader.
///
/// Rules ask the same small thing at every reading: the newest value, or what it is above the least of the last hour.
/// The evaluator answers that, too, with vectors, labels and matching, which cost many times the arithmetic. The result
/// is the evaluator's own to the bit; queries that do not fit have no formula.
package struct SeriesFormula: Sendable {
    private enum Step: Sendable {
        case number(Double)
        /// The newest value that is not older than the look-back.
        case newest
        case window(Function, length: Milliseconds, readsBorder: Bool)
        case negation
        case arithmetic(BinaryOperator)
        /// `keepsRight`: what passes is the right side, because the left one is a number.
        case comparison(BinaryOperator, returnsBool: Bool, keepsRight: Bool)
    }

    private static let deepest = 8

    /// What the series is selected by; the same for all selectors of the query.
    package let matchers: [LabelMatcher]
    /// How long before the evaluation time a sample may lie and still be read by a window.
    package let reach: Milliseconds
    /// In the order in which the evaluator looks at them.
    private let steps: [Step]

    /// - Returns: Nil where the query is not of one series, or uses more than windows, arithmetic and comparisons.
    package init?(_ query: Query) {
        guard query.type == .vector, let first = query.selectors.first else { return nil }
        self.matchers = first.matchers
        guard !first.matchers.contains(where: { $0.name == Selector.qualityLabel }),
            query.selectors.allSatisfy({ $0.matchers == first.matchers && $0.offset == 0 && $0.at == nil })
        else { return nil }
        // The sample at the open border of a window may be asked for.
        self.reach = (query.selectors.compactMap(\.window).max() ?? 0) + 1
        var steps: [Step] = []
        guard let depth = Self.compile(query.plan, &steps), depth <= Self.deepest else { return nil }
        self.steps = steps
    }

    /// - Returns: How deep the stack becomes; nil for what has no step.
    private static func compile(_ plan: Plan, _ steps: inout [Step]) -> Int? {
        switch plan {
        case .number(let value): steps.append(.number(value))
        case .instant: steps.append(.newest)
        case .call(let call):
            guard call.arguments.count == 1, call.note == nil, Self.isPlainWindowFunction(call.function),
                case .window(let selector) = call.arguments[0], let length = selector.selector.window
            else { return nil }
            steps.append(.window(call.function, length: length, readsBorder: selector.readsBorder))
        case .negation(let inner):
            guard inner.type == .vector, let depth = Self.compile(inner, &steps) else { return nil }
            steps.append(.negation)
            return depth
        case .vectorScalar(let binary), .scalarVector(let binary), .vectorVector(let binary):
            let matching = binary.matching
            guard !matching.isOn, matching.labels.isEmpty, matching.cardinality == .oneToOne,
                ![.and, .or, .unless].contains(binary.operation),
                let left = Self.compile(binary.left, &steps), let right = Self.compile(binary.right, &steps)
            else { return nil }
            if binary.operation.isComparison {
                let keepsRight = binary.left.type == .scalar
                steps.append(
                    .comparison(binary.operation, returnsBool: binary.returnsBool, keepsRight: keepsRight)
                )
            } else {
                steps.append(.arithmetic(binary.operation))
            }
            return max(left, right + 1)
        case .string, .window, .subquery, .scalarOperation, .aggregation: return nil
        }
        return 1
    }

    private static func isPlainWindowFunction(_ function: Function) -> Bool {
        switch function {
        case .minOverTime, .maxOverTime, .avgOverTime, .sumOverTime, .countOverTime, .stddevOverTime, .stdvarOverTime,
            .lastOverTime, .firstOverTime, .presentOverTime, .madOverTime, .changes, .resets, .irate, .idelta, .deriv,
            .coveredSumOverTime, .possibleSumOverTime:
            true
        default: false
        }
    }

    /// The value at a time, and the earliest time at which it could change although no sample arrives.
    ///
    /// - Parameters:
    ///   - columns: All samples of the series from ``reach`` and its look-back before `time` on, of the qualities that are
    ///     asked for; later ones than `time` are not seen. Stored, not computed, and without stale markers.
    ///   - time: Of the evaluation.
    ///   - roundsComparisons: See ``EvaluationOptions/roundsComparisons``.
    /// - Returns: Nil as the value where the query has no result.
    /// - Throws: ``PromQLError``, as the evaluator would.
    package func value(
        of columns: SeriesColumns,
        at time: Timestamp,
        roundsComparisons: Bool
    ) throws -> (value: Double?, nextChange: Timestamp) {
        var stack = InlineArray<8, Double>(repeating: 0)
        var top = 0
        var nextChange = Timestamp.distantFuture
        let end = columns.times.count(through: time, near: columns.times.count)
        for step in self.steps {
            switch step {
            case .number(let value):
                stack[top] = value
                top += 1
            case .newest:
                guard end > 0 else { return (nil, nextChange) }
                let expiry = columns.times[end - 1] + columns.lookback
                guard expiry > time else { return (nil, nextChange) }
                nextChange = min(nextChange, expiry)
                stack[top] = columns.values[end - 1]
                top += 1
            case .window(let function, let length, let readsBorder):
                let after = time - length
                let first = columns.times.count(through: after, near: 0)
                guard first < end else { return (nil, nextChange) }
                nextChange = min(nextChange, columns.times[first] + length)
                if readsBorder, first > 0, columns.times[first - 1] == after { nextChange = min(nextChange, time + 1) }
                if let value = WindowFunctions.plain(function, of: columns.values, in: first..<end) {
                    stack[top] = value
                } else {
                    let window = Window(
                        columns: columns,
                        first: first,
                        end: end,
                        after: after,
                        through: time
                    )
                    guard let value = try WindowFunctions.value(function, of: window, parameters: [], at: time) else {
                        return (nil, nextChange)
                    }
                    stack[top] = value
                }
                top += 1
            case .negation: stack[top - 1] = -stack[top - 1]
            case .arithmetic(let operation):
                top -= 1
                stack[top - 1] = PromQL.arithmetic(operation, stack[top - 1], stack[top])
            case .comparison(let operation, let returnsBool, let keepsRight):
                top -= 1
                let (left, right) = (stack[top - 1], stack[top])
                let holds = Evaluation.compare(operation, left, right, rounded: roundsComparisons)
                guard holds || returnsBool else { return (nil, nextChange) }
                stack[top - 1] = returnsBool ? (holds ? 1 : 0) : (keepsRight ? right : left)
            }
        }
        return (stack[0], nextChange)
    }
}

extension SeriesColumns {
    /// Whether one of the values is Prometheus's mark for the end of a series.
    package var hasStaleMarker: Bool { self.values.contains(where: \.isStaleMarker) }
}

extension Double {
    /// Whether it is Prometheus's mark for the end of a series.
    package var endsSeries: Bool { self.isStaleMarker }
}
