// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Telemetry
import Testing

/// Devices of one site that measure the same.
struct TwinTests {
    private static let site = """
        site: tw
        name: { zh: 双探头, en: Twins }
        kind: river
        devices:
        """
    private static let models = [
        "models/acme/level.yaml": """
        report: { every: 5m }
        channels:
          water_level_meters: { key: level }
          battery_volts: { key: battery }
        """,
        "models/acme/soil.yaml": """
        report: { every: 1h }
        channels:
          soil_moisture_percent: { key: moisture }
          battery_volts: { key: battery }
        """,
    ]

    private static func catalog(
        files devices: String = "",
        registered: [Device] = [],
        keys: SeriesKeyTable = SeriesKeyTable()
    ) throws -> Catalog {
        var files = Self.models
        files["sites/x/tw.yaml"] = Self.site + (devices.isEmpty ? " []\n" : devices)
        return try Fixture.catalog(
            files,
            registered: CatalogRegistrations(devices: registered),
            keys: keys
        )
    }

    /// `metric sensor` of each channel of a device.
    private static func series(_ device: String, in catalog: Catalog) -> [String] {
        catalog.registeredChannels(at: "tw").filter { $0.device == device }
            .map { "\($0.metric) \($0.series.labels["sensor"])" }
    }

    private static func resolve(_ catalog: Catalog, _ device: String, _ key: String) -> [String] {
        var resolved: [ResolvedReading] = []
        let reading = Reading(key: key, value: 2.5, time: Fixture.now)
        let refusals = CatalogResolver(catalog: catalog)
            .resolve(device: device, readings: [reading], receivedAt: Fixture.now, into: &resolved)
        #expect(refusals.isEmpty)
        return resolved.map { "\($0.series.labels.metric) \($0.series.labels["sensor"])" }
    }

    private static func device(_ id: String, _ model: String, _ rank: Int64?) -> Device {
        var device = Device(id: id, model: model, site: "tw")
        device.rank = rank
        return device
    }

    @Test func theSecondHasSeriesOfItsOwnOfWhatTheFirstMeasuresToo() throws {
        let catalog = try Self.catalog(
            files: """

                  - { id: z, model: acme/level }
                  - { id: a, model: acme/level }
                  - { id: soil, model: acme/soil }
                """
        )
        #expect(Self.series("z", in: catalog) == ["water_level_meters ", "battery_volts "])
        #expect(Self.series("a", in: catalog) == ["water_level_meters a", "battery_volts a"])
        #expect(Self.series("soil", in: catalog) == ["soil_moisture_percent ", "battery_volts soil"])
        #expect(Self.resolve(catalog, "z", "level") == ["water_level_meters "])
        #expect(Self.resolve(catalog, "a", "level") == ["water_level_meters a"])
    }

    /// Files come before what is registered, and who was registered first before who came later.
    @Test func whoWasThereFirstKeepsThePlainSeries() throws {
        let (early, late) = (Self.device("m", "acme/level", 100), Self.device("b", "acme/level", 200))
        let catalog = try Self.catalog(registered: [late, early, Self.device("a", "acme/level", nil)])
        #expect(Self.series("m", in: catalog) == ["water_level_meters ", "battery_volts "])
        #expect(Self.series("b", in: catalog) == ["water_level_meters b", "battery_volts b"])
        #expect(Self.series("a", in: catalog) == ["water_level_meters a", "battery_volts a"])
        let declared = try Self.catalog(files: "\n  - { id: z, model: acme/level }\n", registered: [early])
        #expect(Self.series("z", in: declared) == ["water_level_meters ", "battery_volts "])
        #expect(Self.series("m", in: declared) == ["water_level_meters m", "battery_volts m"])
    }

    @Test func ofDevicesThatGainChannelsTheFirstToReportHasThePlainSeries() throws {
        let keys = SeriesKeyTable()
        let devices = [Self.device("a", "generic/json", 1), Self.device("b", "generic/json", 2)]
        let catalog = try Self.catalog(registered: devices, keys: keys)
        #expect(Self.resolve(catalog, "b", "ph") == ["ph "])
        #expect(Self.resolve(catalog, "a", "ph") == ["ph a"])
        #expect(Self.resolve(catalog, "a", "turbidity_ntu") == ["turbidity_ntu "])
        #expect(Self.series("a", in: catalog) == ["ph a", "turbidity_ntu "])
        #expect(Self.series("b", in: catalog) == ["ph "])
        let reloaded = try Self.catalog(registered: devices, keys: keys)
        #expect(Self.resolve(reloaded, "a", "ph") == ["ph a"])
        #expect(Self.resolve(reloaded, "b", "ph") == ["ph "])
        // Without b the plain series is free for who comes in its place; a's stays its own.
        let replaced = try Self.catalog(registered: [devices[0], Self.device("c", "generic/json", 2)], keys: keys)
        #expect(Self.resolve(replaced, "a", "ph") == ["ph a"])
        #expect(Self.resolve(replaced, "c", "ph") == ["ph "])
    }

