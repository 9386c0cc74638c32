// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry
import TestSupport
import Testing

@testable import PromQL

/// Windows that carry on from one step to the next, beside windows that are looked at one by one.
struct WindowSweepTests {
    private static let start = Timestamp(milliseconds: 1_655_800_000_000)

    /// A series as sensors send it, and as they should not: decimals, other numbers, NaN, infinities, −0, gaps.
    private static func series(_ numbers: inout SeededGenerator) -> SeriesColumns {
        var columns = SeriesColumns(labels: Labels(metric: "x"), times: [], values: [], marks: [])
        var time = self.start
        let oddness = Int.random(in: 0...3, using: &numbers)
        for _ in 0..<Int.random(in: 1...300, using: &numbers) {
            let isGap = Int.random(in: 0..<20, using: &numbers) == 0
            time = time + Int64.random(in: 1...(isGap ? 900_000 : 60_000), using: &numbers)
            var value = Double(Int.random(in: -5000...5000, using: &numbers)) / 100
            switch Int.random(in: 0..<20, using: &numbers) {
            case 0 where oddness > 0: value = .nan
            case 1 where oddness > 1: value = Double.random(in: -1e9...1e9, using: &numbers)
            case 2 where oddness > 2: value = [Double.infinity, -.infinity, -0.0, 1e300, 1e-7].randomElement() ?? 0
            case 3: value = Double(Int.random(in: -9...9, using: &numbers))
            case 4: value = Double(Int.random(in: 0...999_999_999, using: &numbers)) / 1e9
            default: break
            }
            columns.times.append(time)
            columns.values.append(value)
            columns.marks.append(.measured)
        }
        return columns
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func giveTheSameAsWindowsOneByOne(seed: UInt64) throws {
        print("window sweeps: seed \(seed)")
        var numbers = SeededGenerator(seed: seed)
        let functions = [
            "sum", "avg", "min", "max", "count", "last", "first", "present", "stddev", "quantile",
        ]
        for _ in 0..<40 {
            let series = Self.series(&numbers)
            let length = Int.random(in: 1...3000, using: &numbers)
            let step = Int64.random(in: 1000...600_000, using: &numbers)
            let through = (series.times.last ?? Self.start) + 2 * step
            let evaluator = Evaluator(reader: MemorySeriesReader([series]))
            let calls =
                functions.map { "\($0)_over_time(\($0 == "quantile" ? "0.9, " : "")x[\(length)s])" }
                + ["changes", "resets", "deriv", "rate", "delta", "idelta"].map { "\($0)(x[\(length)s])" }
                + ["changes", "resets", "rate", "increase", "delta"].map { "\($0)(x[\(length)s] anchored)" }
                + ["rate", "increase", "delta"].map { "\($0)(x[\(length)s] smoothed)" }
                + ["x smoothed", "x smoothed offset 7s", "x offset -9s smoothed"]
            for call in calls {
                let query = try Query(parsing: call)
                let range = try evaluator.range(query, from: Self.start, through: through, step: step)
                var found: [Timestamp: Double] = [:]
                for series in range.series {
                    for (time, value) in zip(series.times, series.values) { found[time] = value }
                }
                var time = Self.start
                while time <= through {
                    guard case .vector(let vector) = try evaluator.instant(query, at: time).value else { return }
                    let expected = vector.first?.value
                    #expect(
                        expected == found[time]
                            || (expected?.isNaN == true && found[time]?.isNaN == true),
                        "seed \(seed): \(call) at \(time): \(String(describing: found[time])), not \(String(describing: expected))"
                    )
                    time = time + step
                }
            }
        }
    }

    /// 49.9 and 50.0 must not flip by drift, whatever came before.
    @Test func decimalsAreSummedWithoutDrift() throws {
        let count = 5000
        let series = SeriesColumns(
            labels: Labels(metric: "rain"),
            times: (0..<count).map { Self.start + Int64($0) * .minute },
            values: (0..<count).map { $0.isMultiple(of: 7) ? 0.3 : 0.1 },
            marks: Array(repeating: .measured, count: count)
        )
        let evaluator = Evaluator(reader: MemorySeriesReader([series]))
        let range = try evaluator.range(
            Query(parsing: "sum_over_time(rain[70m])"),
            from: Self.start + 100 * .minute,
            through: Self.start + Int64(count - 1) * .minute,
            step: .minute
        )
        #expect(range.series.first?.values.allSatisfy { $0 == 9 } == true)
    }

