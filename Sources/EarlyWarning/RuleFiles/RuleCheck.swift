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
}
