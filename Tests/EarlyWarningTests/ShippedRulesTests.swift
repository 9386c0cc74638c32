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
        #expect(check.rules.findings.isEmpty, "\(check.rules.findings)")
        #expect(check.rules.alerts.count == 99)
    }

    @Test(arguments: RuleFileLoader.testFiles(below: ShippedRulesTests.rules))
    func passTheirTests(file: String) {
        let report = RuleTestRunner().run(file: "\(Self.rules)/\(file)")
        #expect(report.problems.isEmpty, "\(report.problems)")
        #expect(!report.cases.isEmpty)
        for test in report.cases { #expect(test.failures.isEmpty, "\(test.name): \(test.failures)") }
    }

    @Test func everyRuleFileHasATest() {
        let files = RuleFileLoader.ruleFiles(below: Self.rules).map { $0.replacingOccurrences(of: ".yaml", with: "") }
        let tests = RuleFileLoader.testFiles(below: Self.rules)
            .map { $0.replacingOccurrences(of: ".test.yaml", with: "") }
        #expect(files == tests)
    }
}
