// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Foundation
import Telemetry
import Testing

struct CatalogReaderTests {
    private static let files = [
        "Devices/models/acme/level.yaml": """
        channels:
          water_level_meters: { key: level, stuck_after: 1h }
          battery_volts: { key: bat, report: { every: 6h } }
        report: { every: 5m }
        """,
        "Devices/sites/g/lake.yaml": """
        site: lake
        name: 湖
        kind: lake
        org: office
        basin: poyang
        county: 庐山市
        thresholds:
          - { hazard: flood, level: blue, value: 19, valid_from: 2020-01-01, authority: a, source: s, confidence: c }
          - { hazard: flood, level: red, value: 21, valid_from: 2020-01-01, valid_to: 2021-01-01, authority: a, source: s, confidence: c }
          - { hazard: flood, level: red, value: 22, valid_from: 2021-01-01, authority: a, source: s, confidence: c }
          - { hazard: low_water, level: blue, value: 8, valid_from: 2020-01-01, valid_to: 2020-03-01, authority: a, source: s, confidence: c }
          - { hazard: low_water, level: blue, value: 7, valid_from: 2020-04-01, valid_to: 2020-04-03, authority: a, source: s, confidence: c }
          - { hazard: rain, level: red, value: 80, window: 1h, valid_from: 2020-01-01, authority: a, source: s, confidence: c }
          - { hazard: rain, level: red, value: 200, window: 24h, valid_from: 2020-01-01, authority: a, source: s, confidence: c }
          - { hazard: flood_rise, level: notice, value: 0.5, valid_from: 2020-01-01, season: { from: 04-01, to: 10-01 }, authority: a, source: s, confidence: c }
        devices: [{ id: lake-1, model: acme/level, installed: 2022-06-01 }]
        """,
        "Devices/sites/g/field.yaml": """
        site: field
        name: 田
        kind: field
        org: coop
        admin_code: "360483101"
        soil: { field_capacity_percent: 32, source: s, confidence: c }
        devices: [{ id: field-1, model: generic/json, interval: 10m }]
        """,
    ]

    private let now = Fixture.now
    private let catalog: Catalog

    init() throws {
        self.catalog = try Fixture.catalog(Self.files)
    }

    private func reader(_ series: [Labels: [(Timestamp, Double)]] = [:]) -> CatalogReader {
        CatalogReader(base: ArrayReader(series: series), catalog: self.catalog)
    }

    private func instant(_ moment: Timestamp) -> SelectExtent { .lookback(from: moment, through: moment) }

    /// What an instant selector sees at `moment`: the newest sample in its look-back.
    private func value(_ columns: SeriesColumns?, at moment: Timestamp) -> Double? {
        guard let columns, let index = columns.times.lastIndex(where: { $0 <= moment }) else { return nil }
        return columns.times[index] > moment - columns.lookback ? columns.values[index] : nil
    }

    // MARK: Stored series

    @Test func showsSiteAttributesWithoutOverridingStoredLabels() throws {
        let stored = Labels(metric: "water_level_meters", ["site": "lake"])
        let own = Labels(metric: "rain", ["site": "lake", "org": "other"])
        let reader = self.reader([
            stored: [(self.now, 19.07)], own: [(self.now, 1)], ["__name__": "up"]: [(self.now, 1)],
        ])
        let found = try reader.select(SelectRequest(matchers: [], extent: self.instant(self.now))).map(\.labels)
        #expect(found.contains(stored.merging(["org": "office", "county": "庐山市", "basin": "poyang", "kind": "lake"])))
        #expect(found.contains { $0.metric == "rain" && $0["org"] == "other" && $0["kind"] == "lake" })
        #expect(found.contains(["__name__": "up"]))
    }

