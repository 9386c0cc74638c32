// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Telemetry
import TestSupport
import Testing

/// Which series are compared with others, and when.
struct QualityRoundsTests {
    private static func files() -> [String: String] {
        func site(_ id: String, _ qc: String) -> String {
            """
            site: \(id)
            name: \(id)
            kind: river
            \(qc)
            devices: [{ id: \(id)-1, model: generic/json, interval: 5m }]
            """
        }
        let neighbour = "qc: { water_level_meters: { neighbour: { sites: [creek], tolerance: 1, age: 10m } } }"
        let identical = "qc: { water_level_meters: { identical: { sites: [brook], changes: 10 } } }"
        return [
            "sites/g/creek.yaml": site("creek", ""), "sites/g/brook.yaml": site("brook", neighbour),
            "sites/g/river.yaml": site("river", identical), "sites/g/lake.yaml": site("lake", identical),
        ]
    }

    private static func labels(_ site: String) -> Labels { Labels(metric: "water_level_meters", ["site": site]) }

    @Test func aSeriesIsDueWhenItOrWhatItIsComparedWithHasNewerSamples() throws {
        let catalog = try Fixture.catalog(Self.files())
        var store = MemorySeriesReader()
        var rounds = QualityRounds()
        let tested = ["brook", "river", "lake"].map(Self.labels)
        func due(full: Bool = false) throws -> [String] {
            let review = QualityReview(catalog: catalog, reader: store)
            return try rounds.due(tested, review, in: store, full: full)
                .map { "\($0.series.site) \(($0.from + QualityRounds.reach - Fixture.now) / .minute)" }
        }
        func add(_ site: String, minute: Int) {
            store.append(Self.labels(site), at: Fixture.now + Milliseconds(minute) * .minute, 1)
        }
        for site in ["creek", "brook", "river", "lake"] { add(site, minute: 0) }
        #expect(try due() == ["brook 0", "river 0", "lake 0"])
        #expect(try due().isEmpty)
        // A neighbour's value of the same moment comes behind its own.
        add("brook", minute: 5)
        #expect(try due() == ["brook 0", "river 0", "lake 0"])
        add("creek", minute: 5)
        #expect(try due() == ["brook 5"])
        add("lake", minute: 5)
        #expect(try due() == ["lake 0"])
        // What came late makes none the newest.
        add("creek", minute: 3)
        #expect(try due().isEmpty)
        #expect(try due(full: true) == ["brook 5", "river 0", "lake 5"])
    }
}
