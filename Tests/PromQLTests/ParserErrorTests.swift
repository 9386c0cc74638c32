// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import PromQL
import Telemetry
import TestSupport
import Testing

struct ParserErrorTests {
    @Test(arguments: [
        ("", "1:1", "no expression found"),
        ("up +", "1:5", "unexpected end of input"),
        ("sum(up))", "1:8", "unexpected \")\""),
        ("rate(up)", "1:6", "expected type range vector in call to function \"rate\", got instant vector"),
        ("up[5m] + 1", "1:1", "binary expression must contain only scalar and instant vector types"),
        ("raet(up[5m])", "1:1", "unknown function with name \"raet\""),
        ("{}", "1:1", "at least one non-empty matcher"),
        ("{a=\"\"}", "1:1", "at least one non-empty matcher"),
        ("up{a=~\"(\"}", "1:7", "error parsing regexp: missing closing )"),
        ("up{a=b}", "1:6", "expected string"),
        ("1 > 2", "1:3", "comparisons between scalars must use BOOL modifier"),
        ("up and 1", "1:4", "set operator \"and\" not allowed in binary scalar expression"),
        ("up and on(a) group_left b", "1:14", "no grouping allowed for \"and\" operation"),
        ("a + on(x) group_left(x) b", "1:11", "must not occur in ON and GROUP clause at once"),
        ("a + bool b", "1:5", "bool modifier can only be used on comparison operators"),
        ("up[0s]", "1:4", "duration must be greater than 0"),
        ("up[5x]", "1:4", "bad number or duration syntax"),
        ("up offset 5m[5m]", "1:13", "no offset modifiers allowed before range"),
        ("(up)[5m]", "1:5", "ranges only allowed for vector selectors"),
        ("up offset 5m offset 1m", "1:21", "offset may not be set multiple times"),
        ("\"abc", "1:1", "unterminated quoted string"),
        ("up\n  + §", "2:5", "unexpected character"),
        ("水位 > 1", "1:1", "unexpected character"),
        ("topk(up)", "1:1", "wrong number of arguments for aggregate expression provided, expected 2, got 1"),
        ("clamp(up, 1)", "1:1", "expected 3 argument(s) in call to \"clamp\", got 2"),
        ("label_replace(up, \"\", \"\", \"a\", \"b\")", "1:19", "invalid destination label name"),
        ("up{a=\"1\"", "1:9", "unexpected end of input"),
        ("up b", "1:4", "unexpected \"b\""),
    ])
    func saysWhatIsWrongAndWhere(text: String, place: String, message: String) {
        do {
            _ = try Query(parsing: text)
            Issue.record("\(text) must be refused")
        } catch {
            #expect(error.code == .syntax)
            #expect(error.description.hasPrefix(place + ": "), "\(error)")
            #expect(error.message.contains(message), "\(error)")
        }
    }

    @Test func hintsAtTheFunctionThatWasMeant() throws {
        let error = try #require(throws: PromQLError.self) { try Query(parsing: "avg_over_tme(up[5m])") }
        #expect(error.hint == "did you mean avg_over_time?")
    }

    @Test(arguments: ["(", "-", "sum(", "abs(", "{", "(a+", "a[5m:", "a or "])
    func refusesDeeplyNestedInput(piece: String) throws {
        let text = String(repeating: piece, count: 50_000)
        #expect(throws: PromQLError.self) { try Query(parsing: text) }
    }

    /// The deepest input that is taken fits a quarter of the stack that threads have by default.
    @Test func takesWhatItAllowsOnASmallerStack() async throws {
        let texts = [
            String(repeating: "(", count: 120) + "up" + String(repeating: ")", count: 120),
            String(repeating: "abs(", count: 120) + "up" + String(repeating: ")", count: 120),
            Array(repeating: "up", count: 310).joined(separator: " or "),
        ]
        let results: [String] = await withCheckedContinuation { continuation in
            let thread = Thread {
                let results = texts.map { text in
                    do {
                        let query = try Query(parsing: text)
                        let evaluator = Evaluator(reader: MemorySeriesReader())
                        _ = try evaluator.instant(query, at: .init(milliseconds: 0))
                        return query.description == text ? "same" : "different"
                    } catch {
                        return "\(error)"
                    }
                }
                continuation.resume(returning: results)
            }
            thread.stackSize = 2 << 20
            thread.start()
        }
        #expect(results == ["same", "same", "same"])
    }
}
