// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import EarlyWarning
import Foundation

struct RulesTest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Run the tests beside rule files (promtool's shape).",
        discussion: """
            A path is a *.test.yaml file or a folder; without one, Rules. Each test is a
            line; what differs is printed below it. Exit code 1 when one fails.

              poyang rules test Rules/low_water/xingzi.test.yaml
              poyang rules test --run Xingzi --diff Rules
              poyang rules test --junit results.xml

            A test file has promtool's shape, and these keys of ours:

              tests:
                - history: { file: event1.csv, map: event1.map.yaml, from: …, to: … }
                  devices: ../../Devices      # the sites and devices that it names
                  thresholds:                 # or single thresholds and channels
                    - { site: xingzi, hazard: flood, level: blue, value: 19.00 }
                  channels:
                    - { series: 'water_level_meters{site="xingzi"}', every: 1h }
                  input_series:               # also quality, method, late_by: 2h
                    - { series: …, values: 1+1x5, late_by: 2h }
                  alert_rule_test:            # at: a time, beside eval_time: a span
                    - { at: 2022-09-06T08:00:00+08:00, alertname: LowWater, exp_alerts: […] }
                  exp_transitions:            # all changes, in their order
                    - { at: 5m, change: raised, level: blue, value: 1.14 }

            A history without a map is in the form that `poyang import --format csv` takes.
            """
    )

    @Argument(help: "Files or folders (default: Rules).")
    var paths: [String] = []
    @Option(
        name: .customLong("run"),
        help: ArgumentHelp("Only tests whose name this regular expression matches somewhere.", valueName: "regex")
    )
    var only: [String] = []
    @Flag(help: "Accept keys that nobody knows, in tests and in rule files.")
    var ignoreUnknownFields = false
    @Flag(help: "Show what was expected (-) and what came (+) beside what agrees.")
    var diff = false
    @Option(help: ArgumentHelp("Also write the outcome to this file, as JUnit XML.", valueName: "file"))
    var junit: String?
    @Flag(help: "Print every change of an alert, of tests that pass, too.")
    var debug = false
    @OptionGroup var output: TableOptions

    func validate() throws {
        for pattern in self.only where (try? Regex(pattern)) == nil {
            throw ValidationError("--run '\(pattern)' is no regular expression")
        }
    }

    func run() async throws {
        let paths = self.paths.isEmpty ? [RulesCheck.defaultFolder] : self.paths
        let outcomes = runRuleTests(
            files: try RuleTestFiles.find(paths),
            matching: self.only,
            ignoringUnknownFields: self.ignoreUnknownFields
        )
        let failed = outcomes.count { !$0.hasPassed }
        if let junit = self.junit {
            do {
                try RuleTestXML(outcomes).data().write(to: URL(fileURLWithPath: junit))
            } catch {
                throw CommandFailure("cannot write \(junit): \(error.localizedDescription)")
            }
        }
        if self.output.json {
            RulesTest.table(of: outcomes).print(asJSON: true, empty: "")
        } else {
            for outcome in outcomes { self.show(outcome) }
            StandardOutput.write("\(outcomes.count - failed) passed, \(failed) failed")
        }
        if failed > 0 { throw ExitCode(1) }
    }

    private func show(_ outcome: RuleTestOutcome) {
        func write(_ text: String) {
            for line in text.split(separator: "\n") { StandardOutput.write("       \(line)") }
        }
        for note in outcome.notes { StandardError.write("note: \(note)") }
        StandardOutput.write("\(outcome.hasPassed ? "ok    " : "FAILED") \(outcome.file): \(outcome.name)")
        for failure in outcome.failures { write(self.diff ? failure.difference : failure.description) }
        for reason in outcome.skipped { write("skipped: \(reason)") }
        if self.debug { for transition in outcome.transitions { write(transition) } }
    }

    private static func table(of outcomes: [RuleTestOutcome]) -> Table {
        func lines(_ texts: [String]) -> JSONValue {
            texts.isEmpty ? .null : .string(texts.joined(separator: "\n"))
        }
        var table = Table(columns: ["file", "test", "passed", "differences", "skipped"])
        for outcome in outcomes {
            table.append([
                .string(outcome.file), .string(outcome.name), .bool(outcome.hasPassed),
                lines(outcome.failures.map(\.description)), lines(outcome.skipped),
            ])
        }
        return table
    }
}
