// poyang
// SPDX-License-Identifier: Apache-2.0

import EarlyWarning
import Telemetry
import Testing

/// Texts of rules that were made to take a stack, memory or time.
struct HostileRuleTextTests {
    @Test(arguments: [
        ("{{ " + String(repeating: "(", count: 100_000), "branches and parentheses are open"),
        (String(repeating: "{{ if $value }}", count: 100_000), "branches and parentheses are open"),
        ("{{ if $value }}" + String(repeating: "{{ else if $value }}", count: 100_000), "branches and parentheses"),
        (String(repeating: "{{ range $labels }}x", count: 5) + String(repeating: "{{ end }}", count: 5), "'range' are"),
    ])
    func aTemplateIsNestedOnlySoDeep(text: String, complaint: String) {
        let error = #expect(throws: TemplateError.self) { try Template(parsing: text) }
        #expect(error?.message.contains(complaint) ?? false, "\(error?.message ?? "")")
    }

    @Test(arguments: ["%9223372036854775807g", "%99999999999999999999f", "%.5000f", "%10000d"])
    func aWidthOfThousandsIsNone(format: String) throws {
        let context = TemplateContext(labels: .empty, value: 1)
        #expect(try Template(parsing: #"{{ printf "\#(format)" $value }}"#).render(context) == "%!(BADWIDTH)")
    }

    @Test(arguments: ["interval: 20000y", "query_offset: 292471208y"])
    func aGroupLooksBackACenturyAtMost(setting: String) {
        let text = "groups: [{ name: g, \(setting), rules: [{ record: r, expr: x offset 1y }] }]"
        let error = #expect(throws: (any Error).self) { try RuleFileLoader().parse(text) }
        #expect("\(String(describing: error))".contains("is too long; at most 100y"))
    }

    @Test func ofThousandsOfKeysGivenTwiceTheFirstAreNamed() {
        let keys = (0..<2000).map { "a\($0): 1\na\($0): 2\n" }.joined()
        let error = #expect(throws: (any Error).self) { try RuleFileLoader().parse(keys) }
        #expect("\(String(describing: error))".contains("is given twice"))
    }
}
