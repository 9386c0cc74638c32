// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry
import TestSupport
import Testing

@testable import PromQL

/// A formula says what the evaluator says, to the bit, and changes no later than it says.
struct SeriesFormulaTests {
    static let queries = [
        "level", "-level", "level - 3", "3 - level", "level > 7", "7 < level", "level >= bool 7", "level * level",
        "level - min_over_time(level[10m])", "max_over_time(level[10m]) - min_over_time(level[20m]) / 2",
        "covered_sum_over_time(level[10m])", "possible_sum_over_time(level[10m]) % 4",
        "level > avg_over_time(level[5m])",
        "count_over_time(level[3m]) == 2", "(level - first_over_time(level[10m])) ^ 2", "deriv(level[10m])",
        "2 * (3 + (4 - (level / (5 - last_over_time(level[2m])))))", "sum_over_time(level[10m])",
        "avg_over_time(level[17m]) - avg_over_time(level[5m])", "predict_linear(level[15m], 60 * 60)",
        "changes(level[10m]) + resets(level[10m])", "quantile_over_time(0.5, level[9m])", "stddev_over_time(level[9m])",
        "deriv(level[20m]) * 3600 + level", "min_over_time(level[30m]) + max_over_time(level[30m])",
        "round(covered_sum_over_time(level[10m]), 0.1)", "abs(level - 5) + ceil(level) - floor(sqrt(level))",
        "clamp(level, 3, 7) - clamp_min(level, 2) / clamp_max(level, 8)", "clamp(level, 7, 3)", "round(level)",
        "max_over_time(level[10m:1m])", "count_over_time((level <= 5)[20m:3m]) / 4",
        "30 - sum_over_time((level > bool 5)[30m:2m])", "level - avg_over_time(sum_over_time(level[5m])[20m:5m])",
        "max_over_time(min_over_time((level > 3)[6m:2m])[12m:4m])", "quantile_over_time(0.5, deriv(level[5m])[9m:2m])",
    ]

    /// Values as sensors send them, and now and then one that is no decimal or no number.
    static func value(_ random: inout SeededGenerator, isOdd: Bool) -> Double {
        switch isOdd ? Int.random(in: 0..<24, using: &random) : 9 {
        case 0: .nan
        case 1: Double.random(in: 0...10, using: &random)
        case 2: .infinity
        case 3: Double(Int.random(in: 0...20_000, using: &random)) / 1000
        case 4: 1e15
        case 5: -0.0
        default: Double(Int.random(in: 0...20, using: &random)) / 2
        }
    }

    private static let labels: Labels = ["__name__": "level", "site": "a"]
    private static let lookback = 7 * Milliseconds.minute

    /// What a formula and the evaluator read, the same for both.
    private struct Series {
        var reader = MemorySeriesReader()
        var samples: [Sample] = []
        var base = 0

        mutating func append(_ sample: Sample) {
            self.reader.append(labels, at: sample.time, sample.value, mark: sample.mark, lookback: lookback)
            self.samples.append(sample)
        }

        mutating func letGo(through time: Timestamp) {
            let surplus = self.samples.count { $0.time <= time }
            self.samples.removeFirst(surplus)
            self.base += surplus
        }

        func value(
            of formula: SeriesFormula,
            at time: Timestamp,
            _ state: inout SeriesFormula.State
        ) throws -> SeriesFormula.Result {
            try self.samples.withUnsafeBufferPointer { samples in
                let run = SampleRun(samples, lookback: lookback, base: self.base)
                return try formula.value(of: run, at: time, &state, roundsComparisons: true)
            }
        }

        func evaluated(_ query: Query, at time: Timestamp) throws -> (value: Double?, nextChange: Timestamp) {
            let options = EvaluationOptions(qualities: .raising, roundsComparisons: true)
            let result = try Evaluator(reader: self.reader, options: options).instant(query, at: time)
            guard case .vector(let samples) = result.value else { throw PromQLError(.execution, "no vector") }
            return (samples.first?.value, result.nextChange)
        }
    }

    private static func isSame(_ one: Double?, _ other: Double?) -> Bool {
        one?.bitPattern == other?.bitPattern || one?.isNaN == true && other?.isNaN == true
    }

