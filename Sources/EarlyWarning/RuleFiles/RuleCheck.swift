// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
package import StrictYAML
import Telemetry

/// The verdict of `rules check`.
package struct RuleCheck: Sendable {
    package let rules: RuleSet
    /// Everything that is wrong, with its place.
    package let problems: [Problem]

    /// Reads rule files, and folders of them.
    package init(paths: [String], loader: RuleFileLoader = RuleFileLoader()) {
        let problems = ProblemCollector()
        var rules = loader.load(paths: paths, problems: problems)
        rules.noteWhatIsEvaluatedInFull()
        rules.noteHowAlertsAreRead()
        self.rules = rules
        self.problems = ProblemList(problems.problems).problems
    }

    /// Whether nothing is wrong; with `--lint-fatal` a lint finding is wrong, too.
    package func passes(lintIsFatal: Bool = false) -> Bool {
        self.problems.isEmpty && !(lintIsFatal && self.rules.findings.contains { $0.kind.isLint })
    }
}

extension RuleSet {
    /// Adds a note for each rule over windows that no running value stands for.
    fileprivate mutating func noteWhatIsEvaluatedInFull() {
        var operands = OperandTable()
        var noted: Set<Problem> = []
        for rule in self.alerts where rule.expr.reach > 0 {
            guard !CompiledRule(rule, order: 0, recordings: [], operands: &operands).isCarriedOn else { continue }
            let problem = Problem(
                file: rule.file,
                line: rule.line,
                column: 1,
                message:
                    "\(rule.name) reads \(PrometheusDuration.text(rule.expr.reach)) of samples anew whenever one of "
                    + "its series has a reading; one series compared with a number or a threshold, alone or joined "
                    + "by 'and', is carried on from reading to reading"
            )
            if noted.insert(problem).inserted { self.findings.append(RuleFinding(kind: .readsAnew, problem: problem)) }
        }
    }

    /// Adds a note for each rule that reads alerts in a way in which it does not see what Prometheus would show it.
    fileprivate mutating func noteHowAlertsAreRead() {
        var operands = OperandTable()
        let compiled = self.alerts.enumerated()
            .map { CompiledRule($0.element, order: $0.offset, recordings: [], operands: &operands) }
        var noted: Set<Problem> = []
        func note(_ file: String, _ line: Int, _ message: String) {
            let problem = Problem(file: file, line: line, column: 1, message: message)
            if noted.insert(problem).inserted {
                self.findings.append(RuleFinding(kind: .readsAlerts, problem: problem))
            }
        }
        for place in AlertDependencies(compiled, recordings: self.recordings).rings.sorted() {
            let rule = self.alerts[place]
            note(
                rule.file,
                rule.line,
                "\(rule.name) reads alerts of a rule that reads its own: it sees them a step late"
            )
        }
        let queries = self.alerts.map { rule in
            (rule.file, rule.line, rule.name, [rule.expr, rule.clear, rule.maybe].compactMap { $0 })
        }
        let recorded = self.recordings.map { ($0.file, $0.line, $0.record, [$0.expr]) }
        for (file, line, name, queries) in queries + recorded {
            for selector in queries.flatMap(\.selectors) {
                let names = selector.matchers.map(\.name)
                if AlertHistory.isNamed(by: selector.matchers) {
                    guard let attribute = names.first(where: { Site.virtualLabelNames.contains($0) }) else {
                        continue
                    }
                    note(
                        file,
                        line,
                        "\(name) asks ALERTS for '\(attribute)', which alerts do not have in rules; name the sites"
                    )
                } else if !names.contains(Labels.metricName),
                    names.contains("alertname") || names.contains("alertstate")
                {
                    note(file, line, "\(name) finds no alerts by a selector without a name; write ALERTS{…}")
                }
            }
        }
    }
}
