// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import PromQL
import Telemetry
import TestSupport
import Testing

@testable import EarlyWarning

struct PrometheusExportTests {
    private func export(_ rules: String) throws -> PrometheusExport.Text {
        PrometheusExport().text(of: try RuleFileLoader().parse(rules))
    }

    private func expression(_ text: String) throws -> String {
        let file = try self.export(
            """
            groups:
              - name: g
                rules: [{ alert: A, expr: '\(text)' }]
            """
        )
        let lines = file.file.split(separator: "\n").drop { !$0.contains("expr: |-") }.dropFirst()
        return lines.prefix { $0.hasPrefix("          ") }.map { $0.dropFirst(10) }.joined(separator: "\n")
    }

    @Test(arguments: [
        ("level > 3", "last_over_time(level[5m]) > 3"),
        (#"level{site="a"} offset 1h > 3"#, #"last_over_time(level{site="a"}[5m] offset 1h) > 3"#),
        ("sum_over_time(rain[1h]) > 3", "sum_over_time(rain[1h]) > 3"),
        ("covered_sum_over_time(rain[1h]) > 3", "sum_over_time(rain[1h]) > 3"),
        ("max_over_time((level - 1)[1h:5m]) > 3", "max_over_time((last_over_time(level[5m]) - 1)[1h:5m]) > 3"),
        (#"absent(level{site="a"})"#, #"absent_over_time(level{site="a"}[5m])"#),
        (#"level{__quality__=~"1|2|3"} > 3"#, "last_over_time(level[5m]) > 3"),
        (
            "level > on(site) group_left() site_threshold_meters",
            "last_over_time(level[5m]) > on (site) group_left () site_threshold_meters"
        ),
        ("changes(level[1h] anchored) > 3", "changes(level[1h] anchored) > 3"),
        ("level anchored > 3", "last_over_time(level[5m]) > 3"), ("timestamp(level) > 3", "timestamp(level) > 3"),
        ("channel_silent == 1", "channel_silent == 1"),
    ])
    func selectorsHaveTheirOwnLookback(ours: String, theirs: String) throws {
        #expect(try self.expression(ours) == theirs)
    }

    @Test func whatPrometheusCannotSayIsAComment() throws {
        let text = try self.export(
            """
            groups:
              - name: g
                rules:
                  - alert: Rain
                    expr: covered_sum_over_time(rain[1d]) >= $threshold
                    maybe: possible_sum_over_time(rain[1d]) >= $threshold
                    levels: { blue: 50, red: 100 }
                    day_boundary: "08:00"
                    lateness: 6h
                    no_data: keep
                    season: { from: 04-01, to: 10-01 }
                    annotations: { summary: 'over {{ $threshold | printf "%.1f" }}, {{ $level }}' }
            """
        )
        for word in [
            "maybe", "day_boundary 08:00", "season from 04-01 to 10-01", "lateness 6h", "no_data keep",
            "covered_sum_over_time",
        ] {
            #expect(text.notes.count { $0.contains(word) } == 2, "\(word): \(text.notes)")
            #expect(text.file.contains("      # "), "\(text.file)")
        }
        #expect(text.file.contains(#"{{ $threshold := 50.0 }}over {{ $threshold | printf \"%.1f\" }}"#), "\(text.file)")
        #expect(text.file.contains(#"level: "red""#))
    }

    @Test func anExportedRuleSaysWhichFlagItWants() throws {
        let text = try self.export(
            """
            groups:
              - name: g
                rules: [{ alert: A, expr: 'sum_over_time(a[1h]) > fill(0) sum_over_time(b[1h])' }]
            """
        )
        #expect(text.file.contains("sum_over_time(a[1h]) > fill (0) sum_over_time(b[1h])"), "\(text.file)")
        #expect(text.notes.contains { $0.hasSuffix("fill wants --enable-feature=promql-binop-fill-modifiers") })
    }

    @Test(.enabled(if: Promtool.isExpected, "without promtool; `ops/setup prometheus`"))
    func promtoolTakesTheShippedRules() throws {
        let promtool = try #require(Promtool())
        let rules = try RuleFileLoader().load(paths: [ShippedRulesTests.rules])
        try inTemporaryFolder { folder in
            let text = PrometheusExport().text(of: rules)
            try Data(text.file.utf8).write(to: folder.appendingPathComponent("rules.yaml"))
            let check = try promtool.run(["check", "rules", "rules.yaml"], in: folder)
            #expect(check.status == 0, "\(check.output)\n\(text.file)")
            #expect(check.output.contains("\(rules.alerts.count) rules found"), "\(check.output)")
        }
    }

    // MARK: - The same alerts

    private static let step: Milliseconds = 15 * .second

    /// Windows and look-backs end beside the samples, which come at whole minutes, and beside the evaluations, every
    /// 15 s: Prometheus before 3.0 counts a sample on the border of a window, and we do not.
    private static let rules = """
        groups:
          - name: ladder
            interval: 15s
            rules:
              - alert: Ladder
                expr: level_meters >= on(site) group_left() site_threshold_meters{hazard="flood",level="$level"}
                clear: level_meters < on(site) group_left() (site_threshold_meters{hazard="flood",level="$level"} - 1)
                threshold: site_threshold_meters{hazard="flood",level="$level"}
                levels: [blue, yellow, red]
                labels: { hazard: flood, place: lake }
                annotations:
                  summary: '{{ $labels.site }} {{ $labels.place }} {{ $level }} {{ $threshold | printf "%.2f" }}'
              - alert: LadderHeld
                expr: level_meters > $threshold
                clear: level_meters < $threshold - 2
                levels: { blue: 3, orange: 6 }
                for: 3m
                annotations: { summary: 'over {{ $threshold | printf "%.1f" }}' }
              - alert: Rise
                expr: (level_meters - min_over_time(level_meters[9m20s])) >= 2.75
                clear: (level_meters - min_over_time(level_meters[9m20s])) < 0.75
          - name: windows
            interval: 15s
            rules:
              - alert: Sum
                expr: covered_sum_over_time(rain_millimeters[12m20s]) >= 4.007
                keep_firing_for: 4m
              - alert: Long
                expr: level_meters > 4
                for: 2m
              - alert: Few
                expr: count_over_time(level_meters[7m20s]) < 4
              - alert: Absent
                expr: absent(level_meters{site="b"})
                for: 2m
              - alert: All
                expr: sum(level_meters) > 9
        """

    private static let thresholds: [(site: String, level: WarningLevel, value: Double)] = [
        ("a", .blue, 3), ("a", .yellow, 4.5), ("a", .red, 6), ("b", .blue, 5),
    ]

    private struct Stream {
        let labels: Labels
        /// One a minute; nil where none came.
        let values: [Double?]

        init(_ metric: String, _ site: String, minutes: Int, isRain: Bool, _ random: inout SeededGenerator) {
            self.labels = Labels(metric: metric, ["site": site])
            var values: [Double?] = []
            var level = 2
            while values.count < minutes {
                if Int.random(in: 0..<25, using: &random) == 0, !values.isEmpty {
                    values += Array(repeating: nil, count: Int.random(in: 1...6, using: &random))
                }
                level = min(16, max(0, level + Int.random(in: -3...3, using: &random)))
                // Never at a threshold.
                let rain = Int.random(in: 0..<3, using: &random) == 0 ? Double(level) / 8 : 0
                values.append(isRain ? rain + 0.01 : Double(level) / 2 + 0.1)
            }
            self.values = Array(values.prefix(minutes))
        }
    }

    @Test(.enabled(if: Promtool.isExpected, "without promtool; `ops/setup prometheus`"), arguments: 0..<4)
    func exportedRulesRaiseTheSameAlerts(run: Int) throws {
        let promtool = try #require(Promtool())
        var random = SeededGenerator.announced("exportedRulesRaiseTheSameAlerts \(run)")
        let minutes = 120
        let streams = ["a", "b"]
            .flatMap { site in
                [
                    Stream("level_meters", site, minutes: minutes, isRain: false, &random),
                    Stream("rain_millimeters", site, minutes: minutes, isRain: true, &random),
                ]
            }
        let expected = try self.alerts(of: streams, minutes: minutes)
        let names = ["Ladder", "LadderHeld", "Rise", "Sum", "Long", "Few", "Absent", "All"]
        // Which of them fire is a matter of the seed.
        let fired = Set(expected.joined().map(\.alertName))
        #expect(fired.count >= 4, "\(fired)")

        var export = PrometheusExport()
        export.lookback = { _ in Self.lookback }
        export.thresholds = Self.thresholds.map {
            PrometheusExport.ThresholdValue(
                labels: Labels(
                    metric: "site_threshold_meters",
                    ["site": $0.site, "hazard": "flood", "level": $0.level.rawValue]
                ),
                value: $0.value
            )
        }
        let exported = export.text(of: try RuleFileLoader().parse(Self.rules)).file
        try inTemporaryFolder { folder in
            try Data(exported.utf8).write(to: folder.appendingPathComponent("rules.yaml"))
            let test = self.promtoolTest(streams, expected, names)
            try Data(test.utf8).write(to: folder.appendingPathComponent("test.yaml"))
            let outcome = try promtool.run(["test", "rules", "test.yaml"], in: folder)
            #expect(outcome.status == 0, "\(outcome.output.prefix(3000))\n\(exported)")

            // The comparison itself can fail.
            let wrong = exported.replacing("unless ignoring", with: "and ignoring")
            try Data(wrong.utf8).write(to: folder.appendingPathComponent("rules.yaml"))
            #expect(try promtool.run(["test", "rules", "test.yaml"], in: folder).status == 1)
        }
    }

    private static let lookback: Milliseconds = 2 * .minute + 20 * .second
    /// The schedule that has this look-back.
    private static let schedule = ReportSchedule.periodic(56 * .second)

    /// What our engine says 45 s after each minute.
    private func alerts(of streams: [Stream], minutes: Int) throws -> [[AlertSnapshot]] {
        let store = MemorySeries()
        let channels = streams.map { WatchedChannel(series: $0.labels, schedule: Self.schedule) }
        let thresholds = Self.thresholds.map { given in
            (
                site: given.site,
                threshold: Threshold(
                    hazard: .flood,
                    level: given.level,
                    name: "",
                    value: given.value,
                    unit: .meters,
                    validFrom: .distantPast,
                    validTo: nil,
                    authority: "",
                    source: "",
                    confidence: "test"
                )
            )
        }
        let reader = TestOverlay(base: store, thresholds: thresholds, channels: channels)
        // No channel is registered with the engine: a silent one would be held, for which Prometheus has no word.
        let engine = RuleEngine(rules: try RuleFileLoader().parse(Self.rules), clockMode: .data)
        var position: Int64 = 0
        func process(_ content: AppliedBatch.Content) throws {
            position += 1
            let batch = AppliedBatch(
                position: JournalPosition(rawValue: position),
                receivedAt: .minutes(0),
                content: content
            )
            _ = try engine.process(batch, reader: reader)
        }
        return try (0..<minutes)
            .map { minute in
                let time = Timestamp.minutes(Int64(minute))
                let samples = streams.compactMap { stream -> AppliedSample? in
                    guard let value = stream.values[minute] else { return nil }
                    let sample = Sample(time: time, value: value)
                    store.insert(stream.labels, sample)
                    return AppliedSample(series: SeriesKey(labels: stream.labels), sample: sample)
                }
                if !samples.isEmpty { try process(.samples(samples)) }
                try process(.clockAdvance(site: nil, to: time + 45 * .second))
                return engine.snapshot(over: reader).filter { $0.state == .firing }
            }
    }

    private func promtoolTest(_ streams: [Stream], _ expected: [[AlertSnapshot]], _ names: [String]) -> String {
        var text = """
            rule_files: [rules.yaml]
            evaluation_interval: 15s
            group_eval_order: [poyang site thresholds, ladder, windows]
            tests:
              - interval: 1m
                input_series:

            """
        for stream in streams {
            let values = stream.values.map { $0.map { "\($0)" } ?? "_" }.joined(separator: " ")
            text += "      - series: '\(stream.labels)'\n        values: '\(values)'\n"
        }
        text += "    alert_rule_test:\n"
        for (minute, alerts) in expected.enumerated() {
            for name in names {
                text += "      - eval_time: \(minute)m45s\n        alertname: \(name)\n        exp_alerts:\n"
                for alert in alerts where alert.alertName == name {
                    let labels = alert.labels.map { "\($0.name): '\($0.value)'" }.joined(separator: ", ")
                    let annotations = alert.annotations.map { "\($0.key): '\($0.value)'" }.joined(separator: ", ")
                    text += "          - exp_labels: { \(labels) }\n            exp_annotations: { \(annotations) }\n"
                }
            }
        }
        return text
    }
}