    /// The series grows at its end and loses its beginning, and what is carried on goes with it.
    @Test(arguments: queries)
    func saysWhatTheEvaluatorSays(text: String) throws {
        print("formula: seed 41")
        var random = SeededGenerator(seed: 41)
        let query = try Query(parsing: text)
        let formula = try #require(SeriesFormula(query))
        for trial in 0..<40 {
            var series = Series()
            var state = formula.newState
            var minute: Int64 = 1000
            for _ in 0..<Int.random(in: 1...90, using: &random) {
                let mark = SampleMark(
                    quality: .pass,
                    method: Int.random(in: 0..<3, using: &random) == 0 ? .gapTotal : .measured
                )
                let value = Self.value(&random, isOdd: trial >= 20)
                let time = Timestamp(milliseconds: minute * .minute)
                series.append(Sample(time: time, value: value, mark: mark))
                if Int.random(in: 0..<6, using: &random) == 0 {
                    series.letGo(through: time - formula.reach - Self.lookback)
                }
                let step = Int64.random(in: 1...4, using: &random)
                for passed in 0..<step where Bool.random(using: &random) {
                    let now = Timestamp(milliseconds: (minute + passed) * .minute)
                    let wanted = try series.evaluated(query, at: now)
                    let given = try series.value(of: formula, at: now, &state)
                    let isSame = Self.isSame(wanted.value, given.value)
                    #expect(isSame, "\(text) in trial \(trial): \(wanted.value as Double?) \(given.value as Double?)")
                    #expect(wanted.nextChange == given.nextChange, "\(text) in trial \(trial)")
                }
                minute += step
            }
        }
    }

    /// A sample may come after the step of a subquery that it belongs to has been worked out.
    @Test func aSubqueryLooksAgainWhenASampleComesLate() throws {
        let query = try Query(parsing: "sum_over_time((level * 2)[20m:2m])")
        let formula = try #require(SeriesFormula(query))
        var series = Series()
        var state = formula.newState
        let arrivals: [(at: Int64, of: Int64)] = [
            (100, 100), (101, 101), (106, 102), (107, 103), (115, 110), (116, 116),
        ]
        for arrival in arrivals {
            series.append(Sample(time: Timestamp(milliseconds: arrival.of * .minute), value: Double(arrival.of)))
            let now = Timestamp(milliseconds: arrival.at * .minute)
            let given = try series.value(of: formula, at: now, &state)
            #expect(try series.evaluated(query, at: now).value == given.value, "at minute \(arrival.at)")
        }
    }

    @Test func aProjectionSaysHowItMoves() throws {
        let formula = try #require(SeriesFormula(try Query(parsing: "predict_linear(level[10m], 2 * 3600) * 2 - 1")))
        #expect(formula.movesWithTime)
        let times = (0..<5).map { Timestamp(milliseconds: $0 * .minute) }
        var series = Series()
        for (time, value) in zip(times, [1, 1.3, 1.6, 1.9, 2.2]) { series.append(Sample(time: time, value: value)) }
        var state = formula.newState
        let now = try series.value(of: formula, at: times[4], &state)
        let later = try series.value(of: formula, at: times[4] + .minute, &state)
        #expect(abs(now.slope - 0.01) < 1e-12)
        #expect(abs((later.value ?? 0) - (now.value ?? 0) - 0.6) < 1e-9)
    }

    @Test(arguments: [
        "level offset 5m", "level @ 0", "level - other", "sum(level)", "rate(level[5m])", "level or level",
        "level + on(site) level", "level + fill(0) level", "changes(level[5m] anchored)", "level smoothed",
        "max_over_time(level[10m:])",
        "max_over_time(level[10m:1m] offset 5m)",
        "predict_linear(level[10m:1m], 60)", "max_over_time(level[30d:1m])",
        "level{__quality__=\"3\"}", "time()", "acos(level)", "timestamp(level)",
    ])
    func hasNoneWhereLabelsOrMoreSeriesCount(text: String) throws {
        #expect(SeriesFormula(try Query(parsing: text)) == nil)
    }
}
