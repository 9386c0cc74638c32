// poyang
// SPDX-License-Identifier: Apache-2.0

package import PromQL
package import Telemetry

/// Rule files of ours as one plain Prometheus rule file, which `promtool check rules` accepts.
///
/// Levels become one rule each. An instant selector becomes `last_over_time(x[L])`, because the look-back of a Prometheus
/// is one for all series and ours is the channel's own. `clear` becomes the idiom of ``Hysteresis``. What Prometheus has
/// no word for stands as a comment beside the rule, and in ``Text/notes``.
package struct PrometheusExport {
    /// A threshold in force, for those who have no such series.
    package struct ThresholdValue: Sendable {
        /// With the metric name.
        package let labels: Labels
        package let value: Double

        package init(labels: Labels, value: Double) {
            self.labels = labels
            self.value = value
        }
    }

    /// The file, and what of our rules it does not say.
    package struct Text: Sendable {
        package let file: String
        /// `rule id: what is missing`, each once.
        package let notes: [String]
    }

    /// How long a value of the series that a selector finds stands for the present.
    package var lookback: (Selector) -> Milliseconds = { _ in ReportSchedule.unregisteredLookback }
    /// Written as recording rules in front of the others.
    package var thresholds: [ThresholdValue] = []

    package init() {}

    /// Writes all rules of a set.
    package func text(of rules: RuleSet) -> Text {
        var writer = PrometheusFileWriter()
        writer.comment(Self.heading + (self.thresholds.isEmpty ? Self.withoutThresholds : []))
        writer.line("groups:")
        if !self.thresholds.isEmpty { self.writeThresholds(to: &writer) }
        let groups = rules.groups
        let counts = Dictionary(groups.map { ($0.name, 1) }, uniquingKeysWith: +)
        for group in groups {
            // A name that two files have is followed by the file.
            let name = counts[group.name] ?? 0 > 1 ? "\(group.name) (\(group.file))" : group.name
            writer.line("  - name: \(writer.quoted(name))")
            writer.line("    interval: \(PrometheusDuration.text(group.interval))")
            if group.limit > 0 { writer.line("    limit: \(group.limit)") }
            writer.line("    rules:")
            for rule in group.rules {
                switch rule {
                case .alert(let rule): self.write(rule, to: &writer)
                case .recording(let rule): self.write(rule, to: &writer)
                }
            }
        }
        return Text(file: writer.text, notes: writer.notes)
    }

    private static let heading = [
        "Written by `poyang rules export` for Prometheus (2.42 or newer).",
        "",
        "What differs from poyang: rules are evaluated at every interval, not when a reading arrives; a late reading",
        "changes nothing that was said; quality flags are not known, and comparisons are not rounded to 1e-9.",
        "Labels that poyang shows of a site without storing them (org, county, basin, kind) must be in the series.",
    ]

    private static let withoutThresholds = [
        "",
        "Series named site_threshold_… must exist with the labels site, hazard and level; --with-thresholds writes",
        "those in force as recording rules.",
    ]

    // MARK: - Rules

    private func write(_ rule: AlertRule, to writer: inout PrometheusFileWriter) {
        var rewriting = PrometheusRewriting(lookback: self.lookback)
        let expr = rewriting.text(rule.expr)
        let whole = rule.clear.map { Hysteresis(rule).text(expr, clear: rewriting.text($0), &rewriting) } ?? expr
        let notes = rewriting.notes + Self.silent(rule)
        for note in notes { writer.note("\(rule.id): \(note)") }
        if !notes.isEmpty { writer.comment(notes, indent: 6) }
        writer.line("      - alert: \(writer.quoted(rule.name))")
        writer.block("expr", whole)
        if rule.hold > 0 { writer.line("        for: \(PrometheusDuration.text(rule.hold))") }
        if rule.keepFiringFor > 0, rule.clear == nil {
            writer.line("        keep_firing_for: \(PrometheusDuration.text(rule.keepFiringFor))")
        }
        let templates = PrometheusTemplates(rule, lookback: self.lookback)
        writer.map("labels", rule.labels.map { ($0.name, templates.text($0.template)) })
        writer.map("annotations", rule.annotations.map { ($0.name, templates.text($0.template)) })
    }

    private func write(_ rule: RecordingRule, to writer: inout PrometheusFileWriter) {
        var rewriting = PrometheusRewriting(lookback: self.lookback)
        let expr = rewriting.text(rule.expr)
        for note in rewriting.notes { writer.note("\(rule.file)/\(rule.group)/\(rule.record): \(note)") }
        if !rewriting.notes.isEmpty { writer.comment(rewriting.notes, indent: 6) }
        writer.line("      - record: \(writer.quoted(rule.record))")
        writer.block("expr", expr)
        writer.map("labels", rule.labels.map { ($0.name, $0.value) })
    }

    /// What a rule says that Prometheus has no word for.
    private static func silent(_ rule: AlertRule) -> [String] {
        var notes: [String] = []
        if let maybe = rule.maybe { notes.append("unknown where `maybe` holds and expr does not: \(maybe)") }
        if let days = rule.expr.days {
            notes.append("day_boundary \(days.boundary): ranges of whole days are multiples of 24 h here")
        }
        if let season = rule.season {
            notes.append("season from \(season.from) to \(season.to): it holds all year here")
        }
        if rule.noData == .keep {
            notes.append("no_data keep: it goes on while its channel is silent; here it ends")
        } else if rule.clear == nil {
            notes.append("no_data: it is held while its registered channel is silent; here it ends")
        }
        if rule.lateness != .day {
            notes.append("lateness \(PrometheusDuration.text(rule.lateness)): late readings change nothing here")
        }
        if rule.clear != nil, rule.keepFiringFor > 0 {
            notes.append("keep_firing_for has no effect beside clear, and is left out")
        }
        return notes
    }

    private func writeThresholds(to writer: inout PrometheusFileWriter) {
        writer.line("  - name: \"poyang site thresholds\"")
        writer.line("    rules:")
        for threshold in self.thresholds.sorted(by: { $0.labels < $1.labels }) {
            writer.line("      - record: \(threshold.labels.metric)")
            writer.line("        expr: vector(\(threshold.value))")
            writer.map("labels", threshold.labels.removing(Labels.metricName).map { ($0.name, $0.value) })
        }
    }
}

/// Lines of the exported file.
struct PrometheusFileWriter {
    private(set) var text = ""
    private(set) var notes: [String] = []

    mutating func line(_ line: String) { self.text += line + "\n" }

    mutating func comment(_ lines: [String], indent: Int = 0) {
        let blanks = String(repeating: " ", count: indent)
        for line in lines { self.line(line.isEmpty ? "\(blanks)#" : "\(blanks)# \(line.replacing("\n", with: " "))") }
    }

    mutating func note(_ note: String) {
        if !self.notes.contains(note) { self.notes.append(note) }
    }

    /// A text of a rule in literal style, as it is.
    mutating func block(_ key: String, _ text: String) {
        self.line("        \(key): |-")
        for line in text.split(separator: "\n") { self.line("          \(line)") }
    }

    mutating func map(_ key: String, _ entries: [(String, String)]) {
        guard !entries.isEmpty else { return }
        self.line("        \(key):")
        for (name, value) in entries { self.line("          \(name): \(self.quoted(value))") }
    }

    /// In double quotes; JSON strings are YAML.
    func quoted(_ text: String) -> String { CanonicalJSON.text(text) }
}
