// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import EarlyWarning
import Foundation
import Telemetry
import TestSupport
import Testing

@testable import poyang

/// Recorded events through rules; what is expected was worked out by scripts outside of the project.
struct BacktestTests {
    private static let devices = repository.appending(path: "Devices").path
    private static let gaugeMap = repository.appending(path: "ops/demo-data/usgs-01581752.map.yaml").path

    private func catalog() throws -> Catalog { try Catalog(files: try CatalogFiles.load(directory: Self.devices)) }

    /// Reads a recording whose map is given as text.
    private func recording(_ file: URL, map: String) throws -> RecordedHistory {
        try inTemporaryFolder { folder in
            var recording = RecordedHistory(catalog: .empty)
            try recording.read(file.path, map: try poyangTests.file("x.map.yaml", in: folder, map))
            return recording
        }
    }

    // MARK: - Floods

    struct Flood: Sendable {
        let file: String
        /// Of the stage, and when.
        let peak: Double
        let time: String
        /// Minutes before it, by level.
        let leads: [String: Int64]
        let riseLead: Int64
    }

    static let floods = [
        Flood(
            file: "usgs_01581752_event1_20180831.csv",
            peak: 2.020824,
            time: "2018-08-31T23:30:00Z",
            leads: ["blue": 50, "yellow": 40, "orange": 35, "red": 15],
            riseLead: 50
        ),
        Flood(
            file: "usgs_01581752_event2_20170818.csv",
            peak: 1.530096,
            time: "2017-08-18T22:35:00Z",
            leads: ["blue": 45, "yellow": 40, "orange": 10],
            riseLead: 45
        ),
        Flood(
            file: "usgs_01581752_event3_20160225.csv",
            peak: 1.438656,
            time: "2016-02-25T01:40:00Z",
            leads: ["blue": 50, "yellow": 35],
            riseLead: 40
        ),
    ]

    @Test(.enabled(if: mayUseSharedData, "without the shared data"), arguments: floods)
    func theShippedRulesWarnBeforeThePeak(flood: Flood) throws {
        let folder = try #require(sharedData).appending(path: "river")
        var recording = RecordedHistory(catalog: try self.catalog())
        try recording.read(folder.appending(path: flood.file).path, map: Self.gaugeMap)
        #expect(recording.notes.isEmpty)
        let rules = ["flood", "flood_rise"].map { repository.appending(path: "Rules/\($0)").path }
        let span = try #require(recording.span)
        let outcome = try recording.backtest(try RuleFileLoader().load(paths: rules))
            .run(from: span.lowerBound, through: span.upperBound)
        #expect(outcome.failures.isEmpty)
        #expect(outcome.samples == recording.samples.count)
        let peakTime = try #require(Timestamp(rfc3339: flood.time))

        let stage = try #require(outcome.warnings.first { $0.hazard == .flood })
        #expect(outcome.warnings.count { $0.hazard == .flood } == 1)
        #expect(stage.site == "usgs-01581752" && stage.end != nil)
        #expect(stage.peak?.value == flood.peak && stage.peak?.time == peakTime)
        let leads = stage.raises.map { ($0.level.rawValue, (stage.lead(of: $0) ?? 0) / .minute) }
        #expect(Dictionary(leads) { first, _ in first } == flood.leads, "\(leads)")

        let event = KnownEvent(
            name: flood.file,
            site: "usgs-01581752",
            hazard: nil,
            start: peakTime - 6 * .hour,
            peak: peakTime,
            end: peakTime + 12 * .hour
        )
        let score = BacktestScore(outcome.warnings, against: [event])
        #expect(score.hits.count == 1 && score.misses.isEmpty && score.falseAlarms.isEmpty)
        let rise = try #require(score.hits.first?.leads.first { $0.raise.alertName == "WaterRisesFast" })
        #expect(rise.lead == flood.riseLead * .minute)
    }

    @Test func thresholdsAreThoseOfTheDay() throws {
        let map = """
            time: { column: time_cst, zone: "+08:00" }
            where: { station: 星子, datum: 吴淞 }
            columns:
              level_m: { device: xingzi-1, key: level_m }
            """
        try inTemporaryFolder { folder in
            let recordingMap = try file("levels.map.yaml", in: folder, map)
            let csv = try file(
                "levels.csv",
                in: folder,
                """
                station,datum,time_cst,level_m
                星子,吴淞,2022-11-17T08:00:00,6.46
                星子,吴淞,2023-10-01T08:00:00,7.05
                星子,吴淞,2023-10-02T08:00:00,6.45
                """
            )
            var recording = RecordedHistory(catalog: try self.catalog())
            try recording.read(csv, map: recordingMap)
            let rules = try RuleFileLoader().load(paths: [repository.appending(path: "Rules/low_water").path])
            let span = try #require(recording.span)
            let outcome = try recording.backtest(rules).run(from: span.lowerBound, through: span.upperBound)
            let red = outcome.transitions.filter { $0.level == .red && $0.change == .raised }
            #expect(red.map(\.threshold) == [7.11, 6.46], "\(outcome.transitions)")
        }
    }