    @Test func afterARestartEachHasItsSeriesAgainWhoeverReportsFirst() throws {
        let devices = [Self.device("a", "generic/json", 1), Self.device("b.1", "generic/json", 2)]
        let catalog = try Self.catalog(registered: devices)
        catalog.adopt([
            Labels(metric: "ph", ["site": "tw"]), Labels(metric: "ph", ["site": "tw", "sensor": "b.1"]),
            Labels(metric: "ph", ["site": "tw", "sensor": "left"]),
        ])
        #expect(Self.series("b.1", in: catalog) == ["ph b.1"])
        #expect(Self.series("a", in: catalog) == ["ph "])
        #expect(Self.resolve(catalog, "b.1", "ph") == ["ph b.1"])
        #expect(Self.resolve(catalog, "a", "ph") == ["ph "])
    }

    /// What was put on disk of a table of keys, as a start finds it.
    private static func saved(_ keys: SeriesKeyTable, _ before: [GainedSeries] = []) throws -> [GainedSeries] {
        var saved = Dictionary(before.map { ($0.labels, $0) }) { $1 }
        try keys.save { for series in $0 { saved[series.labels] = series } }
        return Array(saved.values)
    }

    @Test func whoReportedAloneBeforeAStartKeepsThePlainSeriesWhenTheOtherReportsFirst() throws {
        let devices = [Self.device("a", "generic/json", 1), Self.device("b", "generic/json", 2)]
        let stored = [Labels(metric: "ph", ["site": "tw"])]
        let first = SeriesKeyTable()
        #expect(Self.resolve(try Self.catalog(registered: devices, keys: first), "b", "ph") == ["ph "])
        var saved = try Self.saved(first)
        let second = SeriesKeyTable(gained: saved)
        let restarted = try Self.catalog(registered: devices, keys: second)
        restarted.adopt(stored)
        #expect(Self.series("b", in: restarted) == ["ph "])
        #expect(Self.resolve(restarted, "a", "ph") == ["ph a"])
        #expect(Self.resolve(restarted, "b", "ph") == ["ph "])
        saved = try Self.saved(second, saved)
        // b is taken away: its place is free for who comes, not for who has a series of its own.
        let third = SeriesKeyTable(gained: saved)
        let others = [devices[0], Self.device("c", "generic/json", 3)]
        let without = try Self.catalog(registered: others, keys: third)
        without.adopt(stored + [stored[0].with("sensor", "a")])
        #expect(Self.resolve(without, "a", "ph") == ["ph a"])
        #expect(Self.resolve(without, "c", "ph") == ["ph "])
        saved = try Self.saved(third, saved)
        #expect(saved.filter { $0.labels == stored[0] }.map(\.device) == ["c"])
    }

    /// What cannot be written is written with the next batch; what is, only once.
    @Test func whatWasNotSavedIsSavedWithTheNextBatch() throws {
        struct Full: Error {}
        let keys = SeriesKeyTable()
        let catalog = try Self.catalog(registered: [Self.device("a", "generic/json", 1)], keys: keys)
        #expect(Self.resolve(catalog, "a", "ph") == ["ph "])
        #expect(throws: Full.self) { try keys.save { _ in throw Full() } }
        #expect(try Self.saved(keys).map(\.device) == ["a"])
        #expect(try Self.saved(keys).isEmpty)
    }

    @Test func whatADeviceDeclaresIsNotGainedByAnother() throws {
        let catalog = try Self.catalog(
            registered: [Self.device("any", "generic/json", 1), Self.device("level", "acme/level", 2)]
        )
        #expect(Self.resolve(catalog, "any", "water_level_meters") == ["water_level_meters any"])
        #expect(Self.resolve(catalog, "level", "level") == ["water_level_meters "])
    }
}
