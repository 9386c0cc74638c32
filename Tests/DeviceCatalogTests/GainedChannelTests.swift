// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Telemetry
import Testing

/// Channels that a device has from their first reading on, and devices that are found by the identity that others gave.
struct GainedChannelTests {
    private static func catalog(
        _ devices: [Device],
        models: [String: String] = [:],
        keys: SeriesKeyTable = SeriesKeyTable()
    ) throws -> Catalog {
        let site = Site(id: "xz", name: LocalizedName(zh: "星子", en: "Xingzi"), kind: .lake)
        return try Fixture.catalog(
            models,
            registered: CatalogRegistrations(sites: [site], devices: devices),
            keys: keys
        )
    }

    private static func resolve(_ resolver: CatalogResolver, _ readings: [Reading]) -> [ResolvedReading] {
        var resolved: [ResolvedReading] = []
        let refusals = resolver.resolve(
            device: "rtu",
            readings: readings,
            receivedAt: Fixture.now,
            into: &resolved
        )
        #expect(refusals.isEmpty)
        return resolved
    }

    private static let rtu = Device(id: "rtu", model: "generic/sl651", site: "xz", address: "62302250")

    @Test func anElementOfSL651IsAChannelFromItsFirstReadingOn() throws {
        let catalog = try Self.catalog([Self.rtu])
        #expect(catalog.registeredChannels(at: "xz").isEmpty)
        let readings = Self.resolve(
            CatalogResolver(catalog: catalog),
            [
                Reading(key: "Z", value: 19.07), Reading(key: "WP2", value: 101.3), Reading(key: "UC", value: 5),
            ]
        )
        #expect(
            readings.map(\.series.labels.metric) == [
                "water_level_meters", "water_pressure_hectopascals", "wind_direction_degrees",
            ]
        )
        #expect(readings.map(\.sample.value) == [19.07, 1013, 90])
        let channels = catalog.registeredChannels(at: "xz")
        #expect(
            channels.map(\.metric) == ["water_level_meters", "water_pressure_hectopascals", "wind_direction_degrees"]
        )
        #expect(channels.map(\.device) == ["rtu", "rtu", "rtu"])
    }

    /// With labels of its own a series of the store is no less the device's.
    @Test func gainedChannelsAreThereAfterARestart() throws {
        var device = Self.rtu
        device.schedule = .periodic(5 * .minute)
        let catalog = try Self.catalog([device])
        let stored = Labels(metric: "water_pressure_hectopascals", ["site": "xz", "position": "2"])
        catalog.adopt([stored, Labels(metric: "some_millimeters", ["site": "xz"])])
        let channels = catalog.registeredChannels(at: "xz")
        #expect(channels.map(\.series.labels) == [stored])
        #expect(channels.map(\.schedule) == [.periodic(5 * .minute)])
        #expect(catalog.sitesOfAnyMetric == ["xz"])
    }

    /// PT counts; the other figures of the same rain are kept apart.
    @Test func rainOfAStationIsCountedOnce() throws {
        let resolver = CatalogResolver(catalog: try Self.catalog([Self.rtu]))
        let hour = Fixture.now - .hour
        var sums = 0.0
        for (time, total) in [(hour, 100.0), (Fixture.now, 102.5)] {
            let readings = Self.resolve(
                resolver,
                [
                    Reading(key: "PT", value: total, time: time), Reading(key: "DRP", value: 2.5, time: time),
                    Reading(key: "P1", value: 2.5, time: time), Reading(key: "PJ", value: 2.5, time: time),
                ]
            )
            sums += readings.filter { $0.series.labels.metric == "rainfall_millimeters" }.map(\.sample.value)
                .reduce(0, +)
        }
        #expect(sums == 2.5)
    }

    /// A model may choose the five-minute depths instead; the counter is stored then and yields none.
    @Test func aModelChoosesItsSourceOfRain() throws {
        let model = """
            channels:
              rainfall_millimeters: { key: DRP }
              rainfall_accumulated_millimeters: { key: PT, optional: true }
            """
        var device = Self.rtu
        device.model = "acme/rain"
        let resolver = CatalogResolver(
            catalog: try Self.catalog([device], models: ["models/acme/rain.yaml": model])
        )
        let readings = Self.resolve(
            resolver,
            [
                Reading(key: "PT", value: 100, time: Fixture.now), Reading(key: "DRP", value: 0.5, time: Fixture.now),
            ]
        )
        #expect(readings.map(\.series.labels.metric) == ["rainfall_accumulated_millimeters", "rainfall_millimeters"])
    }

    @Test func anOptionalChannelIsNotMissedBeforeItWasHeard() throws {
        let model = """
            report: { every: 5m }
            channels:
              water_level_meters: { key: Z }
              battery_volts: { key: VT, optional: true, min: 0, max: 30 }
            """
        var device = Self.rtu
        device.model = "acme/level"
        let catalog = try Self.catalog([device], models: ["models/acme/level.yaml": model])
        #expect(catalog.registeredChannels(at: "xz").map(\.metric) == ["water_level_meters"])
        _ = Self.resolve(CatalogResolver(catalog: catalog), [Reading(key: "VT", value: 12.6)])
        let channels = catalog.registeredChannels(at: "xz")
        #expect(channels.map(\.metric) == ["water_level_meters", "battery_volts"])
        #expect(channels.last?.schedule == .periodic(5 * .minute))
    }

    /// Upper and lower case, separators, the eight digits of SL 502, the decimal number of other stations (6.2.3.2).
    @Test(arguments: [
        ("62302250", "0062302250"), ("0062302250", "0062302250"), ("360426000500", "36042601F4"),
        ("24-e1-24-12-ab-cd-00-11", "24E12412ABCD0011"), ("81733553213013", "81733553213013"),
        ("lxhb0cs0306310", "LXHB0CS0306310"),
    ])
    func aDeviceIsFoundInWhateverFormItsAddressIsWritten(registered: String, sent: String) throws {
        var device = Self.rtu
        device.address = registered
        let resolver = CatalogResolver(catalog: try Self.catalog([device]))
        #expect(resolver.catalog.device(address: sent)?.id == "rtu")
        #expect(resolver.mismatch(of: sent, with: "rtu") == nil)
        #expect(resolver.mismatch(of: sent.lowercased(), with: "rtu") == nil)
    }

    @Test func aFrameOfAnotherAddressIsRefusedWithTheRightTopic() throws {
        let other = Device(id: "other", model: "generic/sl651", site: "xz", address: "0062402400")
        let bare = Device(id: "bare", model: "generic/sl651", site: "xz")
        let resolver = CatalogResolver(catalog: try Self.catalog([Self.rtu, other, bare]))
        let wrong = resolver.mismatch(of: "0062402400", with: "rtu")
        #expect(wrong?.reason == .wrongAddress)
        #expect(wrong?.detail.contains("that is 'other'; publish to its topic") == true)
        let unknown = resolver.mismatch(of: "0011112222", with: "rtu")
        #expect(unknown?.detail.contains("it is registered with '62302250'") == true)
        // Without an address of its own a device may have any that is nobody's.
        #expect(resolver.mismatch(of: "0011112222", with: "bare") == nil)
        #expect(resolver.mismatch(of: "0062402400", with: "bare")?.reason == .wrongAddress)
        #expect(resolver.mismatch(of: "0062402400", with: "ghost") == nil)
    }

    @Test func readsTheDialectOfHJ212() throws {
        let model = """
            hj212: { check: modbus, minute_interval: 5m }
            channels:
              ph: { key: w01001-Rtd }
            """
        var device = Self.rtu
        device.model = "acme/ph"
        let resolver = CatalogResolver(catalog: try Self.catalog([device], models: ["models/acme/ph.yaml": model]))
        #expect(resolver.hj212Dialect(of: "rtu") == HJ212Dialect(takesModbusCheck: true, minuteInterval: 5 * .minute))
        #expect(resolver.hj212Dialect(of: "ghost") == HJ212Dialect())
        let wrong = model.replacing("modbus", with: "modbas")
        #expect(
            Fixture.problems(["models/acme/ph.yaml": wrong]) == [
                "models/acme/ph.yaml:1:17: 'check' is 'standard', or 'modbus' where firmware sends CRC-16/MODBUS; found 'modbas'"
            ]
        )
    }

    @Test(arguments: [DeviceModel.genericSL651, .genericHJ212])
    func builtInChannelsAreDistinctAndInTheUnitOfTheirMetric(model: DeviceModel) {
        let keys = model.optionalChannels.map(\.key)
        #expect(Set(keys).count == keys.count)
        let series = model.optionalChannels.map { $0.labels.with("__name__", $0.metric) }
        #expect(Set(series).count == series.count)
        for channel in model.optionalChannels {
            #expect(channel.unit.canonical == Unit(ofMetric: channel.metric).suffix, "\(channel.key)")
            let isNamed = MetricName.isAcceptable(channel.metric) || channel.metric.hasPrefix("ph_")
            #expect(isNamed, "\(channel.metric)")
        }
    }
}
