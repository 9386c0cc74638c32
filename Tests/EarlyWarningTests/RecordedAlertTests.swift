// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry
import TestSupport
import Testing

@testable import EarlyWarning

/// Alerts on what recording rules record are as those on what that was made from.
struct RecordedAlertTests {
    private static let rules = """
        groups:
          - name: mine
            interval: 1m
            rules:
              - record: my:level_cm
                expr: water_level_meters * 100
              - record: my:level_mm
                expr: my:level_cm * 10
              - record: my:total
                expr: sum(water_level_meters)
              - alert: Recorded
                expr: my:level_cm > 500
              - alert: Twice
                expr: my:level_mm > 5000
              - alert: Across
                expr: my:total > 5
              - alert: Direct
                expr: water_level_meters > 5
              - alert: Both
                expr: my:level_cm - water_level_meters * 100 != 0
        """

    private static let level: Labels = ["__name__": "water_level_meters", "site": "a"]

    /// What a backtest says of a channel that is silent from `silence` on.
    private static func backtest(every interval: Int64, values: [Double], through end: Int64) throws -> [String: String]
    {
        let store = MemorySeries()
        for (index, value) in values.enumerated() {
            store.insert(Self.level, Sample(time: .minutes(600 + Int64(index) * interval), value: value))
        }
        let channel = WatchedChannel(series: Self.level, schedule: .periodic(interval * .minute))
        let view: (any SeriesReader) -> any SeriesReader = {
            TestOverlay(base: $0, thresholds: [], channels: [channel])
        }
        var backtest = Backtest(rules: try RuleFileLoader().parse(Self.rules), store: store, view: view)
        backtest.channels = { site in [channel].filter { $0.series.site == site ?? "a" } }
        let outcome = try backtest.run(from: .minutes(600), through: .minutes(600 + end))
        return Dictionary(grouping: outcome.transitions, by: \.alertName).mapValues(\.line)
    }

    /// One warning, held from the moment on at which the channel is silent; the recorded series has the look-back of it.
    @Test(arguments: [Int64(5), 60, 7])
    func silenceHoldsThem(interval: Int64) throws {
        let told = try Self.backtest(every: interval, values: [6, 6, 7, 6], through: 8 * interval)
        let silent = 600 + 3 * interval + interval * 5 / 2
        for name in ["Recorded", "Twice", "Direct"] {
            #expect(told[name] == "raised@600 held@\(silent)(no_data)", "\(name)")
        }
        #expect(told["Across"] == "raised@600 held@\(silent)(no_data)")
        #expect(told["Both"] == nil, "recorded and direct values are of one moment")
    }

    /// As when its client has gone.
    @Test func whoIsToldTheProgressMayEndABacktest() throws {
        struct Enough: Error {}
        let backtest = Backtest(rules: try RuleFileLoader().parse(Self.rules), store: MemorySeries()) { $0 }
        #expect(throws: Enough.self) {
            try backtest.run(from: .minutes(0), through: .distantFuture - 1) { _ in throw Enough() }
        }
    }

    @Test func theyEndWithTheReadingThatEndsThem() throws {
        let told = try Self.backtest(every: 60, values: [6, 6, 4, 6, 4], through: 240)
        for name in ["Recorded", "Twice", "Direct"] {
            #expect(told[name] == "raised@600 ended@720 raised@780 ended@840", "\(name)")
        }
    }

    /// The same file as a test of rules.
    @Test(arguments: ["5m", "1h"])
    func aTestOfRulesSaysTheSame(interval: String) throws {
        let test = """
            rule_files: [rules.yaml]
            tests:
              - interval: \(interval)
                channels: [{ series: 'water_level_meters{site="a"}', every: \(interval) }]
                input_series: [{ series: 'water_level_meters{site="a"}', values: 6 6 6 6 4 }]
                alert_rule_test:
                  - eval_time: 4h
                    alertname: Recorded
                    exp_alerts: []
                exp_transitions:
                  - { at: 0m, change: raised, alertname: Recorded, value: 600 }
                  - { at: \(interval == "1h" ? "4h" : "20m"), change: ended, alertname: Recorded, value: 400 }
            """
        let rules = """
            groups:
              - name: mine
                rules:
                  - record: my:level_cm
                    expr: water_level_meters * 100
                  - alert: Recorded
                    expr: my:level_cm > 500
            """
        try inTemporaryFolder { folder in
            try Data(rules.utf8).write(to: folder.appending(path: "rules.yaml"))
            let file = folder.appending(path: "x.test.yaml")
            try Data(test.utf8).write(to: file)
            let report = RuleTestRunner().run(file: file.path)
            #expect(
                report.passed,
                "\(report.problems.map { "\($0)" } + report.cases.flatMap { $0.failures.map(\.description) })"
            )
        }
    }
}
