// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry
import Testing

@testable import poyang

struct SimulationTests {
    private static let start = Timestamp(milliseconds: 1_655_740_800_000)

    private static func channel(
        _ metric: String,
        _ range: ClosedRange<Double>,
        unit: String = "",
        zero: Double = 0
    ) -> SimulatedDevice.Channel {
        SimulatedDevice.Channel(
            metric: metric,
            key: metric,
            unit: Unit(named: unit) ?? Unit(ofMetric: metric),
            range: range,
            zero: zero,
            depth: ""
        )
    }

    private static let gauge: [SimulatedDevice.Channel] = [
        channel("water_level_meters", 0...15, zero: 10), channel("rainfall_millimeters", 0...500),
        channel("rainfall_accumulated_millimeters", 0...9999), channel("battery_volts", 0...30),
    ]
    private static let probe: [SimulatedDevice.Channel] = [
        channel("soil_moisture_percent", 0...60), channel("air_temperature_celsius", -400...600, unit: "℉"),
        channel("dissolved_oxygen_milligrams_per_liter", 0...20), channel("relative_humidity_percent", 0...100),
        channel("chlorophyll_micrograms", 0...400),
    ]

    /// Twenty rivers and twenty fields for two days.
    private static func run(
        _ profile: SimulationProfile,
        seed: UInt64 = 7
    ) -> (devices: [SimulatedDevice], messages: [ReplayMessage]) {
        let devices = (0..<40)
            .map { number in
                let isRiver = number < 20
                var site = SimulatedSite(id: "site-\(number)", kind: isRiver ? .river : .field)
                site.floodLevels = isRiver ? [19, 20.5, 21.5] : []
                site.lowLevels = isRiver ? [14, 13] : []
                let id = "device-\(number)"
                return SimulatedDevice(
                    id: id,
                    site: site,
                    interval: 10 * .minute,
                    channels: isRiver ? Self.gauge : Self.probe,
                    fault: SimulatedFault(of: id, seed: seed, profile: profile),
                    seed: seed
                )
            }
        let weather = Weather(seed: seed, profile: profile, start: Self.start)
        var simulation = Simulation(devices, weather: weather)
        var messages: [ReplayMessage] = []
        while let time = simulation.nextTime, time <= Self.start + 2 * .day { messages += simulation.next() }
        return (devices, messages)
    }

    private static func series(_ messages: [ReplayMessage], _ key: String, _ device: String) -> [(
        time: Timestamp, value: Double
    )] {
        messages.filter { $0.device == device }
            .flatMap { message in message.values.filter { $0.key == key }.map { (message.time, $0.value) } }
    }

    @Test(arguments: SimulationProfile.allCases)
    func valuesStayInTheRangeOfTheirChannelsAndAreMarked(profile: SimulationProfile) {
        let (devices, messages) = Self.run(profile)
        #expect(messages.count > 8000)
        let ranges = Dictionary(
            uniqueKeysWithValues: devices.map { device in
                (device.id, Dictionary(uniqueKeysWithValues: device.channels.map { ($0.key, $0.range) }))
            }
        )
        for message in messages {
            for value in message.values {
                #expect(ranges[message.device]?[value.key]?.contains(value.value) == true, "\(message)")
            }
        }
        #expect(messages.allSatisfy { $0.payload.hasSuffix(#","simulated":true}"#) })
    }

    @Test func theSameSeedGivesTheSameAndAnotherAnother() {
        #expect(Self.run(.flood).messages == Self.run(.flood).messages)
        #expect(Self.run(.flood).messages != Self.run(.flood, seed: 8).messages)
    }

    @Test func inAFloodRainComesBeforeTheWaterRisesAndThresholdsAreCrossed() throws {
        let messages = Self.run(.flood).messages
        for number in 0..<20 {
            let levels = Self.series(messages, "water_level_meters", "device-\(number)")
            let rain = Self.series(messages, "rainfall_accumulated_millimeters", "device-\(number)")
            let first = try #require(rain.first?.value)
            let wet = try #require(rain.first { $0.value > first + 5 }?.time)
            let base = try #require(levels.first?.value)
            let rising = try #require(levels.first { $0.value > base + 0.5 }?.time, "device-\(number)")
            #expect(wet < rising, "device-\(number)")
            // The zero of 10 m is added by the service.
            let peak = try #require(levels.map(\.value).max())
            #expect(peak + 10 > 21.5 && base + 10 < 19, "device-\(number): \(base) \(peak)")
        }
    }

    @Test func theDepthsOfRainAddUpToTheCounter() {
        let messages = Self.run(.flood).messages
        let depths = Self.series(messages, "rainfall_millimeters", "device-3").map(\.value)
        let totals = Self.series(messages, "rainfall_accumulated_millimeters", "device-3").map(\.value)
        #expect(abs(depths.reduce(0, +) - ((totals.last ?? 0) - (totals.first ?? 0))) < 0.15)
        #expect(depths.reduce(0, +) > 50)
    }

    @Test func soilFollowsRainAndDriesInADrought() throws {
        let wet = Self.series(Self.run(.flood).messages, "soil_moisture_percent", "device-25").map(\.value)
        let dry = Self.series(Self.run(.drought).messages, "soil_moisture_percent", "device-25").map(\.value)
        #expect(try #require(wet.max()) > wet[0] + 5)
        #expect(try #require(dry.last) < dry[0])
        let levels = Self.series(Self.run(.drought).messages, "water_level_meters", "device-1").map(\.value)
        #expect(try #require(levels.last) < levels[0])
    }

    @Test func calmWaterStaysBelowItsThresholds() {
        let messages = Self.run(.calm).messages
        let levels = messages.flatMap(\.values).filter { $0.key == "water_level_meters" }.map(\.value)
        #expect(levels.allSatisfy { $0 + 10 < 19 })
    }

    @Test func faultsAreOfEveryKindAndOfFewDevicesInTen() throws {
        let (devices, messages) = Self.run(.faults)
        let faulty = devices.filter { $0.fault != nil }
        #expect((8...24).contains(faulty.count))
        #expect(Set(faulty.compactMap(\.fault?.kind)).count >= 4)
        for device in faulty {
            let own = messages.filter { $0.device == device.id }
            switch try #require(device.fault).kind {
            case .silence: #expect(own.count < 270)
            case .duplicates: #expect(own.count == 2 * Set(own).count)
            case .clockDrift:
                let span = try #require(own.last).time - own[0].time
                #expect(span < Milliseconds(own.count - 1) * 10 * .minute, "it loses time")
            case .stuck:
                let values = own.map(\.values)
                let isRepeated = zip(values, values.dropFirst()).filter { $0 == $1 }
                #expect(isRepeated.count > 10)
            case .spikes: break
            }
        }
    }

    @Test(arguments: [
        ("200/s", 200.0), ("200", 200), ("30/m", 0.5), ("1.5/s", 1.5), ("0", nil), ("-1/s", nil), ("5/x", nil),
    ])
    func ratesAreReadOrRefused(text: String, perSecond: Double?) {
        #expect(RateArgument(argument: text)?.perSecond == perSecond)
    }
}
