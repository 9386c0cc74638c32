// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Telemetry
import Testing

/// The zero of a gauge changes; every reading has the zero of its time.
struct SurveyTests {
    private static func files(_ surveys: String, model: String = "acme/radar") -> [String: String] {
        [
            "Devices/models/acme/radar.yaml": "channels: { water_level_meters: { key: level, zero: site } }\n",
            "Devices/models/acme/plain.yaml": "channels: { water_level_meters: { key: level } }\n",
            "Devices/sites/g/creek.yaml": """
            site: creek
            name: { zh: 溪, en: Creek }
            kind: river
            devices:
              - id: creek-1
                model: \(model)
                zero_elevation_m: 21.430
                surveys: \(surveys)
            """,
        ]
    }

    private static let swapped =
        "[{ valid_from: 2022-06-21, zero_elevation_m: 21.462, mount_height_m: 3.1, surveyor: 李工, source: 2022-17 }]"

    @Test func readingsHaveTheZeroOfTheirTime() throws {
        let catalog = try Fixture.catalog(Self.files(Self.swapped))
        let resolver = CatalogResolver(catalog: catalog)
        var resolved: [ResolvedReading] = []
        let midnight = try Fixture.time("2022-06-21T00:00")
        // The same water: the new radar hangs 32 mm higher and shows so much less.
        let readings = [(midnight - 1, 2.000), (midnight, 1.968)].map { Reading(key: "level", value: $1, time: $0) }
        let now = Fixture.now
        #expect(resolver.resolve(device: "creek-1", readings: readings, receivedAt: now, into: &resolved).isEmpty)
        #expect(resolved.map(\.sample.value) == [23.43, 23.43])
        let device = try #require(catalog.devices["creek-1"])
        #expect(device.zeroElevation(at: midnight - 1) == 21.43)
        #expect(device.surveys.first?.surveyor == "李工")
    }

    @Test(arguments: [
        ("[{ valid_from: 2022-06-21, zero_elevation_m: 21 }]", "'surveyor' is missing"),
        ("[{ valid_from: 2022-06-21, zero_elevation_m: 9001, surveyor: x }]", "zero_elevation_m is 9001"),
        (
            "[{ valid_from: 2022-06-21, zero_elevation_m: 1, surveyor: x }, "
                + "{ valid_from: 2022-06-21, zero_elevation_m: 2, surveyor: y }]",
            "two surveys are valid from 2022-06-21"
        ),
    ])
    func saysWhatIsWrongWithASurvey(surveys: String, message: String) {
        let problems = Fixture.problems(Self.files(surveys))
        #expect(problems.contains { $0.contains(message) && $0.contains("creek.yaml:") }, "\(problems)")
    }

    @Test func aModelThatAddsNoZeroTakesNoSurvey() {
        let problems = Fixture.problems(Self.files(Self.swapped, model: "acme/plain"))
        #expect(problems.contains { $0.contains("model 'acme/plain' adds none") }, "\(problems)")
    }
}
