// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry
import Testing

@testable import EarlyWarning

/// A group of rules may have so many alerts at once.
struct RuleLimitTests {
    @Test func whoCameFirstGoesOnAndTheNextIsSaidToBeUnknown() throws {
        let harness = try EngineHarness("groups: [{ name: g, limit: 1, rules: [{ alert: A, expr: m > 5 }] }]")
        let sites: [Labels] = [["__name__": "m", "site": "a"], ["__name__": "m", "site": "b"]]
        #expect(try harness.feed(sites[0], 0, 9).line == "raised@0")
        let refused = try harness.feed(sites[1], 1, 9)
        #expect(refused.map(\.alertName) == ["RuleError"])
        #expect(refused.first?.reason == "exceeded limit of 1 with 2 alerts")
        #expect(harness.snapshot().filter { $0.state == .firing }.map(\.labels.site) == ["a"])
        #expect(try harness.feed(sites[0], 2, 1).line == "ended@2")
        let after = try harness.advance(3).map { "\($0.alertName) \($0.change.rawValue) \($0.site)" }
        #expect(Set(after) == ["RuleError ended b", "A raised b"])
    }
}