    // MARK: - Rain

    private static let rainMap = """
        time: { column: local_time_america_chicago, zone: America/Chicago, format: 'yyyy-MM-dd HH:mm:ss' }
        columns:
          rain_in: { metric: rainfall_millimeters, labels: { site: kickapoo }, factor: 25.4 }
        """

    /// Window, depth and when it was reached, local time (DOMAIN.md, section 6.2).
    private static let rainMaxima = [
        ("1h", 43.18, "2016-06-14T22:10:00-05:00"), ("3h", 55.37, "2016-06-14T23:00:00-05:00"),
        ("6h", 60.45, "2016-09-22T06:40:00-05:00"), ("12h", 85.60, "2016-09-22T08:20:00-05:00"),
        ("24h", 113.79, "2016-09-22T05:35:00-05:00"), ("72h", 146.05, "2016-09-22T08:35:00-05:00"),
    ]

    @Test(.enabled(if: mayUseSharedData, "without the shared data"))
    func rainSumsReachTheirKnownMaxima() throws {
        let recording = try self.rain()
        for (window, depth, time) in Self.rainMaxima {
            let rules = """
                groups:
                  - name: rain
                    rules:
                      - alert: Rain
                        expr: covered_sum_over_time(rainfall_millimeters[\(window)]) >= $threshold
                        levels: { blue: \(depth - 0.01), red: \(depth + 0.01) }
                        labels: { hazard: rain }
                """
            let reached = try #require(Timestamp(rfc3339: time))
            let outcome = try recording.backtest(try RuleFileLoader().parse(rules))
                .run(from: reached - .day, through: reached + .day)
            let raised = outcome.transitions.filter { $0.change == .raised }
            #expect(raised.map(\.level) == [.blue], "\(window): \(raised)")
            #expect(raised.first?.eventTime == reached, "\(window): \(raised)")
            let peak = try #require(outcome.warnings.first?.peak)
            #expect(abs(peak.value - depth) < 0.005, "\(window): \(peak)")
        }
    }

    private func rain() throws -> RecordedHistory {
        let file = try #require(sharedData).appending(path: "rain/usgs_05408480_rain_15min_2015_2016.csv")
        return try self.recording(file, map: Self.rainMap)
    }

    @Test(.enabled(if: mayUseSharedData, "without the shared data"))
    func rainCrossesTheSignalsUpToOrange() throws {
        let rules = """
            groups:
              - name: signals
                rules:
                  - alert: RainSignal
                    levels:
                      blue: { expr: 'covered_sum_over_time(rainfall_millimeters[12h]) >= 50' }
                      yellow: { expr: 'covered_sum_over_time(rainfall_millimeters[6h]) >= 50' }
                      orange: { expr: 'covered_sum_over_time(rainfall_millimeters[3h]) >= 50' }
                      red: { expr: 'covered_sum_over_time(rainfall_millimeters[3h]) >= 100' }
                    labels: { hazard: rain }
            """
        let recording = try self.rain()
        let end = try #require(recording.span).upperBound
        let outcome = try recording.backtest(try RuleFileLoader().parse(rules))
            .run(from: end - 120 * .day, through: end)
        #expect(Set(outcome.transitions.map(\.level)) == [.blue, .yellow, .orange])
        #expect(outcome.samples > 12_000)
    }

    // MARK: - Dissolved oxygen

