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
        var writer = Writer(own: self.own)
        writer.write(template.nodes)
        var text = writer.text
        if writer.named.contains("threshold") { text = self.threshold.opening + text + self.threshold.closing }
        if writer.named.contains("level") { text = "{{ $level := \(CanonicalJSON.text(self.level)) }}" + text }
        return text
    }

    /// Writes a template anew.
    private struct Writer {
        /// Labels that the rule gives, by their names.
        let own: [String: String]
        private(set) var text = ""
        /// The variables that are read.
        private(set) var named: Set<String> = []

        init(own: [String: String]) { self.own = own }

        mutating func write(_ nodes: [TemplateNode]) {
            for node in nodes {
                switch node {
                case .text(let plain): self.text += plain
                case .output(let pipeline): self.text += "{{ \(self.text(of: pipeline)) }}"
                case .assignment(let name, let pipeline, let isNew):
                    self.text += "{{ $\(name) \(isNew ? ":=" : "=") \(self.text(of: pipeline)) }}"
                case .branch(let branch): self.write(branch)
                }
            }
        }

        private mutating func write(_ branch: TemplateBranch) {
            let names = branch.variables.map { "$\($0)" }.joined(separator: ", ")
            let subject = (names.isEmpty ? "" : "\(names) := ") + self.text(of: branch.subject)
            self.text += "{{ \(branch.kind.rawValue) \(subject) }}"
            self.write(branch.body)
            if !branch.otherwise.isEmpty {
                self.text += "{{ else }}"
                self.write(branch.otherwise)
            }
            self.text += "{{ end }}"
        }

        private mutating func text(of pipeline: TemplatePipeline) -> String {
            var commands: [String] = []
            for command in pipeline.commands {
                var words = command.function.map { [$0.rawValue] } ?? []
                for operand in command.operands { words.append(self.text(of: operand)) }
                commands.append(words.joined(separator: " "))
            }
            return commands.joined(separator: " | ")
        }

        private mutating func text(of operand: TemplateOperand) -> String {
            switch operand {
            case .variable(let name, let fields):
                if name == "labels", fields.count == 1, let value = self.own[fields[0]] {
                    return CanonicalJSON.text(value)
                }
                self.named.insert(name)
                return "$" + ([name] + fields).joined(separator: ".")
            case .dot(let fields):
                if fields.count == 2, fields[0] == "Labels", let value = self.own[fields[1]] {
                    return CanonicalJSON.text(value)
                }
                return "." + fields.joined(separator: ".")
            case .text(let text): return CanonicalJSON.text(text)
            case .number(let number): return "\(number)"
            case .truth(let isTrue): return "\(isTrue)"
            case .pipeline(let pipeline, let fields):
                return (["(\(self.text(of: pipeline)))"] + fields).joined(separator: ".")
            }
        }
    }
}
