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
    @Option(
        name: .customLong("run"),
        help: ArgumentHelp("Only tests whose name this regular expression matches somewhere.", valueName: "regex")
    )
    var only: [String] = []
    @OptionGroup var output: TableOptions

    func validate() throws {
        for pattern in self.only where (try? Regex(pattern)) == nil {
            throw ValidationError("--run '\(pattern)' is no regular expression")
        }
    }

    func run() async throws {
        let paths = self.paths.isEmpty ? [RulesCheck.defaultFolder] : self.paths
        let outcomes = runRuleTests(files: try RuleTestFiles.find(paths), matching: self.only)
        let failed = outcomes.count { !$0.hasPassed }
        if self.output.json {
            RulesTest.table(of: outcomes).print(asJSON: true, empty: "")
        } else {
            for outcome in outcomes {
                StandardOutput.write("\(outcome.hasPassed ? "ok    " : "FAILED") \(outcome.file): \(outcome.name)")
                for difference in outcome.differences { StandardOutput.write("       \(difference)") }
                for reason in outcome.skipped { StandardOutput.write("       skipped: \(reason)") }
            }
            StandardOutput.write("\(outcomes.count - failed) passed, \(failed) failed")
        }
        if failed > 0 { throw ExitCode(1) }
    }

    private static func table(of outcomes: [RuleTestOutcome]) -> Table {
        func lines(_ texts: [String]) -> JSONValue {
            texts.isEmpty ? .null : .string(texts.joined(separator: "\n"))
        }
        var table = Table(columns: ["file", "test", "passed", "differences", "skipped"])
        for outcome in outcomes {
            table.append([
                .string(outcome.file), .string(outcome.name), .bool(outcome.hasPassed), lines(outcome.differences),
                lines(outcome.skipped),
            ])
        }
        return table
    }
}
