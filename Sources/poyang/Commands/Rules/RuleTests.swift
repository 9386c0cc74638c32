// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import EarlyWarning
import Platform
import StrictYAML
import Telemetry

/// How one test of a `.test.yaml` file went.
struct RuleTestOutcome: Sendable {
    let file: String
    let name: String
    /// Where it failed; empty when the test passed.
    var failures: [RuleTestReport.Failure] = []
    /// What was left out, and why.
    var skipped: [String] = []
    /// Every change of an alert.
    var transitions: [String] = []
    /// Notes about recordings that it played, and about the file.
    var notes: [String] = []

    var hasPassed: Bool { self.failures.isEmpty }
}

extension RuleTestRunner {
    /// One that plays recordings, and opens folders of sites and devices.
    ///
    /// `note` takes what a person should know about a recording.
    init(ignoringUnknownFields: Bool, runs: [String], note: @escaping (String) -> Void) {
        self.init()
        self.runs = runs
        self.ignoresUnknownFields = ignoringUnknownFields
        self.makeDevices = { series, folder in
            let catalog = try Catalog(files: try CatalogFiles.load(directory: folder))
            return RuleTestDevices(
                reader: CatalogReader(base: series, catalog: catalog),
                channels: catalog.watchedChannels
            )
        }
        self.readHistory = { history in
            let catalog = try history.devices.map { try Catalog(files: try CatalogFiles.load(directory: $0)) }
            var recording = RecordedHistory(catalog: catalog ?? .empty)
            try recording.read(history.file, map: history.map)
            for text in recording.notes { note(text) }
            return recording.samples
        }
    }
}

/// Runs the tests of the files whose names match one of the regular expressions, or all where there is none.
func runRuleTests(
    files: [String],
    matching patterns: [String] = [],
    ignoringUnknownFields: Bool = false
) -> [RuleTestOutcome] {
    files.flatMap { file in
        var notes: [String] = []
        let report = RuleTestRunner(ignoringUnknownFields: ignoringUnknownFields, runs: patterns) { notes.append($0) }
            .run(file: file)
        var outcomes = report.cases.map { test in
            RuleTestOutcome(
                file: file,
                name: test.name,
                failures: test.failures,
                skipped: test.skipped,
                transitions: test.transitions
            )
        }
        if !report.problems.isEmpty {
            let failures = report.problems.map { RuleTestReport.Failure(problem: $0) }
            outcomes.append(RuleTestOutcome(file: file, name: "the file", failures: failures))
        }
        if !outcomes.isEmpty { outcomes[0].notes = report.warnings.map(\.description) + notes }
        return outcomes
    }
}
