// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry

/// What a rule looks at: the left side of its comparison, or all of its expression.
struct RuleMeasure: Sendable {
    let query: Query
    /// Whether it warns of low values.
    let seeksLow: Bool
    /// Whether its value is a reading as it came, so that the newest reading tells it.
    let isReading: Bool

    init(_ rule: AlertRule) {
        let compared = RuleMeasure.compared(rule.expr.expression)
        guard case .binary(let binary) = compared, binary.operation.isComparison, binary.left.type == .vector,
            let left = try? Query(binary.left, days: rule.expr.days)
        else {
            self.query = rule.expr
            self.seeksLow = false
            self.isReading = RuleMeasure.isReading(compared)
            return
        }
        self.query = left
        self.seeksLow = binary.operation == .less || binary.operation == .lessOrEqual
        self.isReading = RuleMeasure.isReading(binary.left)
    }

    /// The part that gives an expression its values: what stands after `and` and `unless` only chooses among them.
    private static func compared(_ expression: Expression) -> Expression {
        guard case .binary(let binary) = expression.bare, binary.operation == .and || binary.operation == .unless
        else { return expression.bare }
        return self.compared(binary.left)
    }

    private static func isReading(_ expression: Expression) -> Bool {
        switch expression {
        case .parentheses(let inner): self.isReading(inner)
        case .selector(let selector): selector.window == nil && selector.offset == 0 && selector.at == nil
        case .aggregation(let aggregation):
            (aggregation.operation == .min || aggregation.operation == .max) && self.isReading(aggregation.inner)
        case .number, .string, .subquery, .unary, .binary, .call: false
        }
    }

    /// The most extreme of the elements that fit an alert; nil where there is none, or where the query fails.
    func value(of alert: Labels, at time: Timestamp, _ reader: any SeriesReader) throws -> Double? {
        let options = EvaluationOptions(qualities: .raising, roundsComparisons: true)
        do {
            let values = try Evaluator(reader: reader, options: options).instant(self.query, at: time).samples
                .filter { $0.labels.isCompatible(with: alert) && !$0.value.isNaN }
                .map(\.value)
            // To the nine decimals that comparisons look at.
            return (self.seeksLow ? values.min() : values.max()).map { abs($0) < 4e6 ? ($0 * 1e9).rounded() / 1e9 : $0 }
        } catch is PromQLError {
            return nil
        }
    }
}
