// poyang
// SPDX-License-Identifier: Apache-2.0

package import StrictYAML

/// The verdict of `rules check`.
package struct RuleCheck: Sendable {
    package let rules: RuleSet
    /// Everything that is wrong, with its place.
    package let problems: [Problem]

    /// Reads rule files, and folders of them.
    package init(paths: [String], loader: RuleFileLoader = RuleFileLoader()) {
        let problems = ProblemCollector()
        self.rules = loader.load(paths: paths, problems: problems)
        self.problems = ProblemList(problems.problems).problems
    }

    /// Whether nothing is wrong; with `--lint-fatal` a lint finding is wrong, too.
    package func passes(lintIsFatal: Bool = false) -> Bool {
        self.problems.isEmpty && !(lintIsFatal && self.rules.findings.contains { $0.kind.isLint })
    }
}