    /// GB 11607-89: above 5 mg/L for at least 16 h of any 24 h, never below 3; and the same with 7.5 mg/L, which this
    /// mountain stream does fall below.
    @Test(.enabled(if: mayUseSharedData, "without the shared data"))
    func oxygenIsJudgedByItsDuration() throws {
        let map = """
            time: { column: [date, time], zone: America/Denver, format: 'M/d/yyyy H:mm:ss' }
            where: { station: low }
            columns:
              oxy: { metric: dissolved_oxygen_milligrams_per_liter, labels: { site: french-creek } }
            """
        let rules = """
            groups:
              - name: oxygen
                rules:
                  - alert: OxygenBriefly
                    expr: dissolved_oxygen_milligrams_per_liter < 3
                    labels: { hazard: dissolved_oxygen }
                  - alert: OxygenForLong
                    expr: sum_over_time((dissolved_oxygen_milligrams_per_liter <= bool $threshold)[24h:5m]) / 12 > 8
                    levels: { blue: 7.5, red: 5 }
                    labels: { hazard: dissolved_oxygen }
            """
        let file = try #require(sharedData).appending(path: "wq/french_creek_do_5min_2012.csv")
        let recording = try self.recording(file, map: map)
        let span = try #require(recording.span)
        let outcome = try recording.backtest(try RuleFileLoader().parse(rules))
            .run(from: span.lowerBound, through: span.upperBound)
        func raised(_ name: String, _ level: WarningLevel) -> [String] {
            outcome.transitions
                .filter { $0.alertName == name && $0.level == level && $0.change == .raised }
                .map { $0.eventTime.rfc3339(offsetMinutes: -360) }
        }
        // Four zeros and a 0.21: faults of the sensor.
        #expect(
            raised("OxygenBriefly", .notice) == [
                "2012-09-09T06:00:00-06:00", "2012-09-12T14:25:00-06:00", "2012-09-13T06:05:00-06:00",
            ]
        )
        #expect(raised("OxygenForLong", .red).isEmpty)
        #expect(
            raised("OxygenForLong", .blue) == [
                "2012-08-24T01:10:00-06:00", "2012-08-30T02:10:00-06:00", "2012-09-02T02:30:00-06:00",
                "2012-09-07T04:00:00-06:00", "2012-09-11T03:00:00-06:00", "2012-09-24T03:50:00-06:00",
            ]
        )
    }

    // MARK: - Recording rules

    /// A flood by the mean of half an hour, in feet: recorded over two rules, in the wrong order, or written out.
    ///
    /// Below the name that is recorded stands an old value of another rule.
    @Test func rulesOverRecordedSeriesSayWhatTheirExpressionsSay() throws {
        let rows = (0..<300)
            .map { minute -> String in
                let level = 1 + 3 * sin(Double(minute) / 40)
                return "\(1_577_836_800 + 60 * minute),level_meters,a,\(level)\n"
                    + "\(1_577_836_800 + 60 * minute),level:feet,a,99\n"
            }
        let csv = "time_s,metric,site,value\n" + rows.joined()
        let recorded = """
            groups:
              - name: g
                rules:
                  - { record: "level:feet", expr: "level:mean30m * 4" }
                  - { record: "level:mean30m", expr: "avg_over_time(level_meters[30m])" }
                  - { record: "level:unused", expr: "level_meters offset 1y" }
                  - { alert: High, expr: "max_over_time(level:feet[10m]) > 10", labels: { hazard: flood } }
            """
        let written = """
            groups:
              - name: g
                rules:
                  - alert: High
                    expr: max_over_time((avg_over_time(level_meters[30m]) * 4)[10m:1m]) > 10
                    labels: { hazard: flood }
            """
        try inTemporaryFolder { folder in
            let path = try file("x.csv", in: folder, csv)
            func changes(_ rules: String, from minute: Int) throws -> [String] {
                var recording = RecordedHistory(catalog: .empty)
                try recording.read(path, map: nil)
                let span = try #require(recording.span)
                let outcome = try recording.backtest(try RuleFileLoader().parse(rules))
                    .run(from: span.lowerBound + Milliseconds(minute) * .minute, through: span.upperBound)
                #expect(outcome.failures.isEmpty)
                return outcome.transitions.map { transition in
                    // What ends an alert is the newest reading of its first series, which is another one.
                    let value = transition.change == .raised ? " \(transition.value ?? 0)" : ""
                    return "\(transition.change.rawValue) \(transition.eventTime)\(value)"
                }
            }
            // From the beginning, and in the middle of what windows look back on.
            for minute in [0, 41, 100, 130] {
                let expected = try changes(written, from: minute)
                #expect(try changes(recorded, from: minute) == expected, "from minute \(minute)")
                #expect(expected.count == (minute < 130 ? 3 : 1), "\(expected)")
            }
        }
    }

    // MARK: - What a person sees

    @Test func aReportNamesLeadsHitsMissesAndFalseAlarms() throws {
        let levels = [1, 1, 4, 6, 5, 1, 1, 1, 4, 4, 1, 1]
        let rows = levels.enumerated().map { "\(1_577_836_800 + 60 * $0.offset),level_meters,a,\($0.element)\n" }
        let csv = "time_s,metric,site,value\n" + rows.joined()
        let rules = """
            groups:
              - name: g
                rules: [{ alert: High, expr: level_meters > 3, labels: { hazard: flood, level: yellow } }]
            """
        try inTemporaryFolder { folder in
            var recording = RecordedHistory(catalog: .empty)
            try recording.read(try file("x.csv", in: folder, csv), map: nil)
            var backtest = recording.backtest(try RuleFileLoader().parse(rules))
            backtest.curvePoints = 50
            let span = try #require(recording.span)
            let outcome = try backtest.run(from: span.lowerBound, through: span.upperBound)
            let events = """
                - { name: known, site: a, start: "2020-01-01T00:01:00Z", peak: "2020-01-01T00:03:00Z", end: "2020-01-01T00:06:00Z" }
                - { name: dry, site: b, start: "2020-01-01T00:01:00Z", peak: "2020-01-01T00:03:00Z", end: "2020-01-01T00:06:00Z" }
                """
            let report = BacktestReport(outcome, events: try KnownEvent.list(yaml: events, file: "e.yaml"))
            #expect(report.text.contains("hit    known (a): before the peak yellow 1m"), "\(report.text)")
            #expect(report.text.contains("MISSED dry (b)"))
            #expect(report.text.contains("1 hits, 1 misses, 1 false alarms"))
            let kinds = report.table.rows.map { $0[0].cellText }
            #expect(kinds == ["transition", "transition", "transition", "transition", "hit", "miss", "false_alarm"])
            let chart = try #require(report.charts(Terminal(width: 80)).first)
            #expect(chart.contains("raised and ended: Y/y yellow"), "\(chart)")
            #expect(chart.contains("Y") && chart.contains("level_meters"))
        }
    }

    @Test func eventsCountThatThePeriodTheSitesAndTheRulesConcern() throws {
        func event(_ name: String, site: String = "a", hazard: Hazard? = .flood, hour: Int64) -> KnownEvent {
            let start = Timestamp(milliseconds: hour * .hour)
            return KnownEvent(
                name: name,
                site: site,
                hazard: hazard,
                start: start,
                peak: start + .hour,
                end: start + 2 * .hour
            )
        }
        var outcome = Backtest.Outcome()
        outcome.sites = ["a", "b"]
        func counted(_ events: [KnownEvent], sites: [String] = []) throws -> [String] {
            try KnownEvent.judging(
                outcome,
                events,
                period: Timestamp(milliseconds: 10 * .hour)...Timestamp(milliseconds: 20 * .hour),
                sites: sites,
                hazards: [.flood, Hazard(rawValue: "locusts")]
            )
            .map(\.name)
        }
        let events = [
            event("before", hour: 7), event("begins before", hour: 8), event("in", hour: 12),
            event("ends after", hour: 20), event("after", hour: 21), event("elsewhere", site: "b", hour: 12),
            event("other", hazard: .rain, hour: 12), event("any", hazard: nil, hour: 12),
            event("own", hazard: Hazard(rawValue: "locusts"), hour: 12),
        ]
        #expect(try counted(events) == ["begins before", "in", "ends after", "elsewhere", "any", "own"])
        #expect(try counted(events, sites: ["b"]) == ["elsewhere"])
        #expect(throws: KnownEvent.UnknownNames.self) { try counted([event("x", site: "c", hour: 12)]) }
        #expect(try counted([event("x", site: "c", hour: 12)], sites: ["a"]).isEmpty)
        #expect {
            _ = try counted([event("x", site: "aa", hazard: Hazard(rawValue: "fload"), hour: 99)])
        } throws: { error in
            "\(error)" == """
                event 'x': there is no site 'aa'; did you mean 'a'?
                event 'x': no hazard is called 'fload'; did you mean 'flood'?
                """
        }
    }

    @Test func eventsThatAreWrongAreNamedWithTheirPlace() {
        let text = """
            - { name: x, site: a, start: "2020-01-02", peak: "2020-01-01", end: "2020-01-03" }
            - { name: y, sitte: a, start: soon, peak: "2020-01-01", end: "2020-01-03" }
            """
        #expect {
            _ = try KnownEvent.list(yaml: text, file: "e.yaml")
        } throws: { error in
            let message = "\(error)"
            return message.contains("e.yaml:1:3: an event has start <= peak <= end")
                && message.contains("unknown key 'sitte'; did you mean 'site'?")
                && message.contains("'soon' is no time")
        }
    }
}
