// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import EarlyWarning
import Foundation

struct RulesCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check rule files: schema, expressions, hazards, levels.",
        discussion: """
            A path is a file or a folder; without one, Rules. Every problem is printed as
            file:line:column with what would be right; exit code 1 when there is one.
            What works and may surprise is a note. Lint findings are two rules with the same
            name and labels (duplicate-rules), and functions that count in UTC (utc-time):
            season and day_boundary go by local time. With --lint-fatal a lint finding is
            an error, too; in the folder Rules, without a path, utc-time always is.

              poyang rules check Rules/flood
              poyang rules check --lint duplicate-rules --lint-fatal mine.yaml
            """
    )

    @Argument(help: "Files or folders (default: Rules).")
    var paths: [String] = []
    @Option(help: "What is looked for besides errors.")
    var lint = RuleLint.all
    @Flag(help: "Exit code 1 when there is a lint finding.")
    var lintFatal = false
    @Flag(help: "Accept keys that nobody knows.")
    var ignoreUnknownFields = false
    @OptionGroup var output: TableOptions

    func run() async throws {
        let report = try RuleCheckReport(
            paths: self.paths.isEmpty ? [RulesCheck.defaultFolder] : self.paths,
            lint: self.lint,
            ignoringUnknownFields: self.ignoreUnknownFields,
            areShipped: self.paths.isEmpty && RulesCheck.ownFolder == nil
        )
        if self.output.json {
            report.table.print(asJSON: true, empty: "")
        } else {
            for problem in report.problems { StandardError.write("error: \(problem)") }
            for finding in report.findings {
                StandardError.write("\(finding.kind.isLint ? "lint" : "note"): \(finding.problem)")
            }
            if report.problems.isEmpty { for file in report.files { StandardOutput.write(file) } }
        }
        if !report.passes(lintIsFatal: self.lintFatal) { throw ExitCode(1) }
    }

    /// What is checked without a path.
    static var defaultFolder: String { self.ownFolder ?? "Rules" }

    /// A folder that somebody has chosen instead of the rules that are shipped.
    private static var ownFolder: String? { ProcessInfo.processInfo.environment["POYANG_RULES"] }
}
