// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import PromQL
import StrictYAML
package import Telemetry

/// The sites and devices that a rule test names in `devices:`.
package struct RuleTestDevices {
    /// Shows the test's series as the catalogue does.
    package var reader: any SeriesReader
    /// The registered channels of a site, or of all.
    package var channels: RecordedSeries.Channels

    package init(reader: any SeriesReader, channels: @escaping RecordedSeries.Channels) {
        self.reader = reader
        self.channels = channels
    }
}

/// Runs rule tests in promtool's shape through the engine that serves.
///
/// The samples come in the order of their times, each at its own time, the clocks are then moved to the times of the
/// checks. Recording rules run at multiples of the evaluation interval.
package struct RuleTestRunner {
    /// Runs only tests whose name one of these regular expressions matches somewhere; all where it is empty.
    package var runs: [String] = []
    package var ignoresUnknownFields = false
    /// Opens the folder of a `devices:` over the test's own series.
    package var makeDevices: ((any SeriesReader, String) throws -> RuleTestDevices)?
    /// Reads a `history:`, in any order of times.
    package var readHistory: ((RuleTestHistory) throws -> [AppliedSample])?

    package init() {}

    package func run(file path: String) -> RuleTestReport {
        var report = RuleTestReport(file: path)
        let problems = ProblemCollector()
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            let message = "the file cannot be read: \(error.localizedDescription)"
            report.problems = [Problem(file: path, line: 0, column: 0, message: message)]
            return report
        }
        let folder = path.contains("/") ? String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]) : "."
        guard let value = YAMLValue.parse(text, file: path, problems: problems) else {
            report.problems = problems.problems
            return report
        }
        let reader = RuleTestFileReader(ignoresUnknownFields: self.ignoresUnknownFields, folder: folder)
        let file = reader.read(value)
        var loader = RuleFileLoader()
        loader.ignoresUnknownFields = self.ignoresUnknownFields
        loader.defaultInterval = file.evaluationInterval
        let rules = loader.load(
            paths: file.ruleFiles.map { $0.hasPrefix("/") ? $0 : "\(folder)/\($0)" },
            problems: problems
        )
        report.findings = rules.findings
        report.problems = problems.problems
        guard report.problems.isEmpty else { return report }
        let patterns = self.runs.compactMap { try? Regex($0) }
        for group in file.groups {
            if !self.runs.isEmpty, !patterns.contains(where: { group.name.firstMatch(of: $0) != nil }) { continue }
            var run = RuleTestRun(
                path: path,
                folder: folder,
                file: file,
                group: group,
                rules: rules,
                makeDevices: self.makeDevices,
                readHistory: self.readHistory
            )
            report.cases.append(run.run())
        }
        return report
    }
}
