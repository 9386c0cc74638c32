// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry

/// Our expressions in the words of a plain Prometheus.
struct PrometheusRewriting {
    let lookback: (Selector) -> Milliseconds
    /// What is lost, each once.
    private(set) var notes: [String] = []

    init(lookback: @escaping (Selector) -> Milliseconds) { self.lookback = lookback }

    mutating func text(_ query: Query) -> String { self.text(query.expression) }

    mutating func text(_ expression: Expression) -> String { self.rewritten(expression).description }

    mutating func rewritten(_ expression: Expression) -> Expression {
        switch expression {
        case .number, .string: return expression
        case .selector(let selector): return self.rewritten(selector)
        case .parentheses(let inner): return .parentheses(self.rewritten(inner))
        case .unary(let negates, let inner): return .unary(negates: negates, self.rewritten(inner))
        case .subquery(var subquery):
            subquery.inner = self.rewritten(subquery.inner)
            return .subquery(subquery)
        case .binary(var binary):
            binary.left = self.rewritten(binary.left)
            binary.right = self.rewritten(binary.right)
            if !binary.matching.fill.isEmpty { self.note("fill wants --enable-feature=promql-binop-fill-modifiers") }
            return .binary(binary)
        case .aggregation(var aggregation):
            aggregation.inner = self.rewritten(aggregation.inner)
            aggregation.parameter = aggregation.parameter.map { self.rewritten($0) }
            return .aggregation(aggregation)
        case .call(let call): return self.rewritten(call)
        }
    }

    private mutating func rewritten(_ selector: Selector) -> Expression {
        let plain = self.withoutQuality(selector)
        if plain.window != nil, let borders = plain.borders {
            self.note(
                "\(borders.rawValue) wants --enable-feature=promql-extended-range-selectors, and has one look-back there"
            )
        }
        guard plain.window == nil, !plain.isComputed else { return .selector(plain) }
        return .call(FunctionCall(function: .lastOverTime, arguments: [.selector(self.window(plain))]))
    }

    private mutating func rewritten(_ call: FunctionCall) -> Expression {
        var call = call
        if let only = call.arguments.first, call.arguments.count == 1, case .selector(let selector) = only.bare,
            selector.window == nil, !selector.isComputed
        {
            let plain = self.withoutQuality(selector)
            if call.function == .absent {
                // So that the labels of the selector stay those of the answer.
                return .call(FunctionCall(function: .absentOverTime, arguments: [.selector(self.window(plain))]))
            }
            if call.function == .timestamp {
                self.note("timestamp() sees a sample for the look-back of the server, not for that of the channel")
                return .call(FunctionCall(function: .timestamp, arguments: [.selector(plain)]))
            }
        }
        if call.function == .coveredSumOverTime || call.function == .possibleSumOverTime {
            self.note("\(call.function.rawValue) is sum_over_time here: totals that span a gap count where they end")
            call.function = .sumOverTime
        }
        call.arguments = call.arguments.map { self.rewritten($0) }
        return .call(call)
    }

    private func window(_ selector: Selector) -> Selector {
        var selector = selector
        selector.window = self.lookback(selector)
        selector.borders = nil
        return selector
    }

    private mutating func withoutQuality(_ selector: Selector) -> Selector {
        guard selector.qualities != nil else { return selector }
        self.note("conditions on __quality__ are left out")
        var plain = selector
        plain.matchers = selector.labelMatchers
        return plain
    }

    private mutating func note(_ note: String) {
        if !self.notes.contains(note) { self.notes.append(note) }
    }
}

extension Selector {
    /// Whether what it finds is computed at each evaluation: facts of sites (thresholds, field capacity), silence, alerts.
    fileprivate var isComputed: Bool {
        guard let metric = self.metric else { return false }
        return metric.hasPrefix("site_") || metric == CompiledRule.silenceMetric
            || metric == "ALERTS" || metric == "ALERTS_FOR_STATE"
    }
}

extension Expression {
    /// Without the parentheses around it.
    var bare: Expression {
        if case .parentheses(let inner) = self { return inner.bare }
        return self
    }
}

/// `clear` in a language that has none: what fired at the last evaluation goes on while `clear` does not hold.
///
/// ```
/// expr
/// or ignoring (own) (left and ignoring (alertname, alertstate, own) ALERTS{…} unless ignoring (own) clear)
/// or ignoring (own) (sum without (alertname, alertstate, own) (ALERTS{…} * NaN) unless ignoring (own) clear)
/// ```
/// `own` are the labels that the rule gives. The second line keeps the value of the left side of a comparison; the third
/// holds the alert where there is no value. Both ask for the thresholds: one that ceases ends its alert.
struct Hysteresis {
    private let rule: AlertRule

    init(_ rule: AlertRule) { self.rule = rule }

    func text(_ expr: String, clear: String, _ rewriting: inout PrometheusRewriting) -> String {
        let own = self.rule.labels.map(\.name).sorted()
        let ignoring = "ignoring (\(own.joined(separator: ", ")))"
        let alerts = (["alertname", "alertstate"] + own).joined(separator: ", ")
        let ending = self.thresholds.map { "    and on (site) \(rewriting.text($0))" }
        let tail = (["    unless \(ignoring) (\(clear))"] + ending + [")"])
        var lines = [expr]
        if let left = self.left {
            lines += ["or \(ignoring) (", "    (\(rewriting.text(left)))"]
            lines += ["    and ignoring (\(alerts)) \(self.firing)"] + tail
        }
        lines += ["or \(ignoring) (", "    sum without (\(alerts)) (\(self.firing) * NaN)"] + tail
        return lines.joined(separator: "\n")
    }

    /// The series of this rule's alerts that fire.
    private var firing: String {
        let context = TemplateContext(labels: .empty, value: nil)
        var labels = Labels(metric: "ALERTS", ["alertname": self.rule.name, "alertstate": "firing"])
        for label in self.rule.labels where label.template.isConstant {
            labels[label.name] = label.template.render(context)
        }
        return labels.description
    }

    /// The left side of a comparison whose result has all labels of it.
    private var left: Expression? {
        guard case .binary(let binary) = self.rule.expr.expression.bare, binary.operation.isComparison,
            !binary.returnsBool, binary.left.type == .vector
        else { return nil }
        let matching = binary.matching
        let keepsLabels =
            binary.right.type == .scalar
            || (matching.cardinality == .manyToOne
                ? matching.include.isEmpty : !matching.isOn && matching.labels.isEmpty)
        return keepsLabels ? binary.left : nil
    }

    private var thresholds: [Expression] {
        var found: [Selector] = []
        for selector in self.rule.expr.selectors
        where selector.metric?.hasPrefix(CompiledRule.thresholdPrefix) ?? false && !found.contains(selector) {
            found.append(selector)
        }
        return found.map { .selector($0) }
    }
}
