// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

struct RulesCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check rule files: schema, expressions, hazards, levels.",
        discussion: """
            A path is a file or a folder; without one, Rules. Every problem is printed as
            file:line:column with what would be right; exit code 1 when there is one.

              poyang rules check Rules/flood
            """
    )

    @Argument(help: "Files or folders (default: Rules).")
    var paths: [String] = []

    func run() async throws {
        let paths = self.paths.isEmpty ? [RulesCheck.defaultFolder] : self.paths
        let report = try checkRules(paths: paths)
        for finding in report.findings { StandardError.write("note: \(finding)") }
        for file in report.files { StandardOutput.write(file) }
    }

    static var defaultFolder: String { ProcessInfo.processInfo.environment["POYANG_RULES"] ?? "Rules" }
}
