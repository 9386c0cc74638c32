// poyang
// SPDX-License-Identifier: Apache-2.0

import EarlyWarning
import Foundation
import Telemetry
import TestSupport
import Testing

/// What our rule tests can say beyond promtool's.
struct RuleTestKeysTests {
    private static let rules = """
        groups:
          - name: g
            rules:
              - alert: High
                expr: level_meters > 3
                labels: { hazard: flood, level: yellow }
                annotations: { summary: "{{ $value }} m" }
        """

    private func run(_ test: String, _ configure: (inout RuleTestRunner) -> Void = { _ in }) throws -> RuleTestReport {
        try inTemporaryFolder { folder in
            try Data(Self.rules.utf8).write(to: folder.appendingPathComponent("rules.yaml"))
            let file = folder.appendingPathComponent("x.test.yaml")
            try Data("rule_files: [rules.yaml]\ntests:\n\(test)".utf8).write(to: file)
            var runner = RuleTestRunner()
            configure(&runner)
            return runner.run(file: file.path)
        }
    }

    private func failures(_ report: RuleTestReport) -> [String] {
        report.problems.map { "\($0)" } + report.cases.flatMap { $0.failures.map(\.description) }
    }

    @Test func checksStandAtAbsoluteTimes() throws {
        let report = try self.run(
            """
              - start_timestamp: 2022-09-06T08:00:00+08:00
                interval: 1m
                input_series: [{ series: 'level_meters{site="a"}', values: 2 4 2 }]
                alert_rule_test:
                  - at: 2022-09-06T08:01:00+08:00
                    alertname: High
                    exp_alerts:
                      - exp_labels: { site: a, hazard: flood, level: yellow }
                        exp_annotations: { summary: 4 m }
                  - { at: 2022-09-06T08:02:00+08:00, alertname: High, exp_alerts: [] }
                promql_expr_test:
                  - { expr: level_meters, at: 2022-09-06T00:01:00Z, exp_samples: [{ labels: 'level_meters{site="a"}', value: 4 }] }
            """
        )
        #expect(report.passed, "\(self.failures(report))")
    }

    @Test func aSpanAndATimeExcludeEachOther() throws {
        let report = try self.run(
            """
              - input_series: [{ series: level_meters, values: 2 }]
                alert_rule_test: [{ at: "2022-09-06T08:01:00+08:00", eval_time: 1m, alertname: High }]
            """
        )
        #expect(self.failures(report).contains { $0.contains("'at' and 'eval_time' exclude each other") })
    }

    @Test func aSeriesArrivesLate() throws {
        let report = try self.run(
            """
              - interval: 1m
                input_series:
                  - { series: 'other_meters{site="a"}', values: 0x10 }
                  - { series: 'level_meters{site="a"}', values: 4x2, late_by: 3m }
                promql_expr_test:
                  - { expr: level_meters, eval_time: 2m, exp_samples: [] }
                  - { expr: level_meters, eval_time: 3m, exp_samples: [{ labels: 'level_meters{site="a"}', value: 4 }] }
                  - { expr: 'count_over_time(level_meters[5m])', eval_time: 4m, exp_samples: [{ labels: '{site="a"}', value: 2 }] }
                alert_rule_test:
                  - { eval_time: 2m, alertname: High, exp_alerts: [] }
                  - eval_time: 3m
                    alertname: High
                    exp_alerts:
                      - { exp_labels: { site: a, hazard: flood, level: yellow }, exp_annotations: { summary: 4 m } }
            """
        )
        #expect(report.passed, "\(self.failures(report))")
    }

    @Test func aHistoryIsPlayedBetweenItsBounds() throws {
        let key = SeriesKey(labels: Labels(metric: "level_meters", ["site": "a"]))
        let test = """
              - history: { file: x.csv, map: maps/x.map.yaml, from: 2020-01-01T00:01:00Z, to: 2020-01-01T00:03:00Z }
                exp_transitions:
                  - { at: 2020-01-01T00:02:00Z, change: raised, value: 5, since: 2020-01-01T00:02:00Z }
                  - { at: 2020-01-01T00:03:00Z, change: ended, annotations: { summary: 1 m } }
            """
        let values: [Double] = [9, 2, 5, 1, 9]
        let samples = values.enumerated()
            .map { minute, value in
                let time = Timestamp(milliseconds: 1_577_836_800_000 + Int64(minute) * 60_000)
                return AppliedSample(series: key, sample: Sample(time: time, value: value))
            }
        var asked: [String] = []
        let report = try self.run(test) { runner in
            runner.readHistory = { history in
                asked.append(history.file)
                asked.append(history.map ?? "")
                return samples.shuffled()
            }
        }
        #expect(report.passed, "\(self.failures(report))")
        #expect(asked.count == 2 && asked[0].hasSuffix("/x.csv") && asked[1].hasSuffix("/maps/x.map.yaml"), "\(asked)")

        let without = try self.run(test)
        #expect(self.failures(without).contains { $0.contains("'history' is not available here") })
    }

    @Test func aFailureShowsWhatIsMissingBesideWhatAgrees() throws {
        let report = try self.run(
            """
              - interval: 1m
                input_series:
                  - { series: 'level_meters{site="a"}', values: 4 }
                  - { series: 'level_meters{site="b"}', values: 5 }
                promql_expr_test:
                  - expr: level_meters
                    eval_time: 0m
                    exp_samples:
                      - { labels: 'level_meters{site="a"}', value: 4 }
                      - { labels: 'level_meters{site="b"}', value: 6 }
                exp_transitions:
                  - { at: 0m, change: raised, labels: { site: a } }
                  - { at: 0m, change: raised, labels: { site: c } }
            """
        )
        let differences = report.cases.flatMap { $0.failures.map(\.difference) }
        try #require(differences.count == 2)
        #expect(
            differences[0]
                .hasSuffix(
                    """
                     @@
                      level_meters{site="a"} 4
                    + level_meters{site="b"} 5
                    - level_meters{site="b"} 6
                    """
                ),
            "\(differences[0])"
        )
        #expect(differences[1].contains("expected label site c, got b"), "\(differences[1])")
        #expect(report.cases[0].transitions.count == 2)
    }
}
