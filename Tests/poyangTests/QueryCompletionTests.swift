// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import poyang

/// What a shell offers behind a query that is half written.
struct QueryCompletionTests {
    private struct Names: CompletionSource {
        func labelNames(selector: String?) async -> [String] {
            ["__name__", "org", "site"] + (selector.map { ["of \($0)"] } ?? [])
        }

        func values(of label: String, selector: String?) async -> [String] {
            switch label {
            case "__name__": ["rainfall_millimeters", "water_level_meters", "water_temperature_celsius"]
            case "site": ["hukou", "xingzi", "a\"b"] + (selector.map { ["in \($0)"] } ?? [])
            default: []
            }
        }
    }

    private func completions(_ text: String) async -> [String] {
        await QueryCompletion.completions(of: QueryCursor(text), Names())
    }

    @Test(arguments: [
        ("wat", ["water_level_meters", "water_temperature_celsius"]), ("sum(rainf", ["rainfall_millimeters"]),
        ("avg_over_t", ["avg_over_time("]), ("count_v", ["count_values("]), ("a + water_l", ["water_level_meters"]),
        ("a and water_l", ["water_level_meters"]), ("a un", ["unless"]), ("sum(a) wi", ["without"]),
        ("a offset 5m an", ["anchored", "and"]), ("water_level_meters{", ["org", "site", "of water_level_meters"]),
        ("water_level_meters{si", ["site"]), ("{o", ["org"]), ("{", ["org", "site"]),
        ("a{org=\"x\",s", ["site"]), ("a{org=\"x\", of", ["of a{org=\"x\"}"]),
        ("a{site=", ["\"hukou\"", "\"xingzi\"", "\"a\\\"b\"", "\"in a\""]), ("a{site=\"x", ["xingzi\""]),
        ("a{site=~\"hu", ["hukou\""]), ("a{org=\"x\",site!='in", ["in a{org=\"x\"}'"]), ("{site=\"in", []),
        ("sum by (", ["org", "site"]), ("sum(a) by (o", ["org", "of a"]), ("sum by (site, o", ["org"]),
        ("a * on (s", ["site"]), ("rate(a[", []), ("a offset 5", []), ("label_replace(a, \"s", []), ("1", []),
        ("sum(a{site=\"x\"}) by (of", ["of a{site=\"x\"}"]), ("a # comm", []),
        ("a{site=\"x\"} an", ["anchored", "and"]),
        ("a == bo", ["bottomk(", "bool"]), ("a + fill_l", ["fill_left("]), ("a + on(site) fill_r", ["fill_right("]),
        ("", []),
    ])
    func whatFitsIsOffered(text: String, expected: [String]) async {
        let found = await self.completions(text)
        guard !text.isEmpty else {
            #expect(found.contains("water_level_meters") && found.contains("rate("))
            return
        }
        #expect(found == expected, "\(text): \(found)")
    }

    @Test func theWordsBeforeTheCursorStay() {
        let cursor = QueryCursor("sum by (site) (water_level_meters{site=\"xi")
        #expect(cursor.head == "sum by (site) (water_level_meters{site=\"")
        #expect(cursor.prefix == "xi")
    }

    @Test func withoutAServiceFunctionsAreOffered() async {
        let words = ["poyang", "query", "--data", "/nonexistent/folder", "'avg_over_t"]
        let found = await QueryCompletion.candidates(words, 4, "'avg_over_t")
        #expect(found == ["avg_over_time("])
    }

    /// What is offered must not be run by the shell.
    @Test func theBashScriptExpandsNothing() {
        let script = BashScript.asked(by: ["--generate-completion-script", "bash"]) ?? ""
        #expect(
            script.contains("__poyang_add_literally < <(__poyang_custom_complete ---completion query -- positional@0")
        )
        #expect(!script.contains("-W \"$(__poyang_custom_complete"))
        #expect(script.contains("__poyang_add_literally() {"))
        #expect(BashScript.asked(by: ["--generate-completion-script", "zsh"]) == nil)
        #expect(BashScript.asked(by: ["query", "up"]) == nil)
    }
}
