// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Prometheus's own test scripts, from the shared conformance folder.
struct ConformanceTests {
    /// How many evaluations of each file pass at least.
    private static let leastPassed = [
        "aggregators.test": 125, "at_modifier.test": 78, "functions.test": 384, "literals.test": 25,
        "operators.test": 145, "range_queries.test": 17, "selectors.test": 31, "staleness.test": 17,
        "subquery.test": 32,
    ]

    private static func folder() -> URL {
        let shared = ProcessInfo.processInfo.environment["POYANG_SHARED"].map { URL(fileURLWithPath: $0) }
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return (shared ?? root.deletingLastPathComponent().appendingPathComponent("shared"))
            .appendingPathComponent("conformance/promql")
    }

    @Test(arguments: leastPassed.keys.sorted())
    func answersAsPrometheusDoes(file: String) throws {
        let url = Self.folder().appendingPathComponent(file)
        guard let text = try? String(contentsOf: url, encoding: .utf8) else {
            print("\(file): 1 file skipped: \(url.deletingLastPathComponent().path) is not there")
            #expect(ProcessInfo.processInfo.environment["CI"] != "true", "conformance data must be there in CI")
            return
        }
        let report = PromQLScriptRunner.run(try PromQLScript(parsing: text))
        for failure in report.failures { print("\(file): \(failure)") }
        print(
            "\(file): \(report.passed) passed, \(report.failures.count) failed, \(report.skippedCount) skipped"
                + " \(report.skipped.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" })"
        )
        #expect(report.failures.isEmpty)
        #expect(report.passed >= Self.leastPassed[file] ?? 0)
    }
}
