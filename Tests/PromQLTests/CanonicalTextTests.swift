// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry
import TestSupport
import Testing

struct CanonicalTextTests {
    @Test(arguments: [
        ("SUM(up)BY(job)", "sum by (job) (up)"),
        ("rate( up [ 5m ] )", "rate(up[5m])"),
        ("a>=ON(site)GROUP_LEFT()b", "a >= on (site) group_left () b"),
        ("up offset 1h@10", "up @ 10.000 offset 1h"),
        ("max_over_time(up[1h:5m]@end())", "max_over_time(up[1h:5m] @ end())"),
        ("{__name__=\"up\",a='b'}", "up{a=\"b\"}"),
        ("{\"a.b\"}", "{\"a.b\"}"),
        ("-up+1e3", "-up + 1000"),
        ("up # comment\n> 1", "up > 1"), ("up * Inf ^ +inf", "up * Inf ^ Inf"),
        ("{__name__=\"a\",__name__=\"b\"}", "{\"a\",__name__=\"b\"}"),
        ("x ANCHORED [5m]", "x[5m] anchored"), ("x smoothed@5 offset 1m", "x @ 5.000 offset 1m smoothed"),
        ("anchored anchored", "anchored anchored"), ("smoothed", "smoothed"), ("x[STEP()]", "x[step()]"),
        ("x[(step())+1m]offset-range()", "x[step() + 60] offset -range()"),
        ("x offset (step()/-10)", "x offset (step() / (-10))"), ("x offset -(-step())", "x offset -(-step())"),
        ("x[1m+30s:step()^2*3]", "x[1m30s:(step() ^ 2) * 3]"), ("x[-range()^2]", "x[-(range() ^ 2)]"),
        ("x[max_of(step()*2,min_of(1m,5m))]", "x[max_of(step() * 2, 60)]"),
        ("x[range():] @ end() offset min_of(step(),1)", "x[range():] @ end() offset min_of(step(), 1)"),
        ("a+FILL(0)b", "a + fill (0) b"),
        (
            "a == bool on(x) group_left fill_right ( -5m ) b",
            "a == bool on (x) group_left () fill_right (-300) b"
        ),
        ("a-fill_right(1)Fill_Left(+Inf)b", "a - fill_left (+Inf) fill_right (1) b"),
        ("fill+fill(nan)fill", "fill + fill (NaN) fill"), ("a * fill_left(2) fill_right(2) b", "a * fill (2) b"),
        ("{'a',__name__=~'b.*'}", "{\"a\",__name__=~\"b.*\"}"),
    ])
    func isOneSpelling(text: String, canonical: String) throws {
        #expect(try Query(parsing: text).description == canonical)
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func parsesBackToTheSameExpression(seed: UInt64) throws {
        print("canonical text: seed \(seed)")
        var expressions = RandomExpressions(seed: seed)
        var parsed = 0
        for _ in 0..<1500 {
            let text = expressions.vector(4)
            guard let query = try? Query(parsing: text) else { continue }
            parsed += 1
            let again = try Query(parsing: query.description)
            #expect(again.description == query.description, "\(text)")
            if !query.description.contains("NaN") { #expect(again.expression == query.expression, "\(text)") }
        }
        #expect(parsed > 1000)
    }

    /// Whatever comes in: an answer or an error, never a trap.
    @Test(arguments: [11, 12, 13] as [UInt64])
    func hostileTextNeverTraps(seed: UInt64) throws {
        print("hostile text: seed \(seed)")
        var numbers = SeededGenerator(seed: seed)
        var expressions = RandomExpressions(seed: seed)
        var reader = MemorySeriesReader()
        for minute in 0..<20 {
            let time = Timestamp(milliseconds: Int64(minute) * .minute)
            reader.append(Labels(metric: "up", ["site": "a"]), at: time, Double(minute))
            reader.append(Labels(metric: "x", ["a": "1", "b": "2", "c": "x"]), at: time, -1)
        }
        var limits = QueryLimits()
        limits.subquerySteps = 2000
        let options = EvaluationOptions(limits: limits)
        let evaluator = Evaluator(reader: reader, options: options)
        let pieces = [
            "(", ")", "{", "}", "[", "]", "\"", "'", "`", "\\", "9223372036854775807", "1e308", "offset", "@", "-",
            "290000000y", "1ms", ":", "~", "=", "!", "on", "by", "\\p{L", "[^", "{1000}", "水", "\u{0}", "NaN", ",",
        ]
        for _ in 0..<1500 {
            var text = Array(expressions.vector(3).unicodeScalars)
            for _ in 0..<Int.random(in: 0..<4, using: &numbers) {
                let place = Int.random(in: 0...text.count, using: &numbers)
                let end = Int.random(in: place...min(text.count, place + 3), using: &numbers)
                text.replaceSubrange(
                    place..<end,
                    with: pieces.randomElement(using: &numbers)?.unicodeScalars.map { $0 } ?? []
                )
            }
            var view = String.UnicodeScalarView()
            view.append(contentsOf: text)
            guard let query = try? Query(parsing: String(view)) else { continue }
            for time in [0, 600_000, Int64.max, Int64.min, -1] {
                _ = try? evaluator.instant(query, at: Timestamp(milliseconds: time))
            }
            _ = try? evaluator.range(
                query,
                from: Timestamp(milliseconds: 0),
                through: Timestamp(milliseconds: 600_000),
                step: .minute
            )
        }
    }
}
