// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry
import TestSupport
import Testing

/// Queries that were made to stop a service: they are answered or refused soon, and never trap.
@Suite(.timeLimit(.minutes(1)))
struct HostileInputTests {
    private static func times(_ count: Int, _ piece: String) -> String { String(repeating: piece, count: count) }

    /// A megabyte of the first ones, a hundred kilobytes of what a debug build takes long for.
    @Test(arguments: [
        times(1 << 20, "("), times(1 << 20, "["), times(1 << 17, "{"), times(1 << 17, "-"), times(1 << 17, "\""),
        times(1 << 17, "\\"), times(1 << 17, "9"), times(1 << 17, "#"), times(1 << 16, "1h"),
        times(1 << 16, "\n("), times(1 << 15, "sum("), times(1 << 15, "a or "), times(1 << 15, "-1^"),
        times(1 << 15, "x{}["), times(1 << 14, "{a=\"\""), times(1 << 12, "a @ 1 offset 5m "),
        "up[" + times(1 << 17, "5"),
        "a" + times(20_000, " or a"), "1" + times(20_000, "+1"), "a" + times(20_000, "[5m:]"),
        "sum by (" + times(20_000, "a,") + "b", "x{a=~\"" + times(1 << 17, "(") + "\"}",
        "x{a=~\"" + times(1 << 15, "(a|") + "\"}", "x{a=~\"" + times(1 << 15, "a{9}") + "\"}",
        "x{a=~\"" + times(1 << 14, "(?P<a>)") + "\"}", "x{a=~\"(?i)" + times(1 << 14, "[Ā-߿]") + "\"}",
        "x{a=~\"[" + times(1 << 14, "Ā-߿") + "\"}", "x{a=~\"" + times(1 << 15, "[^a]") + "\"}",
        "x{a=~\"(?i)" + times(1 << 15, "é") + "\"}",
    ])
    func muchOfItIsRefused(text: String) {
        let error = #expect(throws: PromQLError.self) { try Query(parsing: text) }
        #expect((error?.description.utf8.count ?? 0) < 3000, "the error is short")
    }

    @Test func manyConditionsAreTaken() throws {
        let conditions = (0..<20_000).map { "a\($0)!=\"x\"" }.joined(separator: ",")
        let query = try Query(parsing: "up{\(conditions)}")
        #expect(query.selectors[0].matchers.count == 20_001)
    }

    /// A dashboard's variable with all its values.
    @Test(arguments: ["(?:", "(", ""])
    func manyAlternativesAreTaken(opening: String) throws {
        let names = (0..<20_000).map { "gauge-\($0)" }.joined(separator: "|")
        let query = try Query(parsing: "up{site=~\"\(opening)\(names)\(opening.isEmpty ? "" : ")")\"}")
        let matcher = try #require(query.selectors[0].matchers.last)
        #expect(matcher.matches("gauge-19999"))
        #expect(!matcher.matches("gauge-20000"))
    }

    @Test(arguments: [
        "(a*)*b", "(a|aa)+b", "(a|a)*b", ".*a.*a.*a.*b", "(.*)(.*)(.*)b", "(a?){500}a{500}b", "((a+)+)+b",
        "[ab]*[ac]*d",
    ])
    func patternsTakeLinearTime(pattern: String) throws {
        let query = try Query(parsing: "up{a=~\"\(pattern)\"}")
        let matcher = try #require(query.selectors[0].matchers.last)
        #expect(!matcher.matches(Self.times(3000, "a")))
    }

    @Test func textsAreFoundInLinearTime() throws {
        let part = Self.times(50_000, "a") + "b"
        let query = try Query(parsing: "up{a=~\".*\(part).*\"}")
        let matcher = try #require(query.selectors[0].matchers.last)
        #expect(!matcher.matches(Self.times(500_000, "a")))
        #expect(matcher.matches(Self.times(100_000, "a") + "bc"))
    }

    /// Each thread of the machine has places for all groups.
    @Test func manyGroupsAreRefusedWhereTheyAreFilledIn() {
        let pattern = Self.times(2000, "(a)?")
        #expect(throws: PromQLError.self) {
            try Query(parsing: "label_replace(up, \"a\", \"$1\", \"b\", \"\(pattern)\")")
        }
    }

    @Test(arguments: [
        ("up[300y]", "out of range"), ("up offset 9.5e10", "out of range"), ("up[9999999999999999999y]", "bad number"),
        ("up @ 1e300", "out of bounds"), ("up @ -Inf", "out of bounds"), ("up @ NaN", "out of bounds"),
        ("1e400", "out of range"), ("0x1FFFFFFFFFFFFFFFFF", "bad number"), ("\"\\U00110000\"", "code point"),
        ("\"\\ud800\"", "code point"), ("up\u{0}", "unexpected character"),
    ])
    func numbersBeyondAllMeasureAreRefused(text: String, message: String) {
        let error = #expect(throws: PromQLError.self) { try Query(parsing: text) }
        #expect(error?.message.contains(message) == true, "\(String(describing: error))")
    }

    /// What was no UTF-8 has become U+FFFD before.
    @Test func whatIsNoTextIsRefusedOrCompared() throws {
        let text = String(decoding: [0x75, 0x70, 0x7B, 0x61, 0x3D, 0x22, 0xFF, 0x22, 0x7D], as: UTF8.self)
        #expect(try Query(parsing: text).selectors[0].matchers.last?.value == "\u{FFFD}")
        #expect(throws: PromQLError.self) { try Query(parsing: String(decoding: [0xC3, 0x28, 0xFF], as: UTF8.self)) }
    }
}