    @Test(arguments: [
        ("kind", "lake", ["lake", "lake2"]), ("org", "other", ["lake2"]), ("org", "office", ["lake"]),
        ("org", "", ["nowhere"]), ("admin_code", "360483101", ["field"]), ("kind", "field", ["field"]),
        ("basin", "none", []),
    ])
    func matchesVirtualLabelsThroughTheSites(name: String, value: String, expected: [String]) throws {
        let reader = self.reader([
            Labels(metric: "m", ["site": "lake", "x": "lake"]): [(self.now, 1)],
            Labels(metric: "m", ["site": "lake", "org": "other", "x": "lake2"]): [(self.now, 1)],
            Labels(metric: "m", ["site": "field", "x": "field"]): [(self.now, 1)],
            Labels(metric: "m", ["site": "nowhere", "x": "nowhere"]): [(self.now, 1)],
        ])
        let matchers = [LabelMatcher("__name__", equals: "m"), LabelMatcher(name, equals: value)]
        let found = try reader.select(SelectRequest(matchers: matchers, extent: self.instant(self.now)))
        #expect(found.map { $0.labels["x"] }.sorted() == expected)
        let series = try reader.series(matching: matchers, after: .distantPast, through: self.now)
        #expect(series.map { $0["x"] }.sorted() == expected)
    }

    private static let lookbacks: [(String, String, Milliseconds)] = [
        ("water_level_meters", "lake", 750_000),
        ("battery_volts", "lake", 54_000_000),
        ("unregistered", "lake", 300_000),
        ("unregistered", "field", 1_500_000),
        ("m", "nowhere", 300_000),
        ("site:m:avg", "field", 300_000),
    ]

    /// Left-open: at exactly 2.5 intervals of age a value is no longer seen.
    @Test(arguments: Self.lookbacks)
    func looksBackAsFarAsTheChannelReports(metric: String, site: String, lookback: Milliseconds) throws {
        let labels = Labels(metric: metric, ["site": site])
        for withSite in [true, false] {
            var matchers = [LabelMatcher("__name__", equals: metric)]
            if withSite { matchers.append(LabelMatcher("site", equals: site)) }
            let seen = try self.reader([labels: [(self.now - lookback + 1, 1)]])
                .select(SelectRequest(matchers: matchers, extent: self.instant(self.now)))
            #expect(seen.map(\.lookback) == [lookback])
            let gone = try self.reader([labels: [(self.now - lookback, 1)]])
                .select(SelectRequest(matchers: matchers, extent: self.instant(self.now)))
            #expect(gone.isEmpty)
        }
    }

    @Test func readsEverySeriesOnceWhateverItsLookback() throws {
        let stored: [Labels: [(Timestamp, Double)]] = [
            Labels(metric: "water_level_meters", ["site": "lake"]): [(self.now - .minute, 1)],
            Labels(metric: "water_level_meters", ["site": "field"]): [(self.now - .minute, 2)],
            Labels(metric: "water_level_meters", ["site": "nowhere"]): [(self.now - .minute, 3)],
            Labels(metric: "water_level_meters"): [(self.now - .minute, 4)],
        ]
        let found = try self.reader(stored)
            .select(
                SelectRequest(
                    matchers: [LabelMatcher("__name__", equals: "water_level_meters")],
                    extent: self.instant(self.now)
                )
            )
        #expect(found.flatMap(\.values).sorted() == [1, 2, 3, 4])
    }

    // MARK: Thresholds

    private func threshold(
        _ hazard: String,
        _ level: String,
        _ extent: SelectExtent,
        metric: String = "site_threshold_meters"
    ) throws -> SeriesColumns? {
        let matchers = [
            LabelMatcher("__name__", equals: metric), LabelMatcher("site", equals: "lake"),
            LabelMatcher("hazard", equals: hazard), LabelMatcher("level", equals: level),
        ]
        let found = try self.reader().select(SelectRequest(matchers: matchers, extent: extent))
        #expect(found.count <= 1)
        return found.first
    }

    @Test func thresholdsHaveTheValueOfTheDay() throws {
        let change = try Fixture.time("2021-01-01")
        for (moment, expected) in [(change - 1, 21.0), (change, 22.0), (change + .day, 22)] {
            let columns = try self.threshold("flood", "red", self.instant(moment))
            #expect(self.value(columns, at: moment) == expected)
            #expect(columns?.labels["kind"] == "lake")
            #expect(columns?.nextChange == (moment < change ? change : .distantFuture))
        }
        #expect(try self.threshold("flood", "red", self.instant(try Fixture.time("2019-12-31T23:59:59"))) == nil)
        #expect(try self.threshold("flood", "yellow", self.instant(self.now)) == nil)
    }

