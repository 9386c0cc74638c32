// poyang
// SPDX-License-Identifier: Apache-2.0

import TestSupport

/// How a test script went, as lines for people.
struct ConformanceReport {
    let summary: String
    /// Why evaluations were skipped, with how many; then what failed.
    let details: [String]
    let hasFailures: Bool

    init(of text: String) {
        do {
            let report = PromQLScriptRunner.run(try PromQLScript(parsing: text))
            self.summary =
                "\(report.passed) passed, \(report.failures.count) failed, \(report.skippedCount) skipped"
            let reasons = report.skipped.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            self.details =
                reasons.map { "skipped \($0.value): \($0.key)" }
                + report.failures.flatMap { failure in
                    [
                        "failed: line \(failure.line): \(failure.query)", "  expected: \(failure.expected)",
                        "  actual:   \(failure.actual)",
                    ]
                }
            self.hasFailures = !report.failures.isEmpty
        } catch {
            // A script that cannot be read has failed as a whole.
            self.summary = "0 passed, 1 failed, 0 skipped"
            self.details = ["failed: \(error)"]
            self.hasFailures = true
        }
    }
}
