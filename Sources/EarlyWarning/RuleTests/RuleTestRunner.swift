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
        loader.fixedInterval = file.evaluationInterval
        let paths = self.paths(of: file, in: folder, warnings: &report.warnings)
        let rules = loader.load(paths: paths, problems: problems)
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

    /// The rule files of a test file, each once.
    private func paths(of file: RuleTestFile, in folder: String, warnings: inout [Problem]) -> [String] {
        var paths: [String] = []
        for item in file.ruleFiles {
            guard let pattern = item.string else { continue }
            let found = Self.files(matching: pattern.hasPrefix("/") ? pattern : "\(folder)/\(pattern)")
            if found.isEmpty { warnings.append(item.problem("no file matches '\(pattern)'")) }
            paths += found.filter { !paths.contains($0) }
        }
        return paths
    }

    /// What there is under a name with `*`, `?` and `[…]`, sorted.
    private static func files(matching pattern: String) -> [String] {
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(pattern, 0, nil, &found) == 0 else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { found.gl_pathv[$0].map { String(cString: $0) } }
    }
}
