// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Telemetry
import Testing

struct MaintenanceWindowsTests {
    private static let files = [
        "Devices/models/acme/gauge.yaml": """
        channels: { rainfall_millimeters: { key: rain }, water_level_meters: { key: level } }
        report: { every: 10m }
        """,
        "Devices/sites/g/hill.yaml": """
        site: hill
        name: { zh: 山, en: Hill }
        kind: rain
        devices: [{ id: hill-1, model: acme/gauge }, { id: hill-2, model: generic/json }]
        """,
    ]

    /// Minutes from the beginning of a window of one hour; a depth of rain stands for the ten minutes before it.
    @Test(arguments: [
        (-1, Quality.notEvaluated, Quality.notEvaluated), (0, .missing, .missing), (59, .missing, .missing),
        (60, .notEvaluated, .missing), (69, .notEvaluated, .missing), (70, .notEvaluated, .notEvaluated),
    ])
    func readingsOfTheWindowAreFlagged(minute: Int, level: Quality, rain: Quality) throws {
        let resolver = CatalogResolver(catalog: try Fixture.catalog(Self.files))
        var windows = MaintenanceWindows()
        windows.add("hill-1", from: Fixture.now, until: Fixture.now + .hour)
        resolver.replace(maintenance: windows)
        var resolved: [ResolvedReading] = []
        let time = Fixture.now + Milliseconds(minute) * .minute
        for (device, keys) in [("hill-1", ["level", "rain"]), ("hill-2", ["ph"])] {
            let readings = keys.map { Reading(key: $0, value: 1, time: time, quality: nil) }
            #expect(
                resolver.resolve(device: device, readings: readings, receivedAt: time + .day, into: &resolved).isEmpty
            )
        }
        #expect(resolved.map(\.sample.mark.quality) == [level, rain, .notEvaluated])
        #expect(windows.end(of: "hill-1", at: time) == (level == .missing ? Fixture.now + .hour : nil))
    }
}
