// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry

/// Our templates of one rule in the words of Prometheus's.
///
/// There `$labels` are those of the expression alone, and `$level` and `$threshold` are not known: labels that the rule
/// gives are written out, the other two are set in front of the text.
struct PrometheusTemplates {
    /// Stands for the site of the alert in the text of a query; no site is called so.
    private static let anySite = "$site"

    private let level: String
    private let own: [String: String]
    /// Defines `$threshold` around a text.
    private let threshold: (opening: String, closing: String)

    init(_ rule: AlertRule, lookback: @escaping (Selector) -> Milliseconds) {
        self.level = rule.level.rawValue
        let context = TemplateContext(labels: .empty, value: nil)
        self.own = Dictionary(
            rule.labels.filter(\.template.isConstant).map { ($0.name, $0.template.render(context)) },
            uniquingKeysWith: { $1 }
        )
        switch rule.threshold {
        case .constant(let value): self.threshold = ("{{ $threshold := \(value) }}", "")
        case .query(let query):
            let text = Self.query(query.expression, lookback)
            self.threshold = ("{{ with query (\(text)) }}{{ $threshold := . | first | value }}", "{{ end }}")
        case nil: self.threshold = ("{{ $threshold := \"\" }}", "")
        }
    }

    /// A call of `printf` that gives the query for the site of the alert.
    private static func query(_ expression: Expression, _ lookback: @escaping (Selector) -> Milliseconds) -> String {
        var rewriting = PrometheusRewriting(lookback: lookback)
        let confined = expression.replacing { part in
            guard case .selector(var selector) = part else { return nil }
            selector.matchers.removeAll { $0.name == "site" }
            selector.matchers.append(LabelMatcher("site", equals: self.anySite))
            return .selector(selector)
        }
        let text = rewriting.text(confined)
        let format = text.replacing("%", with: "%%").replacing("\"\(self.anySite)\"", with: "%q")
        return "printf \(CanonicalJSON.text(format)) $labels.site"
    }

    func text(_ template: Template) -> String {
        var text = ""
        var usesThreshold = false
        var usesLevel = false
        for piece in template.pieces {
            switch piece {
            case .text(let plain): text += plain
            case .pipeline(let stages):
                for operand in stages.flatMap(\.operands) {
                    if case .threshold = operand { usesThreshold = true }
                    if case .level = operand { usesLevel = true }
                }
                text += "{{ \(stages.map(self.text).joined(separator: " | ")) }}"
            }
        }
        if usesThreshold { text = self.threshold.opening + text + self.threshold.closing }
        if usesLevel { text = "{{ $level := \(CanonicalJSON.text(self.level)) }}" + text }
        return text
    }

    private func text(_ stage: Template.Stage) -> String {
        let function = stage.function.map { [$0.rawValue] } ?? []
        return (function + stage.operands.map(self.text)).joined(separator: " ")
    }

    private func text(_ operand: Template.Operand) -> String {
        switch operand {
        case .label(let name): self.own[name].map { CanonicalJSON.text($0) } ?? "$labels.\(name)"
        case .externalLabel(let name): "$externalLabels.\(name)"
        case .value: "$value"
        case .threshold: "$threshold"
        case .level: "$level"
        case .text(let text): CanonicalJSON.text(text)
        case .number(let number): "\(number)"
        }
    }
}
