// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct RulesTest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Run the tests beside rule files (promtool's shape).",
        discussion: """
            A path is a *.test.yaml file or a folder; without one, Rules. Each test is a
            line; what differs is printed below it. Exit code 1 when one fails.

              poyang rules test Rules/low_water/xingzi.test.yaml
            """
    )

    @Argument(help: "Files or folders (default: Rules).")
    var paths: [String] = []
    @OptionGroup var output: TableOptions

    func run() async throws {
        let paths = self.paths.isEmpty ? [RulesCheck.defaultFolder] : self.paths
        let files = try RuleTestFiles.find(paths)
        let outcomes = try runRuleTests(files: files)
        let failed = outcomes.filter { !$0.differences.isEmpty }
        if self.output.json {
            var table = Table(columns: ["file", "test", "passed", "differences"])
            for outcome in outcomes {
                let text = outcome.differences.joined(separator: "\n")
                table.append([
                    .string(outcome.file), .string(outcome.name), .bool(outcome.differences.isEmpty),
                    text.isEmpty ? .null : .string(text),
                ])
            }
            table.print(asJSON: true, empty: "")
        } else {
            for outcome in outcomes {
                StandardOutput.write(
                    "\(outcome.differences.isEmpty ? "ok    " : "FAILED") \(outcome.file): \(outcome.name)"
                )
                for difference in outcome.differences { StandardOutput.write("         \(difference)") }
            }
            StandardOutput.write("\(outcomes.count - failed.count) passed, \(failed.count) failed")
        }
        if !failed.isEmpty { throw ExitCode(1) }
    }
}
