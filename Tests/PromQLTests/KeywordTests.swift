// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry
import Testing

/// Words of the language are names where nothing else can be meant, as in Prometheus.
struct KeywordTests {
    private static let words = [
        "by", "without", "offset", "and", "or", "unless", "sum", "avg", "min", "max", "count", "group", "stddev",
        "topk",
        "quantile", "count_values", "start", "end", "step", "range", "limitk", "fill", "anchored", "smoothed",
    ]

    @Test(arguments: words) func namesAMetric(word: String) throws {
        #expect(try Query(parsing: "\(word){a=\"b\"}").selectors.first?.metric == word)
        #expect(try Query(parsing: "rate(\(word)[5m])").selectors.first?.metric == word)
    }

    @Test(arguments: words + ["on", "ignoring", "group_left", "group_right", "bool", "atan2", "le"])
    func namesALabel(word: String) throws {
        #expect(try Query(parsing: "up{\(word)=\"b\"}").selectors.first?.matchers.last?.name == word)
        #expect(try Query(parsing: "sum by (\(word)) (up)").description == "sum by (\(word)) (up)")
        #expect(try Query(parsing: "a + on (\(word)) group_left (\(word)x) b").selectors.count == 2)
    }

    @Test(arguments: [
        ("sum by (a) (x)", "sum(x) by (a)"), ("sum without (a,) (x,)", ""), ("topk by (a) (3, x)", "topk(3, x) by (a)"),
        ("x offset 5m @ 10", "x @ 10 offset 5m"), ("x[5m] @ end() offset -1h", "x[5m] offset -1h @ end()"),
        ("SUM(x) OFFSET 5m", ""), ("x and on () y", "x AND ON() y"), ("x{a=\"b\",}", "x{a=\"b\"}"), ("x{}", "x"),
        ("{\"x\"}", "{__name__=\"x\"}"), ("{\"x\", a=\"b\"}", "x{a=\"b\"}"), ("x[300]", "x[5m]"),
        ("x offset 60", "x offset 1m"),
        ("sum by (\"strange label\") (x)", "sum(x) by (\"strange label\")"),
        ("x{\"strange label\"=\"b\"}", "x{'strange label'=`b`}"), ("a % bool b", ""), ("a == bool b", "a==bool b"),
    ])
    func orderAndSpellingDoNotMatter(text: String, other: String) throws {
        guard !other.isEmpty else {
            #expect(throws: PromQLError.self) { try Query(parsing: text) }
            return
        }
        #expect(try Query(parsing: text).expression == Query(parsing: other).expression)
    }
}
