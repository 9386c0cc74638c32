// poyang
// SPDX-License-Identifier: Apache-2.0

import EarlyWarning
import StrictYAML

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
