// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Telemetry
import Testing

/// Readings that come with their series, as pushed samples do, are tested like those of the device.
struct KnownSeriesTests {
    private static let level = Labels(metric: "water_level_meters", ["site": "creek"])
    private let resolver: CatalogResolver

    init() throws {
        self.resolver = CatalogResolver(
            catalog: try Fixture.catalog([
                "Devices/models/acme/level.yaml": """
                channels: { water_level_meters: { key: level, qc: { spike: 0.3, gross_range: { min: 0, max: 20 } } } }
                report: { every: 5m }
                """,
                "Devices/sites/g/creek.yaml": """
                site: creek
                name: 溪
                kind: river
                devices: [{ id: creek-1, model: acme/level }]
                """,
            ])
        )
    }

    private func test(_ values: [Double], _ labels: Labels = Self.level) -> [ResolvedReading] {
        let key = SeriesKey(labels: labels)
        var readings = values.enumerated()
            .map { index, value in
                let sample = Sample(time: Fixture.now + Int64(index) * 5 * .minute, value: value)
                return ResolvedReading(series: key, sample: sample, hasOwnTime: true)
            }
        self.resolver.test(&readings, receivedAt: Fixture.now)
        return readings
    }

    @Test func theyHaveTheFlagsOfTheirTestsAndRevisionsFollow() {
        let readings = self.test([1, 1, 2, 1, 25, .nan])
        #expect(readings.prefix(6).map(\.sample.mark.quality) == [.pass, .pass, .pass, .pass, .suspect, .notEvaluated])
        #expect(readings.dropFirst(6).map(\.isRevision) == [true])
        #expect(readings.last?.sample.value == 2 && readings.last?.sample.mark.failedTest == .spike)
    }

    /// A batch that could not be committed comes again; what was judged with it is not stored.
    @Test func whatCouldNotBeCommittedIsTestedAgain() {
        _ = self.test([1])
        let first = self.test([1, 1, 2, 1, 25])
        #expect(first.contains { $0.isRevision })
        self.resolver.forget(Array(first.dropFirst()))
        let second = self.test([1, 1, 2, 1, 25])
        #expect(second.map(\.sample) == first.map(\.sample) && second.map(\.isRevision) == first.map(\.isRevision))
    }

    @Test func aSeriesWithoutTestsIsLeftAsItIs() {
        let other = Labels(metric: "water_level_meters", ["site": "elsewhere"])
        #expect(self.test([1, 1, 2, 1, 1e9], other).map(\.sample.mark.quality).allSatisfy { $0 == .notEvaluated })
    }

    @Test func theyAndTheReadingsOfTheDeviceAreOneSeries() {
        _ = self.test([1, 1, 2])
        var resolved: [ResolvedReading] = []
        let next = Reading(key: "level", value: 1, time: Fixture.now + 15 * .minute)
        _ = self.resolver.resolve(
            device: "creek-1",
            readings: [next],
            receivedAt: Fixture.now + 15 * .minute,
            into: &resolved
        )
        #expect(resolved.map(\.isRevision) == [false, true])
        #expect(resolved.last?.sample.value == 2 && resolved.last?.sample.mark.failedTest == .spike)
    }
}
