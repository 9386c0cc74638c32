// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry
import TestSupport
import Testing

/// Lengths of time that follow from the query's own step and range.
struct SpanFormulaTests {
    private static let data = """
        load 1s
          x 0+1x100
        """

    @Test(arguments: [
        "range from 20s to 40s step 10s count_over_time(x[step()])\n  {} 10 10 10",
        "range from 20s to 40s step 10s count_over_time(x[range()])\n  {} 20 20 20",
        "range from 20s to 40s step 10s count_over_time(x[min_of(range(), step() * 3) / 4])\n  {} 5 5 5",
        "range from 20s to 40s step 10s x offset -(step() - 4)\n  x 26 36 46",
        "range from 20s to 40s step 10s x offset step() * 2\n  {} 20 40 60",
        "range from 20s to 40s step 10s count_over_time(x[range():step() / 2] offset step())\n  {} 3 4 4",
        "range from 20s to 40s step 10s count_over_time(count_over_time(x[step()])[range():step()])\n  {} 2 2 2",
        // What is left of a millisecond is cut off.
        "range from 20s to 40s step 10s count_over_time(x[step() * 0.10006])\n  {} 1 1 1",
        // An instant query has neither.
        "instant at 50s x offset range()\n  x 50", "instant at 50s count_over_time(x[step() + 5])\n  {} 5",
        "instant at 50s count_over_time(x[step()])\n  expect fail msg: duration must be greater than 0: step()",
        "instant at 50s x offset (5 / range())\n  expect fail msg: division by zero",
        "range from 20s to 40s step 10s count_over_time(x[step() - range()])\n  expect fail msg: duration must be",
        "range from 20s to 40s step 10s x offset (step() ^ 99)\n  expect fail msg: duration out of range",
    ])
    func areWhatTheQueryMakesOfThem(evaluation: String) throws {
        #expect(try PromQLScriptRunner.failures(of: evaluation, over: Self.data).isEmpty)
    }

    /// Queries at some moments are instant queries, each with itself as start and end.
    @Test(arguments: [
        "x @ start() > 5", "x @ end() < 5", "x > start() / 3", "x < bool end()", "x offset range() > 5", "x > range()",
    ])
    func aLookAtSomeMomentsIsThatOfInstantQueries(text: String) throws {
        var reader = MemorySeriesReader()
        let moments = [0, 20_000, 40_000].map(Timestamp.init(milliseconds:))
        for (time, value) in zip(moments, [1, 9, 1] as [Double]) { reader.append(Labels(metric: "x"), at: time, value) }
        let query = try Query(parsing: text)
        let evaluator = Evaluator(reader: reader)
        let isAnything = try moments.contains { time in
            guard case .vector(let found) = try evaluator.instant(query, at: time).value else { return false }
            return !found.isEmpty
        }
        #expect(isAnything)
        #expect(try evaluator.isAnything(query, at: moments))
    }
}
