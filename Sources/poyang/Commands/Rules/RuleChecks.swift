// poyang
// SPDX-License-Identifier: Apache-2.0

import EarlyWarning
import StrictYAML

/// How one test of a `.test.yaml` file went.
struct RuleTestOutcome: Hashable, Sendable {
    let file: String
    /// The test's own name, or its place in the file.
    let name: String
    /// What was expected and what came; empty when the test passed.
    let differences: [String]
}

/// What is to be said about rule files that are right.
struct RuleCheckReport: Hashable, Sendable {
    /// A line per file.
    let files: [String]
    /// What works and may surprise, with its place.
    let findings: [String]
}

/// Loads the rule files of files and folders and checks them.
///
/// - Throws: `ProblemList` with everything that is wrong.
func checkRules(paths: [String]) throws -> RuleCheckReport {
    let rules = try RuleFileLoader().load(paths: paths)
    if rules.files.isEmpty {
        throw CommandFailure("no rule file in \(paths.joined(separator: ", ")); name a .yaml file or a folder of them")
    }
    return RuleCheckReport(
        files: rules.files.map { "\($0.name): \($0.rules) rules" },
        findings: rules.findings.map { "\($0.problem)" }
    )
}

/// Runs every test of the files.
///
/// - Throws: `ProblemList` where a test file or a rule file that it names does not load.
func runRuleTests(files: [String]) throws -> [RuleTestOutcome] {
    throw CommandFailure("this build cannot test \(files.count) rule files; build the package as a whole")
}
