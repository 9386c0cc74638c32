// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Telemetry
import Testing

/// Depths of rain from the readings of counters.
struct RainCounterTests {
    private static let files = [
        "Devices/models/acme/gauge.yaml": """
        channels:
          rainfall_accumulated_millimeters: { key: total }
        report: { every: 5m }
        """,
        "Devices/models/acme/both.yaml": """
        channels:
          rainfall_accumulated_millimeters: { key: total }
          rainfall_millimeters: { key: rain }
        report: { every: 5m }
        """,
        "Devices/sites/g/hill.yaml": """
        site: hill
        name: 山
        kind: rain
        devices: [{ id: hill-1, model: acme/gauge }]
        """,
        "Devices/sites/g/dale.yaml": """
        site: dale
        name: 谷
        kind: rain
        devices: [{ id: dale-1, model: acme/both }]
        """,
        "Devices/sites/g/field.yaml": """
        site: field
        name: 田
        kind: field
        devices: [{ id: field-1, model: generic/json, interval: 5m }]
        """,
    ]

    private static let counter = Labels(metric: "rainfall_accumulated_millimeters", ["site": "hill"])

    private let catalog: Catalog
    private let start = Fixture.now

    init() throws {
        self.catalog = try Fixture.catalog(Self.files)
    }

    private func resolver(_ stored: [(Timestamp, Double)] = []) -> CatalogResolver {
        let history = ArrayReader(series: stored.isEmpty ? [:] : [Self.counter: stored])
        return CatalogResolver(catalog: self.catalog, history: history)
    }

    private func minute(_ minute: Int) -> Timestamp { self.start + Milliseconds(minute) * .minute }

    /// What a counter's readings give, as `minute value [method] [quality]`.
    private func depths(
        _ resolver: CatalogResolver,
        _ readings: [(Int, Double)],
        device: String = "hill-1",
        key: String = "total",
        quality: Quality? = nil
    ) -> [String] {
        var resolved: [ResolvedReading] = []
        for (minute, value) in readings {
            let reading = Reading(key: key, value: value, time: self.minute(minute), quality: quality)
            let refusals = resolver.resolve(
                device: device,
                readings: [reading],
                receivedAt: self.minute(10_000),
                into: &resolved
            )
            #expect(refusals.isEmpty)
        }
        return resolved.filter { $0.series.labels.metric == "rainfall_millimeters" }
            .map { depth in
                let mark = depth.sample.mark
                let method = mark.method == .measured ? "" : " \(mark.method)"
                let quality = mark.quality == .notEvaluated ? "" : " \(mark.quality)"
                return "\((depth.sample.time - self.start) / .minute) \(depth.sample.value)\(method)\(quality)"
            }
    }

    @Test func differencesOfConsecutiveReadingsAreDepths() {
        let found = self.depths(self.resolver(), [(0, 1204), (5, 1204), (10, 1204.5), (15, 1206.1)])
        #expect(found == ["0 0.0", "5 0.0", "10 0.5", "15 1.6"])
    }

    /// 1204.0 mm at 20:00 and 1264.5 mm at 02:00.
    @Test func aDifferenceOverMoreThanOneAndAHalfIntervalsIsATotalOverAGap() {
        #expect(self.depths(self.resolver(), [(0, 1204), (360, 1264.5)]) == ["0 0.0", "360 60.5 gap_total"])
        #expect(self.depths(self.resolver(), [(0, 1), (7, 2)]) == ["0 0.0", "7 1.0"])
        #expect(self.depths(self.resolver(), [(0, 1), (8, 2)]) == ["0 0.0", "8 1.0 gap_total"])
    }

    @Test func aCounterThatWasSetBackCountsFromZero() {
        #expect(self.depths(self.resolver(), [(0, 999), (5, 999.5), (10, 1.5)]) == ["0 0.0", "5 0.5", "10 1.5"])
    }

