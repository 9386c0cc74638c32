// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import StrictYAML
import Telemetry
import TestSupport
import Testing

@testable import EarlyWarning

/// Rules that read `ALERTS` are judged when alerts change.
struct AlertReadingTests {
    private static let level: Labels = ["__name__": "level", "site": "a"]
    private static let other: Labels = ["__name__": "level", "site": "b"]
    private static let rain: Labels = ["__name__": "rain", "site": "a"]

    /// The reader stands before what it reads.
    private static let rules = """
        groups:
          - name: g
            interval: 1m
            rules:
              - alert: OnHigh
                expr: ALERTS{alertname="High",alertstate="firing"} == 1
              - alert: OnOnHigh
                expr: count by (site) (ALERTS{alertname="OnHigh"}) > 0
              - alert: Dry
                expr: rain < 1 unless on(site) ALERTS{alertname="High",alertstate="firing"}
              - alert: Lately
                expr: max_over_time(ALERTS{alertname="High",alertstate="firing"}[30m]) > 0
              - alert: Before
                expr: ALERTS{alertname="High",alertstate="firing"} offset 10m == 1
              - alert: High
                expr: level > 5
        """

    private static func lines(_ transitions: [AlertTransition]) -> [String: String] {
        Dictionary(grouping: transitions, by: { "\($0.alertName) \($0.labels.site)" }).mapValues(\.line)
    }

