// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Telemetry
import Testing

struct ManualEntryTests {
    private static let files = [
        "Devices/models/acme/radar.yaml": "channels: { water_level_meters: { min: -5, max: 20, zero: site } }\n",
        "Devices/models/acme/soil.yaml": """
        channels:
          soil_moisture_percent: [{ key: a, depth: 10cm }, { key: b, depth: 20cm }]
        """,
        "Devices/sites/g/creek.yaml": """
        site: creek
        name: { zh: 溪, en: Creek }
        kind: river
        devices: [{ id: creek-1, model: acme/radar, zero_elevation_m: 10 }, { id: creek-2, model: acme/soil }]
        """,
    ]

    private func entry(
        _ metric: String = "water_level_meters",
        _ value: Double = 21,
        site: String = "creek",
        at time: Timestamp = Fixture.now,
        labels: [String: String] = [:],
        beyond: Bool = false
    ) -> ManualEntry {
        ManualEntry(site: site, metric: metric, value: value, time: time, labels: labels, isBeyondRange: beyond)
    }

    private func resolve(_ entry: ManualEntry) throws -> ResolvedReading {
        try entry.resolved(in: try Fixture.catalog(Self.files), policy: IngestPolicy(), receivedAt: Fixture.now)
    }

    /// The fields at fault and what is said of them in English.
    private func problems(_ entry: ManualEntry) throws -> [String] {
        do {
            _ = try self.resolve(entry)
            return []
        } catch let error as ManualEntryError {
            #expect(error.problems.allSatisfy { $0.message.zh.unicodeScalars.contains { $0.value > 0x4E00 } })
            return error.problems.map { "\($0.field): \($0.message.en)" }
        }
    }

    @Test func goesToTheSeriesOfTheDeviceAsManual() throws {
        let reading = try self.resolve(self.entry())
        #expect(reading.series.labels == Labels(metric: "water_level_meters", ["site": "creek"]))
        #expect(reading.sample.mark == SampleMark(quality: .notEvaluated, method: .manual))
        #expect(reading.sample.value == 21 && reading.sample.time == Fixture.now && reading.hasOwnTime)
        let soil = try self.resolve(self.entry("soil_moisture_percent", 30, labels: ["depth": "20cm"]))
        #expect(soil.series.labels["depth"] == "20cm")
        #expect(try self.problems(self.entry("ph", 7)).isEmpty, "what no device measures may be entered")
    }

    @Test func aSiteWithSeveralSeriesIsAskedWhichIsMeant() throws {
        let problems = try self.problems(self.entry("soil_moisture_percent", 30))
        #expect(problems.count == 1 && problems[0].contains("depth=10cm; depth=20cm"), "\(problems)")
        #expect(
            try self.problems(self.entry(labels: ["depht": "1"])).first?.hasPrefix("labels: 'depht' is no") ?? false
        )
    }

    /// The radar reports −5 to 20 m above its zero at 10 m.
    @Test(arguments: [
        (4.9, false, false), (5, false, true), (30, false, true), (30.1, false, false), (30.1, true, true),
    ])
    func aValueBeyondTheDeviceIsTakenWhereSomebodySaysSo(value: Double, force: Bool, isTaken: Bool) throws {
        #expect(try self.problems(self.entry("water_level_meters", value, beyond: force)).isEmpty == isTaken)
    }

    @Test func whatIsImpossibleIsRefusedWhateverIsSaid() throws {
        #expect(try self.problems(self.entry("ph", 15, beyond: true)).first?.contains("within 0.0 … 14.0") ?? false)
        #expect(try self.problems(self.entry("ph", .nan)).count == 1)
    }

    @Test func saysEverythingThatIsWrongAtOnce() throws {
        let problems = try self.problems(
            self.entry("water_level", 21, site: "crek", at: Fixture.now + 11 * .minute)
        )
        #expect(problems.map { String($0.prefix { $0 != ":" }) } == ["site", "metric", "at"])
        #expect(problems[1].contains("did you mean 'water_level_meters'?"))
        #expect(try self.problems(self.entry(at: Fixture.now + 9 * .minute)).isEmpty, "clocks differ a little")
        #expect(try self.problems(self.entry(at: Timestamp(milliseconds: 1000))).count == 1)
        #expect(
            try self.problems(self.entry("rainfall_accumulated_millimeters", 3))[0].contains("rainfall_millimeters")
        )
    }
}