    @Test func moreThanEverFellIsSuspectAndWhatCannotBeFails() {
        let resolver = self.resolver()
        #expect(
            self.depths(resolver, [(0, 10), (5, 260), (10, 9000)]) == ["0 0.0", "5 250.0 suspect", "10 8740.0 fail"]
        )
    }

    @Test func aSuspectReadingGivesASuspectDepthAndAFailedOneNone() {
        let resolver = self.resolver()
        _ = self.depths(resolver, [(0, 10)])
        #expect(self.depths(resolver, [(5, 11)], quality: .suspect) == ["5 1.0 suspect"])
        #expect(self.depths(resolver, [(7, 99)], quality: .fail).isEmpty)
        #expect(self.depths(resolver, [(10, 12)]) == ["10 1.0 suspect"])
        #expect(self.depths(resolver, [(15, 13)]) == ["15 1.0"])
    }

    @Test func aLateReadingSplitsTheDifferenceThatWasStored() {
        let resolver = self.resolver()
        _ = self.depths(resolver, [(0, 10), (10, 16)])
        #expect(self.depths(resolver, [(5, 12)]) == ["5 2.0", "10 4.0"])
    }

    @Test func aReadingBeforeTheFirstBeginsTheCountAnew() {
        let resolver = self.resolver()
        _ = self.depths(resolver, [(5, 10)])
        #expect(self.depths(resolver, [(0, 7)]) == ["0 0.0", "5 3.0"])
    }

    @Test func theSameReadingAgainGivesTheSameDepth() {
        let resolver = self.resolver()
        let first = self.depths(resolver, [(0, 10), (5, 12)])
        #expect(self.depths(resolver, [(0, 10), (5, 12)]) == ["0 0.0", "5 2.0", "5 2.0"])
        #expect(first == ["0 0.0", "5 2.0"])
    }

    /// Whatever of a stream was stored before the start, the depths are those of one run.
    @Test(arguments: 0...6)
    func aStartFromTheStoreChangesNothing(split: Int) {
        let readings = [(0, 10.0), (5, 12), (10, 3), (60, 9), (65, 9.5), (70, 11)]
        let whole = self.depths(self.resolver(), readings)
        let stored = readings.prefix(split)
        let before = self.depths(self.resolver(), Array(stored))
        let after = self.depths(
            self.resolver(stored.map { (self.minute($0.0), $0.1) }),
            Array(readings.dropFirst(split))
        )
        #expect(before + after == whole)
    }

    @Test func findsTheReadingBeforeALongGapInTheStore() {
        let resolver = self.resolver([(self.start - 300 * .day, 5)])
        #expect(self.depths(resolver, [(0, 8)]) == ["0 3.0 gap_total"])
    }

    @Test func aSiteThatMeasuresDepthsItselfHasNoSecondSource() {
        #expect(self.depths(self.resolver(), [(0, 1), (5, 2)], device: "dale-1").isEmpty)
        let resolver = self.resolver()
        let key = "rainfall_accumulated_millimeters"
        #expect(self.depths(resolver, [(0, 1), (5, 2)], device: "field-1", key: key) == ["0 0.0", "5 1.0"])
        #expect(self.depths(resolver, [(6, 0.5)], device: "field-1", key: "rainfall_millimeters") == ["6 0.5"])
        #expect(self.depths(resolver, [(10, 3)], device: "field-1", key: key).isEmpty)
    }

    /// Also after a start, whichever key the message has first, and where nothing says when it rained.
    @Test(arguments: [false, true])
    func aMessageWithDepthAndCounterTellsItsRainOnce(isCounterFirst: Bool) throws {
        var keys = SeriesKeyTable()
        var found: [Double] = []
        var saved: [GainedSeries] = []
        for (minute, total, depth) in [(0, 100.0, 0.5), (5, 102.0, 2.0)] {
            let history = ArrayReader(
                series: minute == 0
                    ? [:] : [Labels(metric: "rainfall_accumulated_millimeters", ["site": "field"]): [(self.start, 100)]]
            )
            let catalog = try Fixture.catalog(Self.files, keys: keys)
            let resolver = CatalogResolver(catalog: catalog, history: history)
            let readings = [
                Reading(key: "rainfall_accumulated_millimeters", value: total),
                Reading(key: "rainfall_millimeters", value: depth),
            ]
            var resolved: [ResolvedReading] = []
            let refusals = resolver.resolve(
                device: "field-1",
                readings: isCounterFirst ? readings : readings.reversed(),
                receivedAt: self.minute(minute),
                into: &resolved
            )
            #expect(refusals.isEmpty)
            found += resolved.filter { $0.series.labels.metric == "rainfall_millimeters" }.map(\.sample.value)
            try keys.save { saved = $0 + saved }
            keys = SeriesKeyTable(gained: saved.reversed())
        }
        #expect(found == [0.5, 2])
    }

    /// The depths of one device and the counter of another: after a start the counter may come first.
    @Test func aCounterOfASiteWhoseDepthsAnotherDeviceReportsYieldsNoneAfterAStart() throws {
        let site = Site(id: "two", name: LocalizedName(zh: "两", en: "Two"), kind: .rain)
        let devices = ["a", "b"].map { Device(id: $0, model: "generic/json", site: "two") }
        func catalog(_ keys: SeriesKeyTable, _ devices: [Device]) throws -> Catalog {
            try Fixture.catalog([:], registered: CatalogRegistrations(sites: [site], devices: devices), keys: keys)
        }
        func depths(_ resolver: CatalogResolver, _ device: String, _ key: String, _ value: Double, _ minute: Int)
            -> [String]
        {
            var resolved: [ResolvedReading] = []
            let reading = Reading(key: key, value: value, time: self.minute(minute))
            _ = resolver.resolve(device: device, readings: [reading], receivedAt: self.minute(100), into: &resolved)
            return resolved.filter { $0.series.labels.metric == "rainfall_millimeters" }
                .map { "\($0.series.labels["sensor"]) \($0.sample.value)" }
        }
        let counter = "rainfall_accumulated_millimeters"
        let keys = SeriesKeyTable()
        let before = CatalogResolver(catalog: try catalog(keys, devices))
        #expect(depths(before, "b", "rainfall_millimeters", 0.5, 0) == [" 0.5"])
        #expect(depths(before, "a", counter, 100, 1).isEmpty)
        var saved: [GainedSeries] = []
        try keys.save { saved = $0 }
        let history = ArrayReader(series: [Labels(metric: counter, ["site": "two"]): [(self.minute(1), 100)]])
        let after = CatalogResolver(catalog: try catalog(SeriesKeyTable(gained: saved), devices), history: history)
        #expect(depths(after, "a", counter, 102, 5).isEmpty)
        #expect(depths(after, "b", "rainfall_millimeters", 2, 5) == [" 2.0"])
        // Without b the counter is the site's source.
        after.replace(catalog: try catalog(SeriesKeyTable(gained: saved), [devices[0]]))
        #expect(depths(after, "a", counter, 103, 10) == [" 1.0"])
    }

    @Test func theDepthsAreARegisteredChannelThatIsNotMissedByItself() throws {
        let channels = self.catalog.registeredChannels(at: "hill")
        #expect(channels.map(\.metric) == ["rainfall_accumulated_millimeters", "rainfall_millimeters"])
        #expect(channels.map(\.schedule) == [.periodic(5 * .minute), .periodic(5 * .minute)])
        let reader = CatalogReader(
            base: ArrayReader(series: [
                Self.counter: [(self.start, 1)],
                Labels(metric: "rainfall_millimeters", ["site": "hill"]): [(self.start, 0)],
            ]),
            catalog: self.catalog
        )
        let found = try reader.select(
            SelectRequest(
                matchers: [LabelMatcher("__name__", equals: "channel_silent"), LabelMatcher("site", equals: "hill")],
                extent: .lookback(from: self.start + .hour, through: self.start + .hour)
            )
        )
        #expect(found.map { $0.labels["metric"] } == ["rainfall_accumulated_millimeters"])
    }

    @Test func readingsWithoutATimeOfTheirOwnKeepTheirOrder() {
        let resolver = self.resolver()
        var resolved: [ResolvedReading] = []
        for value in [1.0, 2.5] {
            _ = resolver.resolve(
                device: "hill-1",
                readings: [Reading(key: "total", value: value)],
                receivedAt: self.start,
                into: &resolved
            )
        }
        let depths = resolved.filter { $0.series.labels.metric == "rainfall_millimeters" }.map(\.sample)
        #expect(depths.map(\.value) == [0, 1.5])
        #expect(depths.map(\.time) == [self.start, self.start + 1])
    }
}
