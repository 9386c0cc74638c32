// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Telemetry
import Testing

struct CatalogResolverTests {
    private static let files = [
        "Devices/models/acme/level.yaml": """
        channels:
          water_level_meters: { key: level, unit: ft, min: -15, max: 130, zero: site, sensor: b }
          air_temperature_celsius: { key: t, unit: °F }
        report: { every: 5m }
        """,
        "Devices/sites/g/x.yaml": """
        site: x
        name: 甲
        kind: river
        devices:
          - { id: real, model: acme/level, zero_elevation_m: 12.5 }
          - { id: test, model: acme/level, zero_elevation_m: 0, test: true }
          - { id: node, model: generic/json, interval: 5m }
        """,
    ]

    private let resolver: CatalogResolver
    private let now = Fixture.now

    init() throws {
        self.resolver = CatalogResolver(catalog: try Fixture.catalog(Self.files))
    }

    private func resolve(
        _ device: String,
        _ readings: [Reading]
    ) -> (resolved: [ResolvedReading], refusals: [Refusal]) {
        var resolved: [ResolvedReading] = []
        let refusals = self.resolver.resolve(
            device: device,
            readings: readings,
            receivedAt: self.now,
            into: &resolved
        )
        #expect(resolved.count + refusals.map(\.values).reduce(0, +) == readings.count)
        return (resolved, refusals)
    }

    @Test func convertsAddsZeroAndLabels() throws {
        let (resolved, refusals) = self.resolve(
            "real",
            [Reading(key: "level", value: 10, time: self.now - 5), Reading(key: "t", value: 212)]
        )
        #expect(refusals.isEmpty)
        #expect(resolved.map(\.sample.value) == [15.548, 100])
        #expect(resolved.map(\.sample.time) == [self.now - 5, self.now])
        #expect(resolved.map(\.hasOwnTime) == [true, false])
        #expect(resolved.map(\.sample.mark) == [.measured, .measured])
        #expect(resolved[0].series.labels == Labels(metric: "water_level_meters", ["site": "x", "sensor": "b"]))
    }

    @Test func keepsQualityMethodAndSimulation() {
        let reading = Reading(key: "level", value: 1, quality: .suspect, method: .interpolated, isSimulated: true)
        let mark = SampleMark(quality: .suspect, method: .interpolated, simulated: true)
        #expect(self.resolve("test", [reading]).resolved.map(\.sample.mark) == [mark])
    }

    @Test func countsAllValuesOfAnUnknownDevice() {
        let refusals = self.resolve("nobody", [Reading(key: "a", value: 1), Reading(key: "b", value: 2)]).refusals
        #expect(refusals.map(\.reason) == [.unknownDevice])
        #expect(refusals.map(\.values) == [2])
        #expect(refusals.first?.detail.contains("'nobody'") ?? false)
    }

    @Test(arguments: [
        (
            "lvel", 1.0, QuarantineReason.unknownChannel,
            "key 'lvel' is not known; model acme/level has the keys: level, t"
        ),
        ("level", .nan, .notANumber, "the value is nan"),
        ("level", .infinity, .notANumber, "the value is inf"),
        ("level", 130.01, .outOfRange, "130.01 ft is above the maximum 130.0 ft"),
        ("level", -15.5, .outOfRange, "-15.5 ft is below the minimum -15.0 ft"),
    ])
    func refusesValues(key: String, value: Double, reason: QuarantineReason, detail: String) {
        let (resolved, refusals) = self.resolve(
            "real",
            [Reading(key: key, value: value), Reading(key: "t", value: 50)]
        )
        #expect(resolved.count == 1, "the good value beside it is kept")
        #expect(refusals.map(\.reason) == [reason])
        #expect(refusals.first?.key == key)
        #expect(refusals.first?.detail.contains(detail) ?? false, "\(refusals)")
    }

    @Test func takesTheBoundsThemselves() {
        let readings = [Reading(key: "level", value: 130), Reading(key: "level", value: -15)]
        #expect(self.resolve("real", readings).refusals.isEmpty)
    }

    @Test(arguments: [
        ("2059-01-01T00:00:00Z", QuarantineReason.timeFuture), ("1999-12-31T23:59:59Z", .timeInvalid),
        ("1970-01-20T00:00:00Z", .timeInvalid),
    ])
    func refusesTimesThatNoClockShouldSay(text: String, reason: QuarantineReason) throws {
        let reading = Reading(key: "t", value: 50, time: try Fixture.time(text))
        #expect(self.resolve("real", [reading]).refusals.map(\.reason) == [reason])
    }

    @Test func takesTimesUpToTheSkewAndAllWhileOurClockIsSuspect() {
        let edge = Reading(key: "t", value: 50, time: self.now + 10 * .minute)
        let beyond = Reading(key: "t", value: 50, time: self.now + 10 * .minute + 1)
        #expect(self.resolve("real", [edge, beyond]).refusals.map(\.reason) == [.timeFuture])
        self.resolver.replace(policy: IngestPolicy(isOwnClockSuspect: true))
        #expect(self.resolve("real", [edge, beyond]).refusals.isEmpty)
    }

