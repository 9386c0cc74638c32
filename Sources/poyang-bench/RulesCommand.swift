// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

/// What rules cost for each reading, whatever else there is.
struct RulesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules",
        abstract: "Measures the rule engine alone: processor time for a reading and a rule that looks at it.",
        discussion: """
            Each site has a level gauge and a rain gauge that report every five minutes, and ten rules:
            five levels of the stage, two of its rise, a projection, two of rain; some sites are in flood.
            Windows of the rules are full at the start. The store is a real one; only the engine is timed.

            Example: poyang-bench rules --sites 10000 --hours 1 24 --others 0 100 --json
            """
    )

    @Option(parsing: .upToNextOption, help: "How many sites.") var sites = [10_000, 100_000]
    @Option(parsing: .upToNextOption, help: "How long the windows are, in hours.") var hours = [1, 24]
    @Option(parsing: .upToNextOption, help: "So many further rules over metrics that no site has.")
    var others = [0, 10, 100]
    @Flag(help: "Print a JSON array instead of a table.") var json = false

    func validate() throws {
        guard let least = (self.sites + self.hours).min(), least > 0, !self.others.isEmpty,
            self.others.allSatisfy({ $0 >= 0 })
        else { throw ValidationError("--sites and --hours must be positive, --others not negative") }
    }

    func run() throws {
        var rows: [[ReportTable.Cell]] = []
        for count in self.sites { rows += try self.rows(sites: count) }
        let table = ReportTable(
            columns: [
                "sites", "window_hours", "other_rules", "us_per_reading", "us_per_reading_and_rule", "to_first_window",
                "to_first_others", "evaluations_per_reading", "store_reads_per_evaluation", "transitions",
                "bytes_per_site_and_rule",
            ],
            rows: rows
        )
        print(self.json ? try table.json() : table.text)
    }

    private func rows(sites count: Int) throws -> [[ReportTable.Cell]] {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("poyang-bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let longest = self.hours.max() ?? 1
        let measurement = try RuleMeasurement(sites: GaugedSites(count: count), hours: longest, in: folder)
        // By window, then by further rules.
        let results = try self.hours.map { hours in
            try self.others.map { others in
                try measurement.measure(try GaugedSites.rules(hours: hours, others: others, in: folder))
            }
        }
        return self.hours.indices.flatMap { window -> [[ReportTable.Cell]] in
            self.others.indices.map { other -> [ReportTable.Cell] in
                let result = results[window][other]
                return [
                    .number(Double(count), 0), .number(Double(self.hours[window]), 0),
                    .number(Double(self.others[other]), 0), .number(result.microseconds, 3),
                    .number(result.microsecondsPerRule, 3),
                    .number(result.microseconds / results[0][other].microseconds, 3),
                    .number(result.microseconds / results[window][0].microseconds, 3),
                    .number(result.evaluations, 2), .number(result.readsPerEvaluation, 4),
                    .number(Double(result.transitions), 0), .number(result.bytesPerRule, 0),
                ]
            }
        }
    }
}
