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
        ("histogram_quantiles(up, \"q\")", "1:1", "expected at least 3 argument(s)"),
        ("histogram_quantiles(up, \"q\", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)", "1:1", "expected at most 12 argument(s)"),
        ("clamp(up, 1)", "1:1", "expected 3 argument(s) in call to \"clamp\", got 2"),
        ("label_replace(up, \"\", \"\", \"a\", \"b\")", "1:19", "invalid destination label name"),
        ("up{a=\"1\"", "1:9", "unexpected end of input"),
        ("up b", "1:4", "unexpected \"b\""),
        ("up{a=\"1\" b=\"2\"}", "1:10", "expected \",\" or \"}\""), ("up{,}", "1:4", "unexpected \",\""),
        ("sum(up,)", "1:8", "trailing commas not allowed"), ("sum by (a,,) (up)", "1:11", "expected label"),
        ("sum by (a) (up) by (b)", "1:17", "unexpected \"by\""), ("rate(up[5m]) offset 1m", "1:21", "must be preceded"),
        ("up{__name__=\"x\"}", "1:3", "metric name must not be set twice: \"up\" or \"x\""),
        ("up[-5m]", "1:4", "duration must be greater than 0"), ("up[1m5h]", "1:4", "bad number or duration syntax"),
        ("1_", "1:1", "bad number"), ("\"\\c\"", "1:2", "unknown escape sequence"), ("up @", "1:5", "@ modifier"),
        ("max_over_time(up)", "1:15", "expected type range vector"),
        ("up[5m:] anchored", "1:9", "anchored modifier is not supported for subqueries"),
        ("sum(up) smoothed", "1:9", "smoothed modifier not implemented"),
        ("up anchored smoothed", "1:13", "anchored and smoothed modifiers cannot be used together"),
        ("up[step]", "1:4", "expected number or duration"), ("up[step(1)]", "1:9", "unexpected number 1 in step"),
        ("up[step() / (1 - 1)]", "1:11", "division by zero"), ("up[step() % 0]", "1:11", "modulo by zero"),
        ("up[9e9 + step() * 1e10]", "1:19", "duration out of range"), ("up[10 ^ 400]", "1:7", "duration out of range"),
        ("up @ range()", "1:6", "a time after @ cannot follow from the query"),
        ("up offset range() offset 5m", "1:26", "offset may not be set multiple times"),
        ("a + fill(b) c", "1:10", "unexpected \"b\" in fill, expected number"),
        ("a + fill(1 c", "1:12", "unexpected \"c\" in fill, expected \")\""),
        ("a + fill(1) 2", "1:3", "filling in missing series only allowed between instant vectors"),
        ("a or fill(1) b", "1:3", "filling in missing series not allowed for set operators"),
        ("a + fill_left(1) fill_left(2) b", "1:18", "unexpected \"fill_left\""),
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

    @Test(arguments: [
        ("(up + 1", "the parenthesis at 1:1 is not closed"),
        ("sum(\n  rate(up[5m])", "the parenthesis at 1:4 is not closed"),
        ("up[5m] * 2", "wrap the range vector in a function such as rate()"), ("up = 1", "compare with =="),
        ("1 =~ 1", "patterns are for labels, in braces"),
        ("sum up by (a)", "the argument of sum stands in parentheses"),
        ("water.level > 1", "quote the name: {\"a.b\"}"), ("up{a.b=\"c\"}", "quote the name: {\"a.b\"=\"…\"}"),
        ("水位 > 1", "quote a name with such letters"), ("sum（up)", "write ( instead"), ("up{a=“b”}", "write \" instead"),
        ("up && up", "write and"), ("up || up", "write or"), ("up > $limit", "variables must be replaced"),
        ("up[(5m]", "is not closed"),
        ("up @ start() [5m]", "after the range"),
        ("time()[5m:]", "vector(…) turns a scalar into a vector"),
        ("info(up)", "experimental in Prometheus"), ("histogram_avg(up)", "native histograms are not stored here"),
        ("a + group_left(b) c", "it stands after on(…) or ignoring(…)"), ("a - on(b) ignoring(c) d", "directly after"),
        ("a + fill(1) fill_left(2) b", "it stands once"), ("summ(up)", "did you mean sum?"),
        ("RATE(up[5m])", "did you mean rate?"), ("by (a) (up)", "sum by (…) (x)"),
    ])
    func saysWhatToDo(text: String, hint: String) throws {
        let error = try #require(throws: PromQLError.self) { try Query(parsing: text) }
        #expect(error.hint?.contains(hint) == true, "\(error)")
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