    /// Messages of one device: minutes at which they came, and how many minutes before their newest reading was made.
    @Test(
        arguments: [
            ([], nil), ([(0, 0)], 0), ([(0, 480), (1, 480), (2, 481)], 480),
            // Ahead, so far that its readings are refused.
            ([(0, -60), (1, -61), (2, -60)], -60),
            // One that was late among those that were not.
            ([(0, 0), (1, 90), (2, 0)], 0),
            // A backlog in one delivery counts as its newest message.
            ([(0, 1), (5, 300), (5, 200), (5, 1), (10, 1)], 1),
            // The newest fifteen count.
            ((0..<20).map { ($0, 500) } + (20..<28).map { ($0, 0) }, 0),
        ] as [([(Int, Int)], Int?)]
    )
    func tellsHowFarAClockIsOff(messages: [(Int, Int)], expected: Int?) {
        for (minute, offset) in messages {
            let receivedAt = self.now + Milliseconds(minute) * .minute
            var resolved: [ResolvedReading] = []
            let made = receivedAt - Milliseconds(offset) * .minute
            _ = self.resolver.resolve(
                device: "real",
                readings: [
                    Reading(key: "level", value: 1, time: made - .hour), Reading(key: "level", value: 1, time: made),
                ],
                receivedAt: receivedAt,
                into: &resolved
            )
        }
        let found = self.resolver.catalog.clockOffset(ofDevice: "real")
        #expect(found == expected.map { Milliseconds($0) * .minute })
        let beyond = self.resolver.catalog.clockOffsets(beyond: .hour)
        #expect(beyond.map(\.device) == (abs(expected ?? 0) > 60 ? ["real"] : []))
    }

    @Test func whatIsSimulatedOrHasNoTimeSaysNothingOfAClock() {
        _ = self.resolve("test", [Reading(key: "level", value: 1, time: self.now - .day, isSimulated: true)])
        _ = self.resolve("test", [Reading(key: "level", value: 1)])
        self.resolver.replace(policy: IngestPolicy(isOwnClockSuspect: true))
        _ = self.resolve("test", [Reading(key: "level", value: 1, time: self.now - .day)])
        #expect(self.resolver.catalog.clockOffset(ofDevice: "test") == nil)
        #expect(self.resolver.catalog.clockOffset(ofDevice: "unknown") == nil)
    }

    @Test func takesSimulatedReadingsOnlyInExercisesOrForTestDevices() {
        let reading = Reading(key: "t", value: 50, isSimulated: true)
        let refusals = self.resolve("real", [reading]).refusals
        #expect(refusals.map(\.reason) == [.wrongAddress])
        #expect(refusals.first?.detail.contains("--exercise") ?? false)
        #expect(self.resolve("test", [reading]).refusals.isEmpty)
        self.resolver.replace(policy: IngestPolicy(acceptsSimulated: true))
        #expect(self.resolve("real", [reading]).refusals.isEmpty)
    }

    @Test(arguments: [
        "water_level_meters", "ph", "pump_running", "signal_dbm", "nitrate_milligrams_per_liter", "gate_open",
        "tank_pressure_hectopascals",
    ])
    func genericTakesMetricNamesAsKeys(key: String) {
        let (resolved, refusals) = self.resolve("node", [Reading(key: key, value: 1e9)])
        #expect(refusals.isEmpty)
        #expect(resolved.map(\.sample) == [Sample(time: self.now, value: 1e9)])
        #expect(resolved.map(\.series.labels) == [Labels(metric: key, ["site": "x"])])
    }

    @Test(arguments: [
        ("temperature", "did you mean"), ("Water_level_meters", "takes metric names"), ("water__level_meters", ""),
        ("water_level_feet", ""), ("", ""), ("__name__", ""), ("_meters", ""), ("meters", ""), ("水位_meters", ""),
        (String(repeating: "a", count: 200) + "_meters", ""),
    ])
    func genericRefusesOtherKeys(key: String, detail: String) {
        let refusals = self.resolve("node", [Reading(key: key, value: 1)]).refusals
        #expect(refusals.map(\.reason) == [.unknownChannel])
        #expect(detail.isEmpty || refusals.first?.detail.contains(detail) ?? false, "\(refusals)")
    }

    @Test func genericStopsAtABoundedNumberOfSeries() {
        let readings = (0..<300).map { Reading(key: "k\($0)_meters", value: 1) }
        let (resolved, refusals) = self.resolve("node", readings)
        #expect(resolved.count == 256)
        #expect(refusals.count == 44)
    }

    @Test func genericChannelsAreRegisteredFromTheirFirstReadingOn() {
        let before = self.resolver.catalog.registeredChannels(at: "x").count
        let first = self.resolve("node", [Reading(key: "ph", value: 7)]).resolved.first
        let again = self.resolve("node", [Reading(key: "ph", value: 7)]).resolved.first
        #expect(first?.series === again?.series)
        let channels = self.resolver.catalog.registeredChannels(at: "x")
        #expect(channels.count == before + 1)
        #expect(channels.last?.device == "node")
        #expect(channels.last?.schedule == .periodic(5 * .minute))
    }

    @Test func adoptsTheSeriesOfTheStoreAfterARestart() throws {
        let catalog = try Fixture.catalog(Self.files)
        catalog.adopt([
            Labels(metric: "ph", ["site": "x"]), Labels(metric: "ph", ["site": "nowhere"]),
            Labels(metric: "site:ph:avg", ["site": "x"]), Labels(metric: "ph", ["site": "x", "job": "other"]),
            Labels(metric: "air_temperature_celsius", ["site": "x"]),
        ])
        let generic = catalog.registeredChannels(at: "x").filter { $0.device == "node" }
        #expect(generic.map(\.metric) == ["ph"])
    }

    @Test func changesSnapshotsBetweenMessages() throws {
        #expect(self.resolve("late", [Reading(key: "ph", value: 7)]).refusals.map(\.reason) == [.unknownDevice])
        let registered = CatalogRegistrations(devices: [
            Device(id: "late", model: "generic/json", site: "x", address: "00AA")
        ])
        self.resolver.replace(catalog: try Fixture.catalog(Self.files, registered: registered))
        #expect(self.resolve("late", [Reading(key: "ph", value: 7)]).refusals.isEmpty)
        #expect(self.resolver.catalog.device(address: "00aa")?.id == "late")
    }
}
