// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import EarlyWarning
import StrictYAML
import Telemetry

/// How one test of a `.test.yaml` file went.
struct RuleTestOutcome: Hashable, Sendable {
    let file: String
    let name: String
    /// What was expected and what came, or why the file cannot be read; empty when the test passed.
    let differences: [String]
    /// What was left out, and why.
    let skipped: [String]

    var hasPassed: Bool { self.differences.isEmpty }
}

/// Runs the tests of the files whose names match one of the regular expressions, or all where there is none.
func runRuleTests(files: [String], matching patterns: [String]) -> [RuleTestOutcome] {
    var runner = RuleTestRunner()
    runner.runs = patterns
    runner.makeDevices = { series, folder in
        let catalog = try Catalog(files: try CatalogFiles.load(directory: folder))
        return RuleTestDevices(reader: CatalogReader(base: series, catalog: catalog)) { site in
            catalog.registeredChannels(at: site)
                .map {
                    WatchedChannel(series: $0.series.labels, schedule: $0.schedule)
                }
        }
    }
    return files.flatMap { file in
        let report = runner.run(file: file)
        var outcomes = report.cases.map { test in
            RuleTestOutcome(
                file: file,
                name: test.name,
                differences: test.failures.map(\.description),
                skipped: test.skipped
            )
        }
        if !report.problems.isEmpty {
            let problems = report.problems.map(\.description)
            outcomes.append(RuleTestOutcome(file: file, name: "the file", differences: problems, skipped: []))
        }
        return outcomes
    }
}
