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
        "2 * (3 + (4 - (level / (5 - last_over_time(level[2m])))))",
    ]

    @Test(arguments: queries)
    func saysWhatTheEvaluatorSays(text: String) throws {
        print("formula: seed 41")
        var random = SeededGenerator(seed: 41)
        let query = try Query(parsing: text)
        let formula = try #require(SeriesFormula(query))
        let labels: Labels = ["__name__": "level", "site": "a"]
        for _ in 0..<40 {
            var reader = MemorySeriesReader()
            var minute: Int64 = 1000
            for _ in 0..<Int.random(in: 1...40, using: &random) {
                minute += Int64.random(in: 1...4, using: &random)
                let mark = SampleMark(
                    quality: .pass,
                    method: Int.random(in: 0..<3, using: &random) == 0 ? .gapTotal : .measured
                )
                let value = Double(Int.random(in: 0...20, using: &random)) / 2
                reader.append(
                    labels,
                    at: Timestamp(milliseconds: minute * .minute),
                    value,
                    mark: mark,
                    lookback: 7 * .minute
                )
            }
            for offset in -12...30 {
                let time = Timestamp(milliseconds: (minute + Int64(offset)) * .minute)
                let options = EvaluationOptions(qualities: .raising, roundsComparisons: true)
                let expected = try Evaluator(reader: reader, options: options).instant(query, at: time)
                let found = try formula.value(of: reader.series[0], at: time, roundsComparisons: true)
                guard case .vector(let samples) = expected.value else {
                    Issue.record("no vector")
                    return
                }
                #expect(samples.first?.value.bitPattern == found.value?.bitPattern, "\(text) at \(offset)")
                #expect(found.nextChange == expected.nextChange, "\(text) at \(offset)")
            }
        }
    }

    @Test(arguments: [
        "level offset 5m", "level @ 0", "level - other", "sum(level)", "rate(level[5m])", "level or level",
        "level + on(site) level", "max_over_time(level[10m:1m])", "level{__quality__=\"3\"}", "time()", "abs(level)",
    ])
    func hasNoneWhereLabelsOrMoreSeriesCount(text: String) throws {
        #expect(SeriesFormula(try Query(parsing: text)) == nil)
    }
}
