// poyang
// SPDX-License-Identifier: Apache-2.0

import EarlyWarning
import Foundation
import Testing

/// The verdicts of promtool's own test data.
struct PromtoolVerdictTests {
    static let folder: String? = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let shared =
            ProcessInfo.processInfo.environment["POYANG_SHARED"]
            ?? root.deletingLastPathComponent().appendingPathComponent("shared").path
        let folder = shared + "/conformance/promtool"
        return FileManager.default.fileExists(atPath: folder) ? folder : nil
    }()

    @Test func dataAreThereWhereTheyMustBe() {
        if ProcessInfo.processInfo.environment["CI"] == "true" { #expect(Self.folder != nil) }
    }

    @Test(
        .enabled(if: PromtoolVerdictTests.folder != nil, "without the shared data"),
        arguments: [
            ("unittest", [], true), ("at-modifier-test", [], true), ("no-test-group-interval", [], true),
            ("start-time-test", [], true), ("bad-input-series", [], false), ("bad-promql", [], false),
            ("bad-rules-syntax-test", [], false), ("bad-rules-error-test", [], false), ("failing", [], false),
            ("rules_run", [], false), ("rules_run", ["correct"], true), ("rules_run", ["wrong"], false),
        ] as [(String, [String], Bool)]
    )
    func rulesTest(file: String, runs: [String], passes: Bool) throws {
        let folder = try #require(Self.folder)
        var runner = RuleTestRunner()
        runner.runs = runs
        let report = runner.run(file: "\(folder)/\(file).yml")
        let details = report.problems.map { "\($0)" } + report.cases.flatMap { $0.failures.map { "\($0)" } }
        #expect(report.passed == passes, "\(details.joined(separator: "\n"))")
    }

    @Test(
        .enabled(if: PromtoolVerdictTests.folder != nil, "without the shared data"),
        arguments: [
            ("rules", true), ("rules_large", true), ("rules_duplicates", true), ("rules-bad", false),
            ("bad-rules-syntax", false), ("rules_extrafields", false),
        ]
    )
    func rulesCheck(file: String, passes: Bool) throws {
        let check = RuleCheck(paths: ["\(try #require(Self.folder))/\(file).yml"])
        #expect(check.passes() == passes, "\(check.problems)")
    }

    @Test(.enabled(if: PromtoolVerdictTests.folder != nil, "without the shared data"))
    func duplicatesAreALintFindingThatCanBeFatal() throws {
        let check = RuleCheck(paths: ["\(try #require(Self.folder))/rules_duplicates.yml"])
        #expect(check.rules.findings.contains { $0.kind == .duplicateRules })
        #expect(check.passes())
        #expect(!check.passes(lintIsFatal: true))
    }

    @Test(.enabled(if: PromtoolVerdictTests.folder != nil, "without the shared data"))
    func unknownFieldsMayBeIgnored() throws {
        var loader = RuleFileLoader()
        loader.ignoresUnknownFields = true
        #expect(RuleCheck(paths: ["\(try #require(Self.folder))/rules_extrafields.yml"], loader: loader).passes())
    }
}
