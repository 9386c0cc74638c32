// poyang
// SPDX-License-Identifier: Apache-2.0

import EarlyWarning
import Foundation
import Testing

struct ShippedRulesTests {
    static let rules = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Rules").path

    @Test func passTheirCheckWithoutFindings() {
        let check = RuleCheck(paths: [Self.rules])
        #expect(check.problems.isEmpty, "\(check.problems)")
        let findings = check.rules.findings.filter { $0.kind != .readsAnew }
        #expect(findings.isEmpty, "\(findings)")
        #expect(check.rules.alerts.count == 99)
    }

    /// What many sites have, and report every few minutes, must not be read from the store at every reading.
    @Test func ofLevelsAndRainAreCarriedOn() {
        let check = RuleCheck(paths: ["flood", "flood_projection", "flood_rise", "rain"].map { "\(Self.rules)/\($0)" })
        #expect(check.rules.findings.isEmpty, "\(check.rules.findings)")
        let anew = RuleCheck(paths: [Self.rules]).rules.findings.filter { $0.kind == .readsAnew }
        #expect(anew.contains { "\($0.problem)".contains("TownshipSilent reads 6h") })
    }

    @Test(arguments: try RuleFileLoader.testFiles(below: ShippedRulesTests.rules))
    func passTheirTests(file: String) {
        let report = RuleTestRunner().run(file: "\(Self.rules)/\(file)")
        #expect(report.problems.isEmpty, "\(report.problems)")
        #expect(!report.cases.isEmpty)
        for test in report.cases { #expect(test.failures.isEmpty, "\(test.name): \(test.failures)") }
    }

    @Test func everyRuleFileHasATest() throws {
        let files = try RuleFileLoader.ruleFiles(below: Self.rules)
            .map { $0.replacingOccurrences(of: ".yaml", with: "") }
        let tests = try RuleFileLoader.testFiles(below: Self.rules)
            .map { $0.replacingOccurrences(of: ".test.yaml", with: "") }
        #expect(files == tests)
    }
}
