// poyang
// SPDX-License-Identifier: Apache-2.0

/// How one test of a `.test.yaml` file went.
struct RuleTestOutcome: Hashable, Sendable {
    let file: String
    /// The test's own name, or its place in the file.
    let name: String
    /// What was expected and what came; empty when the test passed.
    let differences: [String]
}

/// Loads rule files and checks them.
///
/// - Returns: One line that says what was found.
/// - Throws: `ProblemList` with everything that is wrong.
func checkRules(files: [String]) throws -> String {
    throw CommandFailure("this build cannot check \(files.count) rule files; build the package as a whole")
}

/// Runs every test of the files.
///
/// - Throws: `ProblemList` where a test file or a rule file that it names does not load.
func runRuleTests(files: [String]) throws -> [RuleTestOutcome] {
    throw CommandFailure("this build cannot test \(files.count) rule files; build the package as a whole")
}
