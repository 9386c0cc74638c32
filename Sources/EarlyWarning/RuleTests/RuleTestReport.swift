// poyang
// SPDX-License-Identifier: Apache-2.0

package import StrictYAML

/// What came of one file of rule tests.
package struct RuleTestReport: Sendable {
    /// Where a test and the rules disagree.
    package struct Failure: Sendable, CustomStringConvertible {
        /// What was looked at, with `file:line:column`, or what went wrong.
        package var problem: Problem
        /// What was expected and came.
        package var common: [String] = []
        /// What was expected and did not come.
        package var missing: [String] = []
        /// What came and was not expected.
        package var surplus: [String] = []

        package init(
            problem: Problem,
            common: [String] = [],
            missing: [String] = [],
            surplus: [String] = []
        ) {
            self.problem = problem
            self.common = common
            self.missing = missing
            self.surplus = surplus
        }

        package var description: String {
            var text = self.problem.description
            for line in self.missing { text += "\n    expected: \(line)" }
            for line in self.surplus { text += "\n    got:      \(line)" }
            return text
        }

        /// As a unified diff: `-` was expected, `+` came, a blank is both.
        package var difference: String {
            let lines =
                self.common.map { (text: $0, mark: " ") } + self.missing.map { (text: $0, mark: "-") }
                + self.surplus.map { (text: $0, mark: "+") }
            let sorted = lines.enumerated()
                .sorted { ($0.element.text, $0.offset) < ($1.element.text, $1.offset) }
                .map(\.element)
            guard !sorted.isEmpty else { return self.problem.description }
            return "@@ \(self.problem) @@\n" + sorted.map { "\($0.mark) \($0.text)" }.joined(separator: "\n")
        }
    }

    package struct Case: Sendable {
        package var name: String
        package var failures: [Failure] = []
        /// What was left out, and why.
        package var skipped: [String] = []
        /// Every change of an alert, as text.
        package var transitions: [String] = []
    }

    package var file: String
    package var cases: [Case] = []
    /// The file, or a rule file that it names, cannot be read.
    package var problems: [Problem] = []
    /// What lets the tests go on and may not be what was meant.
    package var warnings: [Problem] = []
    package var findings: [RuleFinding] = []

    package var passed: Bool { self.problems.isEmpty && self.cases.allSatisfy(\.failures.isEmpty) }
}
