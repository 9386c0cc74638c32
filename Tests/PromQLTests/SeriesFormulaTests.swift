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

    /// The series grows at its end and loses its beginning, and what is carried on goes with it.
    @Test(arguments: queries)
    func saysWhatTheEvaluatorSays(text: String) throws {
        print("formula: seed 41")
        var random = SeededGenerator(seed: 41)
        let query = try Query(parsing: text)
        let formula = try #require(SeriesFormula(query))
        let labels: Labels = ["__name__": "level", "site": "a"]
        let evaluations = EvaluationOptions(qualities: .raising, roundsComparisons: true)
        for trial in 0..<40 {
            var reader = MemorySeriesReader()
            var columns = SeriesColumns(labels: labels, times: [], values: [], marks: [], lookback: 7 * .minute)
            var base = 0
            var state = formula.newState
            var minute: Int64 = 1000
            for _ in 0..<Int.random(in: 1...90, using: &random) {
                let mark = SampleMark(
                    quality: .pass,
                    method: Int.random(in: 0..<3, using: &random) == 0 ? .gapTotal : .measured
                )
                let value = Self.value(&random, isOdd: trial >= 20)
                let time = Timestamp(milliseconds: minute * .minute)
                reader.append(labels, at: time, value, mark: mark, lookback: columns.lookback)
                columns.times.append(time)
                columns.values.append(value)
                columns.marks.append(mark)
                if Int.random(in: 0..<6, using: &random) == 0 {
                    let surplus = columns.times.count { $0 <= time - (formula.reach + columns.lookback) }
                    columns.times.removeFirst(surplus)
                    columns.values.removeFirst(surplus)
                    columns.marks.removeFirst(surplus)
                    base += surplus
                }
                let step = Int64.random(in: 1...4, using: &random)
                for passed in 0..<step where Bool.random(using: &random) {
                    let now = Timestamp(milliseconds: (minute + passed) * .minute)
                    let expected = try Evaluator(reader: reader, options: evaluations).instant(query, at: now)
                    let found = try formula.value(of: columns, base: base, at: now, &state, roundsComparisons: true)
                    guard case .vector(let samples) = expected.value else {
                        Issue.record("no vector")
                        return
                    }
                    let (wanted, given) = (samples.first?.value, found.value)
                    let isSame =
                        wanted?.bitPattern == given?.bitPattern || wanted?.isNaN == true && given?.isNaN == true
                    #expect(isSame, "\(text) in trial \(trial): \(wanted as Double?) \(given as Double?)")
                    #expect(found.nextChange == expected.nextChange, "\(text) in trial \(trial)")
                }
                minute += step
            }
        }
    }

    /// A sample may come after the step of a subquery that it belongs to has been worked out.
    @Test func aSubqueryLooksAgainWhenASampleComesLate() throws {
        let query = try Query(parsing: "sum_over_time((level * 2)[20m:2m])")
        let formula = try #require(SeriesFormula(query))
        var reader = MemorySeriesReader()
        var columns = SeriesColumns(
            labels: ["__name__": "level"],
            times: [],
            values: [],
            marks: [],
            lookback: 7 * .minute
        )
        var state = formula.newState
        for (arrival, minute) in [(100, 100), (101, 101), (106, 102), (107, 103), (115, 110), (116, 116)]
            as [(Int64, Int64)]
        {
            let time = Timestamp(milliseconds: minute * .minute)
            reader.append(columns.labels, at: time, Double(minute), mark: .measured, lookback: columns.lookback)
            columns.times.append(time)
            columns.values.append(Double(minute))
            columns.marks.append(.measured)
            let now = Timestamp(milliseconds: arrival * .minute)
            let expected = try Evaluator(reader: reader, options: EvaluationOptions(qualities: .raising))
                .instant(query, at: now)
            let found = try formula.value(of: columns, base: 0, at: now, &state, roundsComparisons: true)
            guard case .vector(let samples) = expected.value else { return }
            #expect(samples.first?.value == found.value, "at minute \(arrival)")
        }
    }

    @Test func aProjectionSaysHowItMoves() throws {
        let formula = try #require(SeriesFormula(try Query(parsing: "predict_linear(level[10m], 2 * 3600) * 2 - 1")))
        #expect(formula.movesWithTime)
        let times = (0..<5).map { Timestamp(milliseconds: $0 * .minute) }
        let columns = SeriesColumns(
            labels: ["__name__": "level"],
            times: times,
            values: [1, 1.3, 1.6, 1.9, 2.2],
            marks: Array(repeating: .measured, count: 5)
        )
        var state = formula.newState
        let now = try formula.value(of: columns, base: 0, at: times[4], &state, roundsComparisons: true)
        let later = try formula.value(of: columns, base: 0, at: times[4] + .minute, &state, roundsComparisons: true)
        #expect(abs(now.slope - 0.01) < 1e-12)
        #expect(abs((later.value ?? 0) - (now.value ?? 0) - 0.6) < 1e-9)
    }

    @Test(arguments: [
        "level offset 5m", "level @ 0", "level - other", "sum(level)", "rate(level[5m])", "level or level",
        "level + on(site) level", "max_over_time(level[10m:])", "max_over_time(level[10m:1m] offset 5m)",
        "predict_linear(level[10m:1m], 60)", "max_over_time(level[30d:1m])",
        "level{__quality__=\"3\"}", "time()", "abs(level)",
    ])
    func hasNoneWhereLabelsOrMoreSeriesCount(text: String) throws {
        #expect(SeriesFormula(try Query(parsing: text)) == nil)
    }
}
