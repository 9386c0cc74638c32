// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry

/// The unit of a query's values, guessed from the metric names in it; empty where nothing is sure.
struct PlotUnit {
    /// As people write it: `m³/s`.
    let symbol: String

    /// Units of metrics that others send, by the suffix that Prometheus's conventions give them.
    private static let foreign = ["seconds": "s", "bytes": "B", "joules": "J", "grams": "g", "amperes": "A"]

    init(ofQuery text: String) {
        self.symbol = (try? Query(parsing: text)).flatMap { Self.symbol(of: $0.expression) } ?? ""
    }

    /// In letters that every terminal has.
    var ascii: String {
        let plain: [Character: String] = [
            "³": "3", "²": "2", "⁶": "6", "°": "deg", "℃": "degC", "℉": "degF", "µ": "u", "μ": "u",
        ]
        return self.symbol.map { plain[$0] ?? String($0) }.joined()
    }

    private static func symbol(ofMetric metric: String) -> String? {
        let known = Unit(ofMetric: metric).symbol
        if !known.isEmpty { return known }
        return metric.split(separator: "_").last.flatMap { self.foreign[String($0)] }
    }

    /// Nil where the values have no unit, or several.
    private static func symbol(of expression: Expression) -> String? {
        switch expression {
        case .selector(let selector): selector.metric.flatMap(self.symbol(ofMetric:))
        case .subquery(let subquery): self.symbol(of: subquery.inner)
        case .parentheses(let inner), .unary(_, let inner): self.symbol(of: inner)
        case .aggregation(let aggregation): self.symbol(of: aggregation)
        case .binary(let binary): self.symbol(of: binary)
        case .call(let call): self.symbol(of: call)
        case .number, .string: nil
        }
    }

    private static func symbol(of aggregation: Aggregation) -> String? {
        switch aggregation.operation {
        case .sum, .avg, .min, .max, .stddev, .topk, .bottomk, .quantile, .limitk, .limitRatio:
            self.symbol(of: aggregation.inner)
        default: nil
        }
    }

    private static func symbol(of binary: BinaryOperation) -> String? {
        guard !binary.returnsBool else { return nil }
        let left = self.symbol(of: binary.left)
        switch binary.operation {
        case .add, .subtract, .or:
            let right = self.symbol(of: binary.right)
            return left == right || right == nil ? left : left == nil ? right : nil
        case .and, .unless: return left
        case .modulo: return left
        case .multiply, .divide, .power, .atan2: return nil
        default: return left
        }
    }

    private static func symbol(of call: FunctionCall) -> String? {
        let inner = call.arguments.lazy.compactMap { self.symbol(of: $0) }.first
        switch call.function {
        case .abs, .ceil, .floor, .round, .clamp, .clampMin, .clampMax, .delta, .idelta, .increase, .avgOverTime,
            .minOverTime, .maxOverTime, .sumOverTime, .lastOverTime, .firstOverTime, .quantileOverTime,
            .stddevOverTime, .predictLinear, .labelReplace, .labelJoin, .sort, .sortDesc, .sortByLabel,
            .sortByLabelDesc, .scalar, .vector, .coveredSumOverTime, .possibleSumOverTime:
            return inner
        case .rate, .irate, .deriv: return inner.map { $0.hasSuffix("/s") ? "\($0)²" : "\($0)/s" }
        case .time, .timestamp: return "s"
        default: return nil
        }
    }
}