    @Test func theyFireAndEndWithWhatTheyRead() throws {
        let harness = try EngineHarness(Self.rules)
        var told: [AlertTransition] = []
        for minute in stride(from: Int64(0), through: 60, by: 5) {
            let high = minute >= 10 && minute < 20
            told += try harness.feed([
                (Self.rain, Sample(time: .minutes(minute), value: 0)),
                (Self.level, Sample(time: .minutes(minute), value: high ? 9 : 1)),
            ])
        }
        #expect(
            Self.lines(told) == [
                "High a": "raised@10 ended@20", "OnHigh a": "raised@10 ended@20", "OnOnHigh a": "raised@10 ended@20",
                "Dry a": "raised@0 ended@10 raised@20", "Lately a": "raised@10 ended@49",
                "Before a": "raised@20 ended@30",
            ]
        )
    }

    /// The sample of the site that is read comes late, and so does what follows from it.
    @Test func whatComesLateIsSeen() throws {
        let harness = try EngineHarness(Self.rules)
        var told: [AlertTransition] = []
        for minute in [Int64(0), 5, 15, 20] { told += try harness.feed(Self.level, minute, 1) }
        #expect(told.isEmpty)
        told = try harness.feed(Self.level, 10, 9)
        #expect(
            Self.lines(told).filter { $0.key != "Lately a" } == [
                "High a": "raised@10 ended@15", "OnHigh a": "raised@10 ended@15", "OnOnHigh a": "raised@10 ended@15",
                "Before a": "raised@20",
            ]
        )
    }

    @Test func eachSiteSeesItsOwn() throws {
        let harness = try EngineHarness(Self.rules)
        var told = try harness.feed(Self.level, 0, 9)
        told += try harness.feed(Self.other, 1, 9)
        told += try harness.feed(Self.level, 2, 1)
        let lines = Self.lines(told)
        #expect(lines["OnHigh a"] == "raised@0 ended@2")
        #expect(lines["OnHigh b"] == "raised@1")
    }

    @Test func aStartChangesNothing() throws {
        let first = try EngineHarness(Self.rules)
        try first.feed(Self.level, 0, 9)
        let checkpoint = first.engine.fullCheckpoint()
        let again = try EngineHarness(Self.rules)
        again.store.insert(Self.level, Sample(time: .minutes(0), value: 9))
        #expect(
            try again.engine.restore(alerts: checkpoint.alerts, clocks: checkpoint.clocks, reader: again.reader).isEmpty
        )
        #expect(try again.feed(Self.level, 4, 9).isEmpty)
        let told = Self.lines(try again.feed(Self.level, 8, 1))
        #expect(told["High a"] == "ended@8")
        #expect(told["OnHigh a"] == "ended@8")
        #expect(told["OnOnHigh a"] == "ended@8")
    }

    private static let source = """
        groups:
          - name: g
            rules:
              - { alert: High, expr: level > 5, for: 2m, lateness: 0s }

        """
    private static let reader = """
              - { alert: OnHigh, expr: 'ALERTS{alertname="High",alertstate="firing"} == 1' }
              - { alert: Waited, expr: 'max_over_time(ALERTS{alertname="High",alertstate="pending"}[1h]) > 0' }

        """

    /// A harness with other rules that goes on where one stood, over the same samples.
    private static func goOn(
        from other: EngineHarness,
        _ rules: String,
        _ samples: [(Int64, Double)]
    ) throws -> EngineHarness {
        let harness = try EngineHarness(rules)
        for (minute, value) in samples {
            harness.store.insert(Self.level, Sample(time: .minutes(minute), value: value))
        }
        let saved = other.engine.fullCheckpoint()
        #expect(
            try harness.engine.restore(alerts: saved.alerts, clocks: saved.clocks, reader: harness.reader).isEmpty
        )
        return harness
    }

    private static func alerts(_ harness: EngineHarness) throws -> [String] {
        let request = SelectRequest(
            matchers: [LabelMatcher("alertname", equals: "High"), LabelMatcher(Labels.metricName, equals: "ALERTS")],
            extent: .window(after: .minutes(-1), through: .minutes(60))
        )
        return try harness.engine.showingAlerts(over: harness.reader).select(request)
            .map { "\($0.labels) \($0.times)" }.sorted()
    }

    /// Of a rule that no late reading changes nothing was kept before somebody read it.
    @Test func aReaderThatIsAddedSeesWhatFiresAlready() throws {
        let samples: [(Int64, Double)] = [(0, 9), (1, 9), (2, 9), (3, 9)]
        let live = try EngineHarness(Self.source + Self.reader)
        let before = try EngineHarness(Self.source)
        for (minute, value) in samples {
            try live.feed(Self.level, minute, value)
            try before.feed(Self.level, minute, value)
        }
        let reloaded = try Self.goOn(from: before, Self.source + Self.reader, samples)
        let seen = try Self.alerts(live)
        #expect(seen.count == 2)
        #expect(try Self.alerts(reloaded) == seen)
        #expect(Self.lines(try reloaded.feed(Self.level, 4, 9)) == ["OnHigh a": "raised@4", "Waited a": "raised@4"])
        #expect(try live.feed(Self.level, 4, 9).isEmpty)
        let restarted = try Self.goOn(from: reloaded, Self.source + Self.reader, samples + [(4, 9)])
        #expect(try Self.alerts(restarted) == seen)
        for harness in [live, reloaded, restarted] {
            #expect(Self.lines(try harness.feed(Self.level, 6, 1)) == ["OnHigh a": "ended@6", "High a": "ended@6"])
        }
    }

    /// What was kept for a reader that is gone is not what another finds later.
    @Test func aReaderThatComesBackSeesWhatIsSo() throws {
        let first = try EngineHarness(Self.source + Self.reader)
        for minute in Int64(0)...3 { try first.feed(Self.level, minute, 9) }
        var samples: [(Int64, Double)] = [(0, 9), (1, 9), (2, 9), (3, 9)]
        let without = try Self.goOn(
            from: first,
            Self.source + "      - { alert: OnHigh, expr: level > 100 }\n"
                + "      - { alert: Waited, expr: level > 100 }\n",
            samples
        )
        #expect(Self.lines(try without.feed(Self.level, 4, 1))["High a"] == "ended@4")
        samples.append((4, 1))
        let again = try Self.goOn(from: without, Self.source + Self.reader, samples)
        #expect(try again.feed(Self.level, 5, 1).isEmpty)
    }

    /// What fired before goes on between two values: what `clear` is exported as.
    @Test func aRuleSeesOfItselfWhatWasBefore() throws {
        let harness = try EngineHarness(
            """
            groups:
              - name: g
                rules:
                  - alert: Hysteresis
                    expr: |
                      level > 10
                      or level and ignoring (alertname, alertstate) ALERTS{alertname="Hysteresis", alertstate="firing"}
                         unless level < 9
            """
        )
        var told: [AlertTransition] = []
        for (minute, value) in [8, 11, 9.5, 9.5, 8.5, 9.5, 11, 9.5].enumerated() {
            told += try harness.feed(Self.level, Int64(minute), value)
        }
        #expect(told.line == "raised@1 ended@4 raised@6")
    }

    /// What promtool 2.42 says of the same files.
    @Test func testsOfRulesSeeThemAsPromtoolDoes() throws {
        let rules = """
            groups:
            - name: g
              rules:
              - {alert: A, expr: 'm > 5'}
              - {alert: OnA, expr: 'ALERTS{alertname="A",alertstate="firing"} == 1'}
              - {record: 'firing:count', expr: 'count(ALERTS{alertname=~"A|OnA",alertstate="firing"})'}
              - {alert: Inhibit, expr: 'n > 5 unless on() ALERTS{alertname="A",alertstate="firing"}'}
              - {alert: Recently, expr: 'max_over_time(ALERTS{alertname="A",alertstate="firing"}[10m30s]) > 0'}
              - {alert: Off, expr: 'ALERTS{alertname="A",alertstate="firing"} offset 3m > 0'}
              - {alert: Sub, expr: 'max_over_time(ALERTS{alertname="A",alertstate="firing"}[10m30s:1m]) > 0'}
              - {alert: Often, expr: 'count_over_time(ALERTS{alertname="A",alertstate="firing"}[10m30s]) >= 3'}
            """
        let test = """
            rule_files: [rules.yaml]
            evaluation_interval: 1m
            tests:
            - interval: 1m
              input_series:
              - {series: 'm{i="1"}', values: '1 9 9 9 1 1 1 1 1 1 1 1 1 1 1 1'}
              - {series: 'n{i="1"}', values: '9x15'}
              alert_rule_test:
              - {eval_time: 2m, alertname: OnA, exp_alerts: [{exp_labels: {i: "1", alertstate: firing}}]}
              - {eval_time: 5m, alertname: OnA}
              - {eval_time: 2m, alertname: Inhibit}
              - {eval_time: 5m, alertname: Inhibit, exp_alerts: [{exp_labels: {i: "1"}}]}
              - {eval_time: 6m, alertname: Recently, exp_alerts: [{exp_labels: {i: "1", alertstate: firing}}]}
              - {eval_time: 6m, alertname: Off, exp_alerts: [{exp_labels: {i: "1", alertstate: firing}}]}
              - {eval_time: 7m, alertname: Off}
              - {eval_time: 7m, alertname: Sub, exp_alerts: [{exp_labels: {i: "1", alertstate: firing}}]}
              - {eval_time: 2m, alertname: Often}
              - {eval_time: 3m, alertname: Often, exp_alerts: [{exp_labels: {i: "1", alertstate: firing}}]}
              - {eval_time: 7m, alertname: Often, exp_alerts: [{exp_labels: {i: "1", alertstate: firing}}]}
              promql_expr_test:
              - {expr: 'count(ALERTS{alertname="A"})', eval_time: 2m, exp_samples: [{labels: '{}', value: 1}]}
              - {expr: 'firing:count', eval_time: 2m, exp_samples: [{labels: 'firing:count', value: 2}]}
              - {expr: 'firing:count', eval_time: 5m}
              - expr: 'max_over_time(ALERTS{alertname="A"}[10m30s])'
                eval_time: 6m
                exp_samples: [{labels: '{alertname="A", alertstate="firing", i="1"}', value: 1}]
              - expr: 'count_over_time(ALERTS{alertname="A"}[10m30s])'
                eval_time: 8m
                exp_samples: [{labels: '{alertname="A", alertstate="firing", i="1"}', value: 3}]
              - expr: 'count_over_time(ALERTS{alertname="A"}[10m30s:1m])'
                eval_time: 6m
                exp_samples: [{labels: '{alertname="A", alertstate="firing", i="1"}', value: 3}]
              - expr: 'ALERTS{alertname="A"} offset 3m'
                eval_time: 6m
                exp_samples: [{labels: 'ALERTS{alertname="A", alertstate="firing", i="1"}', value: 1}]
            """
        try inTemporaryFolder { folder in
            try Data(rules.utf8).write(to: folder.appending(path: "rules.yaml"))
            let file = folder.appending(path: "x.test.yaml")
            try Data(test.utf8).write(to: file)
            let report = RuleTestRunner().run(file: file.path)
            let failures = report.problems.map { "\($0)" } + report.cases.flatMap { $0.failures.map(\.description) }
            #expect(report.passed, "\(failures.joined(separator: "\n"))")
        }
    }

    @Test func whatIsNotSeenIsSaid() throws {
        let rules = """
            groups:
              - name: g
                rules:
                  - { alert: A, expr: 'x > 1 unless on() ALERTS{alertname="B"}' }
                  - { alert: B, expr: 'x > 2 unless on() ALERTS{alertname="A"}' }
                  - { alert: C, expr: 'ALERTS{org="o", alertname="D"}' }
                  - { alert: E, expr: 'count({alertname="D"}) > 0' }
                  - { alert: D, expr: 'x > 3 or ALERTS{alertname="D"}' }
            """
        try inTemporaryFolder { folder in
            let file = folder.appending(path: "rules.yaml")
            try Data(rules.utf8).write(to: file)
            let check = RuleCheck(paths: [file.path])
            #expect(check.passes())
            let found = check.rules.findings.filter { $0.kind == .readsAlerts }.map(\.problem.message)
            #expect(found.count == 3)
            #expect(found.contains { $0.contains("reads alerts of a rule that reads its own") })
            #expect(found.contains { $0.contains("'org'") })
            #expect(found.contains { $0.contains("without a name") })
        }
    }
}
