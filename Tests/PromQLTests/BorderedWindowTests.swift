// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry
import TestSupport
import Testing

/// Ranges whose values at the borders are those of samples beyond them.
struct BorderedWindowTests {
    /// A counter that begins again at 40 s, with a gap, and a gauge.
    private static let data = """
        load 10s
          count_total 10 20 30 _ 5 15 25
          level 1 2 1 _ _ 4 _ stale
        """

    @Test(arguments: [
        "instant at 25s increase(count_total[10s] anchored)\n  {} 10",
        "instant at 25s increase(count_total[10s] smoothed)\n  {} 6.25",
        "instant at 20s increase(count_total[15s] smoothed)\n  {} 15",
        // It fell from 30 to 5: what is on the line to 5 began at zero.
        "instant at 35s increase(count_total[10s] smoothed)\n  {} 2.5",
        "instant at 45s increase(count_total[40s] anchored)\n  {} 25",
        "instant at 45s delta(count_total[40s] anchored)\n  {} -5",
        "instant at 45s rate(count_total[40s] anchored)\n  {} 0.625",
        "instant at 1m increase(count_total[1m] smoothed offset 5s)\n  {} 40",
        // None is in the range: only lines go through it.
        "instant at 35s increase(count_total[5s] anchored)",
        "instant at 35s increase(count_total[5s] smoothed)\n  {} 1.25",
        "instant at 30s changes(level[5s] anchored)", "instant at 25s changes(level[10s] anchored)\n  {} 1",
        "instant at 50s changes(level[30s] anchored)\n  {} 1",
        "instant at 50s changes(level[30001ms] anchored)\n  {} 2",
        "instant at 50s resets(level[40s] anchored)\n  {} 1",
        // On the line between two, the last where none follows, and nothing before the first; the end of the series
        // is not seen.
        "range from 0 to 80s step 20s level smoothed\n  level 1 1 3 4 4", "instant at 5s level smoothed\n  level 1.5",
        "instant at 0 level offset 1s smoothed", "instant at 0 level offset -12s smoothed\n  level 1.8",
        "instant at 15s level anchored\n  level 2", "instant at 5s timestamp(level smoothed)\n  {} 0",
        "instant at 5m10s level smoothed\n  level 4", "instant at 5m50s level smoothed",
        "instant at 25s sum_over_time(level[1m] anchored)\n  expect fail msg: anchored modifier can only be used with: "
            + "changes, delta, increase, rate, resets - not with sum_over_time",
        "instant at 25s changes((level[1m] smoothed))\n  expect fail msg: smoothed modifier can only be used with: "
            + "delta, increase, rate - not with changes",
        "instant at 25s absent_over_time(level[1m] anchored)\n  expect fail msg: anchored modifier can only be used",
    ])
    func areSeenFromBeyondThem(evaluation: String) throws {
        #expect(try PromQLScriptRunner.failures(of: evaluation, over: Self.data).isEmpty)
    }

    @Test(
        arguments: [
            ("x[10s] anchored", [5, 10, 15], [1, 2, 2]), ("x[20s] smoothed", [0, 10, 20], [1, 2, 3]),
            ("x[15s] smoothed", [0, 10, 15], [1, 2, 2.5]), ("x[5s] anchored", [], []),
        ] as [(String, [Int64], [Double])]
    )
    func areShownWithTheSamplesBetweenThem(text: String, seconds: [Int64], values: [Double]) throws {
        var reader = MemorySeriesReader()
        for (index, value) in [1, 2, 3].enumerated() {
            reader.append(Labels(metric: "x"), at: Timestamp(milliseconds: Int64(index) * 10_000), Double(value))
        }
        let end = Timestamp(milliseconds: text.contains("[20s]") ? 20_000 : 15_000)
        let result = try Evaluator(reader: reader).instant(Query(parsing: text), at: end)
        guard case .matrix(let series) = result.value else {
            Issue.record("\(text) is a range vector")
            return
        }
        #expect((series.first?.times ?? []) == seconds.map { Timestamp(milliseconds: $0 * 1000) })
        #expect((series.first?.values ?? []) == values)
    }

    /// Every series is looked behind and ahead of by its own look-back.
    @Test func reachAsFarAsEachLookback() throws {
        var reader = MemorySeriesReader()
        for (name, lookback) in [("short", 60_000), ("long", 600_000)] as [(String, Milliseconds)] {
            for (minute, value) in [(0, 1.0), (4, 5.0)] {
                let time = Timestamp(milliseconds: Int64(minute) * .minute)
                reader.append(["__name__": "x", "n": name], at: time, value, lookback: lookback)
            }
        }
        let evaluator = Evaluator(reader: reader)
        func values(_ text: String, _ minutes: Double) throws -> [String: Double] {
            let time = Timestamp(milliseconds: Milliseconds(minutes * 60_000))
            guard case .vector(let found) = try evaluator.instant(Query(parsing: text), at: time).value else {
                return [:]
            }
            return Dictionary(uniqueKeysWithValues: found.map { ($0.labels["n"], $0.value) })
        }
        #expect(try values("x smoothed", 0.5) == ["short": 1, "long": 1.5])
        #expect(try values("x smoothed", 2) == ["long": 3])
        #expect(try values("changes(x[2m] anchored)", 5) == ["short": 0, "long": 1])
    }
}
