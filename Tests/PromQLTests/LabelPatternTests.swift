// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry
import TestSupport
import Testing

struct LabelPatternTests {
    private func matches(_ pattern: String, _ text: String) throws -> Bool {
        let query = try Query(parsing: "up{a=~\(NumberText.quoted(pattern))}")
        let matcher = try #require(query.selectors[0].matchers.last)
        return matcher.matches(text)
    }

    @Test(arguments: [
        ("xingzi|hukou", "hukou", true), ("xingzi|hukou", "hukou2", false), ("xing.*", "xingzi", true),
        ("xing.*", "xing", true), ("xing.+", "xing", false), (".*zi", "xingzi", true), (".*ng.*", "xingzi", true),
        (".*", "", true), (".+", "", false), ("", "", true), ("a(b|c)d", "acd", true), ("a(b|c)d", "ad", false),
        ("[a-c]+\\d{2,3}", "abc12", true), ("[a-c]+\\d{2,3}", "abc1", false), ("(?i)ABC", "aBc", true),
        ("[^0-9]+", "abc", true), ("[[:alpha:]]+", "abc1", false), ("\\p{Han}+", "鄱阳湖", true), ("a.c", "a\nc", true),
        ("^abc$", "abc", true), ("a|^b$", "b", true), ("\\.x", ".x", true), ("a{0}b", "b", true),
        ("(a*)*", "aaa", true),
        ("x?y+?", "xyy", true), ("\\bab\\b", "ab", true), ("[]a]+", "]a", true), ("\\x41\\x{42}", "AB", true),
        ("a{,2}", "a{,2}", true), ("(?:a|b)*c", "ababc", true), ("\\Qa.b\\E", "a.b", true), ("\\Qa.b\\E", "axb", false),
        ("[\\d\\-x]+", "1-x", true), ("(?i:a)b", "AB", false), ("(?P<n>a)b", "ab", true), ("é", "é", true),
    ])
    func decidesWholeTexts(pattern: String, text: String, expected: Bool) throws {
        #expect(try self.matches(pattern, text) == expected)
    }

    @Test(arguments: [
        ("a**", "invalid nested repetition operator"), ("*a", "missing argument to repetition operator"),
        ("a)", "unexpected )"), ("(a", "missing closing )"), ("[a", "missing closing ]"),
        ("[b-a]", "invalid character class range"), ("a{1001}", "invalid repeat count"),
        ("(?=a)", "invalid or unsupported Perl syntax"), ("\\1", "invalid escape sequence"),
        ("a\\", "trailing backslash"), ("((a{1000}){1000}){1000}", "expression too large"),
        ("\\p{L", "invalid character class"),
        ("(?:(?:(?:){1000}){1000}){1000}", "expression too large"),
    ])
    func refusesWhatRE2Refuses(pattern: String, message: String) throws {
        let error = try #require(throws: PromQLError.self) { try self.matches(pattern, "") }
        #expect(error.message.contains(message), "\(error)")
    }

    /// Backtracking engines take years for this one.
    @Test(.timeLimit(.minutes(1))) func takesLinearTime() throws {
        let text = String(repeating: "a", count: 5000)
        #expect(try self.matches("(a*)*(a*)*b", text) == false)
        #expect(try self.matches("(a|aa)+", text))
    }

    @Test(arguments: [
        ("(.*)-(.*)", "$2-$1", "b-a"), ("(?P<x>[a-z]+)-.*", "${x}!", "a!"), ("a-b", "$1x", ""),
        ("(a)-.*", "$1$$", "a$"),
        (".*", "$0", "a-b"), ("(a|a-b).*", "$1", "a"), ("(x)?.*", "[$1]", "[]"), ("nomatch", "x", "old"),
    ])
    func labelReplaceFillsInGroups(pattern: String, replacement: String, expected: String) throws {
        var reader = MemorySeriesReader()
        let time = Timestamp(milliseconds: 1000)
        reader.append(Labels(metric: "up", ["src": "a-b", "dst": "old"]), at: time, 1)
        let text = [replacement, "src", pattern].map(NumberText.quoted).joined(separator: ", ")
        let query = try Query(parsing: "label_replace(up, \"dst\", \(text))")
        guard case .vector(let vector) = try Evaluator(reader: reader).instant(query, at: time).value else { return }
        #expect(vector.map { $0.labels["dst"] } == [expected])
    }
}