    @Test func thresholdsOfAllSitesAreFoundWithoutASite() throws {
        let matchers = [
            LabelMatcher("__name__", equals: "site_threshold_meters"), LabelMatcher("kind", equals: "lake"),
        ]
        let found = try self.reader().select(SelectRequest(matchers: matchers, extent: self.instant(self.now)))
        #expect(found.map { $0.labels["level"] }.sorted() == ["blue", "red"])
    }

    @Test func seasonsComeBackEveryYear() throws {
        let metric = "site_threshold_meters_per_hour"
        for (day, expected) in [
            ("2022-03-31T23:59", nil), ("2022-04-01", 0.5), ("2022-09-30", 0.5), ("2022-10-01", nil),
        ] {
            let moment = try Fixture.time(day)
            let columns = try self.threshold("flood_rise", "notice", self.instant(moment), metric: metric)
            #expect(self.value(columns, at: moment) == expected)
            if columns != nil { #expect(columns?.nextChange == (try Fixture.time("2022-10-01"))) }
        }
    }

    /// Over an extent with gaps each moment sees what an instant query there sees.
    @Test(arguments: ["flood", "low_water", "flood_rise"])
    func rangesSeeAtEachMomentWhatAnInstantSees(hazard: String) throws {
        let metric = hazard == "flood_rise" ? "site_threshold_meters_per_hour" : "site_threshold_meters"
        let level = ["flood": "red", "low_water": "blue", "flood_rise": "notice"][hazard] ?? ""
        let from = try Fixture.time("2019-12-20T07:00")
        let through = try Fixture.time("2021-11-03T05:00")
        let whole = try self.threshold(hazard, level, .lookback(from: from, through: through), metric: metric)
        var moment = from
        while moment <= through {
            let one = try self.threshold(hazard, level, self.instant(moment), metric: metric)
            #expect(self.value(whole, at: moment) == self.value(one, at: moment), "\(moment)")
            moment = moment + 6 * .hour
        }
        for text in ["2020-03-01", "2020-04-01", "2020-04-03", "2020-10-01", "2021-01-01"] {
            for offset: Milliseconds in [-1, 0, 1] {
                let moment = try Fixture.time(text) + offset
                let one = try self.threshold(hazard, level, self.instant(moment), metric: metric)
                #expect(self.value(whole, at: moment) == self.value(one, at: moment), "\(moment)")
            }
        }
    }

    @Test func windowsHoldTheThresholdAtLeastEveryMinute() throws {
        let columns = try self.threshold("flood", "blue", .window(after: self.now - .hour, through: self.now))
        let times = try #require(columns?.times)
        #expect(times.allSatisfy { $0 > self.now - .hour && $0 <= self.now })
        #expect(zip(times, times.dropFirst()).allSatisfy { $1 > $0 && $1 - $0 <= .minute })
        #expect(columns?.values.allSatisfy { $0 == 19 } ?? false)
    }

    // MARK: Silence

    private func silence(
        _ samples: [Timestamp],
        _ extent: SelectExtent,
        outages: Outages = Outages()
    ) throws -> SeriesColumns? {
        let labels = Labels(metric: "water_level_meters", ["site": "lake"])
        let matchers = [LabelMatcher("__name__", equals: "channel_silent"), LabelMatcher("site", equals: "lake")]
        var reader = self.reader(samples.isEmpty ? [:] : [labels: samples.map { ($0, 1) }])
        reader.outages = outages
        let found = try reader.select(SelectRequest(matchers: matchers, extent: extent))
        #expect(found.allSatisfy { $0.labels["metric"] == "water_level_meters" && $0.labels["device"] == "lake-1" })
        return found.first
    }

    @Test func aChannelIsSilentFromItsLimitOn() throws {
        let limit = 15 * Milliseconds.minute
        for (age, expected) in [(0, 0.0), (limit - 1, 0), (limit, 1), (limit + .hour, 1), (30 * .day, 1)] {
            let columns = try self.silence([self.now - age], self.instant(self.now))
            #expect(self.value(columns, at: self.now) == expected, "\(age)")
            #expect(columns?.nextChange == (expected == 0 ? self.now - age + limit : .distantFuture))
        }
    }

    @Test func aChannelThatNeverReportedIsNotSilent() throws {
        #expect(try self.silence([], self.instant(self.now)) == nil)
        #expect(try self.silence([self.now + 1], self.instant(self.now)) == nil)
    }

    @Test func silenceBeginsAndEndsInsideARange() throws {
        let samples = [0, 5, 10, 60, 65].map { self.now + $0 * .minute }
        let columns = try self.silence(samples, .lookback(from: self.now, through: self.now + 70 * .minute))
        for (minute, expected) in [(0, 0.0), (24, 0), (25, 1), (59, 1), (60, 0), (70, 0)] {
            #expect(self.value(columns, at: self.now + Milliseconds(minute) * .minute) == expected, "\(minute)")
        }
    }

    /// The broker is away from minute 10 to 60, and from 70 on for five minutes, or still.
    @Test(arguments: [false, true])
    func nobodyIsSilentBecauseTheBrokerIsAway(stillAway: Bool) throws {
        var outages = Outages()
        outages.begin(at: self.now + 10 * .minute)
        outages.end(at: self.now + 60 * .minute)
        outages.begin(at: self.now + 70 * .minute)
        if !stillAway { outages.end(at: self.now + 75 * .minute) }
        #expect(outages.isNow == stillAway)
        // Heard before the outage: silent 15 minutes after the last one. Silent before it: silent throughout.
        for (heard, silent) in [(0, 90), (-4, 90), (-5, 10), (-60, -45), (61, 90), (74, 90), (78, 93)] {
            guard !stillAway || heard < 75 else { continue }
            let sample = self.now + Milliseconds(heard) * .minute
            let expected =
                stillAway && silent > 70 ? Timestamp.distantFuture : self.now + Milliseconds(silent) * .minute
            for minute in [10, 25, 60, 74, 76, 89, 90, 92, 93, 500] where minute >= heard {
                let moment = self.now + Milliseconds(minute) * .minute
                let columns = try self.silence([sample], self.instant(moment), outages: outages)
                #expect(self.value(columns, at: moment) == (moment >= expected ? 1 : 0), "\(heard) at \(minute)")
                #expect(columns?.nextChange == (moment >= expected ? .distantFuture : expected))
            }
        }
    }

    @Test func silenceOfAGenericDeviceIsNoticedForTheSeriesItHasSent() throws {
        let catalog = try Fixture.catalog(Self.files)
        let labels = Labels(metric: "ph", ["site": "field"])
        catalog.adopt([labels])
        let reader = CatalogReader(base: ArrayReader(series: [labels: [(self.now - .hour, 7)]]), catalog: catalog)
        let found = try reader.select(
            SelectRequest(
                matchers: [LabelMatcher("__name__", equals: "channel_silent")],
                extent: self.instant(self.now)
            )
        )
        #expect(found.map(\.values) == [[1]])
        #expect(found.first?.labels["device"] == "field-1")
    }

    // MARK: Never heard of, and stuck

    private func states(
        _ name: String,
        _ samples: [(Timestamp, Double)],
        _ extent: SelectExtent,
        of metric: String = "water_level_meters"
    ) throws -> SeriesColumns? {
        let labels = Labels(metric: "water_level_meters", ["site": "lake"])
        let matchers = [
            LabelMatcher("__name__", equals: name), LabelMatcher("site", equals: "lake"),
            LabelMatcher("metric", equals: metric),
        ]
        let reader = self.reader(samples.isEmpty ? [:] : [labels: samples])
        return try reader.select(SelectRequest(matchers: matchers, extent: extent)).first
    }

    @Test func aChannelThatNeverReportedIsMissedFromItsInstallationOn() throws {
        let installed = try Fixture.time("2022-06-01T00:00+08:00")
        let overdue = installed + 15 * .minute
        let never = try self.states("channel_never_reported", [], self.instant(overdue))
        #expect(self.value(never, at: overdue) == 1)
        let before = try self.states("channel_never_reported", [], self.instant(overdue - 1))
        #expect(self.value(before, at: overdue - 1) == 0)
        #expect(before?.nextChange == overdue)
        #expect(try self.states("channel_never_reported", [(installed, 1)], self.instant(overdue)) == nil)
        let whole = SelectExtent.lookback(from: installed, through: overdue + .hour)
        let late = try self.states("channel_never_reported", [(overdue + .minute, 1)], whole)
        #expect(self.value(late, at: overdue) == 1)
        #expect(self.value(late, at: overdue + .minute) == nil)
    }

    @Test func aChannelIsStuckWhenItsValueStandsForTooLong() throws {
        let minutes = Array(stride(from: 0, through: 90, by: 5))
        let start = self.now - 2 * .hour
        let samples = minutes.map { (start + Milliseconds($0) * .minute, $0 < 75 ? 18.0 : 18.1) }
        let extent = SelectExtent.lookback(from: start, through: start + 90 * .minute)
        let whole = try self.states("channel_stuck", samples, extent)
        for (minute, expected) in [(0, 0.0), (59, 0), (60, 1), (74, 1), (75, 0), (90, 0)] {
            let moment = start + Milliseconds(minute) * .minute
            #expect(self.value(whole, at: moment) == expected, "\(minute)")
            let one = try self.states("channel_stuck", samples, self.instant(moment))
            #expect(self.value(one, at: moment) == expected, "\(minute)")
        }
    }

    @Test func silenceIsNotStuck() throws {
        let samples = [0, 5, 50, 55, 60, 65].map { (self.now + $0 * .minute, 18.0) }
        let moment = self.now + 65 * .minute
        #expect(self.value(try self.states("channel_stuck", samples, self.instant(moment)), at: moment) == 0)
        let silent = self.now + 30 * .minute
        #expect(self.value(try self.states("channel_stuck", samples, self.instant(silent)), at: silent) == nil)
    }

    @Test func saysNothingOfChannelsWhoseModelSaysNothing() throws {
        #expect(try self.states("channel_stuck", [(self.now, 1)], self.instant(self.now), of: "battery_volts") == nil)
    }

    // MARK: Windows and soil

    @Test(arguments: [("1h", 80.0), ("1d", 200)])
    func thresholdsOfRainCarryTheirWindow(window: String, value: Double) throws {
        let matchers = [
            LabelMatcher("__name__", equals: "site_threshold_millimeters"), LabelMatcher("site", equals: "lake"),
            LabelMatcher("hazard", equals: "rain"), LabelMatcher("level", equals: "red"),
            LabelMatcher("window", equals: window),
        ]
        let found = try self.reader().select(SelectRequest(matchers: matchers, extent: self.instant(self.now)))
        #expect(found.map(\.values) == [[value]])
    }

    @Test func theFieldCapacityOfASiteIsASeries() throws {
        let matchers = [LabelMatcher("__name__", equals: "site_field_capacity_percent")]
        let found = try self.reader().select(SelectRequest(matchers: matchers, extent: self.instant(self.now)))
        #expect(found.map { $0.labels["site"] } == ["field"])
        #expect(self.value(found.first, at: self.now) == 32)
        #expect(found.first?.nextChange == .distantFuture)
    }

    @Test func listsComputedSeriesBesideStoredOnes() throws {
        let labels = Labels(metric: "water_level_meters", ["site": "lake"])
        let reader = self.reader([labels: [(self.now, 1)]])
        let found = try reader.series(
            matching: [LabelMatcher("site", equals: "lake")],
            after: self.now - .hour,
            through: self.now
        )
        let names = Set(found.map(\.metric))
        #expect(
            names == [
                "water_level_meters", "site_threshold_meters", "site_threshold_meters_per_hour",
                "site_threshold_millimeters", "channel_silent", "channel_stuck", "channel_never_reported",
            ]
        )
    }
}

/// Series in memory.
struct ArrayReader: SeriesReader {
    let series: [Labels: [(Timestamp, Double)]]

    func select(_ request: SelectRequest) throws -> [SeriesColumns] {
        let after: Timestamp =
            switch request.extent {
            case .window(let after, _): after
            case .lookback(let from, _): from - ReportSchedule.unregisteredLookback
            }
        return self.series.compactMap { labels, samples in
            guard request.matchers.allSatisfy({ $0.matches(labels) }) else { return nil }
            let wanted = samples.filter { $0.0 > after && $0.0 <= request.extent.through }
            guard !wanted.isEmpty else { return nil }
            return SeriesColumns(
                labels: labels,
                times: wanted.map(\.0),
                values: wanted.map(\.1),
                marks: wanted.map { _ in .measured }
            )
        }
    }

    func series(matching matchers: [LabelMatcher], after: Timestamp, through: Timestamp) throws -> [Labels] {
        try self.select(SelectRequest(matchers: matchers, extent: .window(after: after, through: through)))
            .map(\.labels)
    }
}