    @Test func aLineThroughDecimalsIsExact() throws {
        let series = SeriesColumns(
            labels: Labels(metric: "level"),
            times: (0..<12).map { Self.start + Int64($0) * 5 * .minute },
            values: (0..<12).map { Double(1000 + 3 * $0) / 100 },
            marks: Array(repeating: .measured, count: 12)
        )
        let evaluator = Evaluator(reader: MemorySeriesReader([series]))
        let end = Self.start + 55 * .minute
        let slope = try evaluator.instant(Query(parsing: "deriv(level[1h]) * 3600"), at: end)
        let ahead = try evaluator.instant(Query(parsing: "predict_linear(level[1h], 3600)"), at: end)
        guard case .vector(let slopes) = slope.value, case .vector(let levels) = ahead.value else { return }
        #expect(slopes.first.map { abs($0.value - 0.36) < 1e-12 } == true)
        #expect(levels.first.map { abs($0.value - 10.69) < 1e-12 } == true)
    }

    @Test func subqueriesAtTheEdgeOfTimeEnd() throws {
        func windows(_ moments: [Timestamp], _ length: Milliseconds) -> [TimeWindow] {
            moments.map { TimeWindow(after: $0 - length, through: $0) }
        }
        let grid = StepGrid(multiplesOf: 7, from: 0, inWindows: windows([.distantFuture], 100), limit: 1000)
        #expect((grid?.count ?? 0) <= 15)
        let far = StepGrid(
            multiplesOf: 1,
            from: 0,
            inWindows: windows([.distantPast, .distantFuture], 10),
            limit: 1000
        )
        #expect((far?.count ?? 0) <= 21)
        #expect(StepGrid(multiplesOf: 1, from: 0, inWindows: windows([Self.start], .day), limit: 1000) == nil)
        let moments = [Self.start, Self.start + 1000]
        let sparse = StepGrid(multiplesOf: 10, from: 0, inWindows: windows(moments, 20), limit: 1000)
        #expect(sparse?.times.map { $0 - Self.start } == [-10, 0, 990, 1000])
    }

    @Test func aQueryStopsWhereItsPoolOrItsOwnerSaysSo() throws {
        let series = (0..<10)
            .map {
                SeriesColumns(
                    labels: Labels(metric: "x", ["n": "\($0)"]),
                    times: [Self.start],
                    values: [1],
                    marks: [.measured]
                )
            }
        func run(_ options: EvaluationOptions) throws -> Int {
            try Evaluator(reader: MemorySeriesReader(series), options: options)
                .steps(Query(parsing: "x"), from: Self.start, through: Self.start + 9000, step: 1000).series.count
        }
        func code(_ options: EvaluationOptions) -> PromQLError.Code? {
            do {
                _ = try run(options)
                return nil
            } catch { return (error as? PromQLError)?.code }
        }
        let pool = QueryPool(points: 150)
        var options = EvaluationOptions(pool: pool)
        #expect(try run(options) == 10)
        do {
            let held = try Evaluator(reader: MemorySeriesReader(series), options: options)
                .steps(Query(parsing: "x"), from: Self.start, through: Self.start + 9000, step: 1000)
            #expect(code(options) == .busy)
            #expect(held.series.count == 10)
        }
        options.limits.points = 99
        #expect(code(options) == .limit)
        options.limits = QueryLimits()
        options.limits.series = 9
        #expect(code(options) == .limit)
        options.limits = QueryLimits()
        options.limits.samples = 9
        #expect(code(options) == .limit)
        options = EvaluationOptions(stop: QueryStop())
        options.stop?.stop(.timeout)
        #expect(code(options) == .timeout)
        options.stop = QueryStop()
        options.stop?.stop(.canceled)
        options.stop?.stop(.timeout)
        #expect(code(options) == .canceled)
    }
}
