// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry
import Testing

/// Answers with one level and one threshold, without a search.
private struct LadderReader: SeriesReader {
    let level: SeriesColumns
    let threshold: SeriesColumns

    init(at time: Timestamp) {
        self.level = SeriesColumns(
            labels: Labels(metric: "water_level_meters", ["site": "xingzi"]),
            times: [time - 60_000, time],
            values: [18.98, 19.07],
            marks: [.measured, .measured]
        )
        self.threshold = SeriesColumns(
            labels: Labels(metric: "site_threshold_meters", ["site": "xingzi", "hazard": "flood", "level": "blue"]),
            times: [time],
            values: [19],
            marks: [.measured],
            nextChange: .distantFuture
        )
    }

    func select(_ request: SelectRequest) -> [SeriesColumns] {
        request.matchers.first?.value == "water_level_meters" ? [self.level] : [self.threshold]
    }

    func series(matching matchers: [LabelMatcher], after: Timestamp, through: Timestamp) -> [Labels] { [] }
}

struct InstantCostTests {
    /// The hot path of the rules: it is printed, and must not become ten times what it was.
    @Test func anInstantThresholdRuleCostsMicroseconds() throws {
        let text = #"""
            water_level_meters{sensor=""} >= on(site) group_left() site_threshold_meters{hazard="flood",level="blue"}
            """#
        let query = try Query(parsing: text)
        let time = Timestamp(milliseconds: 1_655_800_000_000)
        let options = EvaluationOptions(qualities: .raising, roundsComparisons: true)
        let evaluator = Evaluator(reader: LadderReader(at: time), options: options)
        let rounds = 20_000
        let clock = ContinuousClock()
        var best = Duration.seconds(1)
        for _ in 0..<5 {
            let spent = try clock.measure {
                for _ in 0..<rounds {
                    let result = try evaluator.instant(query, at: time)
                    guard case .vector(let elements) = result.value, elements.count == 1 else {
                        Issue.record("the level stands above the threshold")
                        return
                    }
                }
            }
            best = min(best, spent / rounds)
        }
        print("instant evaluation of the threshold rule: \(best)")
        #expect(best < .microseconds(200))
    }
}
