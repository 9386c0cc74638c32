// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Telemetry
import TestSupport
import Testing

/// Depths of rain keep the doubt of their counter's readings when what is stored is tested again.
struct StandingDoubtTests {
    private static let counter = Labels(metric: "rainfall_accumulated_millimeters", ["site": "hill"])
    private static let depths = Labels(metric: "rainfall_millimeters", ["site": "hill"])
    /// The first cannot give the counter's flag, the second can and does not.
    private static let tests = ["{ gross_range: { max: 50 } }", "{ rate_of_change: { limit: 100, per: 5m } }"]

    private static func catalog(_ tests: String) throws -> Catalog {
        try Fixture.catalog([
            "Devices/models/acme/gauge.yaml": """
            channels:
              rainfall_accumulated_millimeters:
                key: total
                qc: { rate_of_change: { limit: 5, per: 5m, confirm: 20m } }
            report: { every: 5m }
            """,
            "Devices/sites/g/hill.yaml": """
            site: hill
            name: 山
            kind: rain
            qc: { rainfall_millimeters: \(tests) }
            devices: [{ id: hill-1, model: acme/gauge }]
            """,
        ])
    }

    private static func time(_ place: Int) -> Timestamp { Fixture.now + Milliseconds(place * 5) * .minute }

    /// What readings of the counter become, each in a batch of its own.
    private static func resolve(
        _ totals: [(place: Int, value: Double)],
        _ catalog: Catalog,
        history: MemorySeriesReader
    ) -> [ResolvedReading] {
        var resolved: [ResolvedReading] = []
        let resolver = CatalogResolver(catalog: catalog, history: history)
        for total in totals {
            let reading = Reading(key: "total", value: total.value, time: self.time(total.place))
            let received = Fixture.now + .day + Milliseconds(total.place) * .second
            let refused = resolver.resolve(
                device: "hill-1",
                readings: [reading],
                receivedAt: received,
                into: &resolved
            )
            #expect(refused.isEmpty)
        }
        return resolved
    }

    /// What is stored of a counter that jumps by 30 mm and stays there.
    private static func store(
        _ catalog: Catalog,
        _ totals: [Double] = [100, 100.2, 130, 130.2, 130.2, 130.4, 130.4, 130.6, 130.6]
    ) -> MemorySeriesReader {
        var store = MemorySeriesReader()
        for reading in self.resolve(totals.enumerated().map { ($0, $1) }, catalog, history: store) {
            store.append(
                reading.series.labels,
                at: reading.sample.time,
                reading.sample.value,
                mark: reading.sample.mark
            )
        }
        return store
    }

    private static func reviewed(_ catalog: Catalog, _ store: MemorySeriesReader) throws -> String {
        let review = QualityReview(catalog: catalog, reader: store)
        let findings = try review.findings(of: self.depths, from: .distantPast, through: .distantFuture)
        return QualityStateTests.text(findings.map(\.mark))
    }

    @Test(arguments: tests)
    func aReviewLeavesTheDoubtOfTheCounter(tests: String) throws {
        let catalog = try Self.catalog(tests)
        let store = Self.store(catalog)
        let stored = try #require(store.series.first { $0.labels == Self.depths })
        #expect(QualityStateTests.text(stored.marks) == "..jjjjj..")
        #expect(try Self.reviewed(catalog, store) == "..jjjjj..")
    }

    @Test(arguments: tests)
    func aDepthIsBelievedOnceItsCounterIs(tests: String) throws {
        let catalog = try Self.catalog(tests)
        var store = Self.store(catalog)
        store.append(Self.counter, at: Self.time(2), 130, mark: SampleMark(quality: .pass))
        #expect(try Self.reviewed(catalog, store) == "...jjjj..")
    }

    /// The counter's readings are stored elsewhere, or not any more.
    @Test func withoutACounterOnlyWhatItsOwnTestsGiveIsTakenBack() throws {
        for (tests, expected) in zip(Self.tests, ["..jjjjj..", "........."]) {
            let catalog = try Self.catalog(tests)
            let depths = try #require(Self.store(catalog).series.first { $0.labels == Self.depths })
            #expect(try Self.reviewed(catalog, MemorySeriesReader([depths])) == expected)
        }
    }

    /// The doubt of the reading before makes one of 4 mm, which then is no spike.
    @Test func aStartKeepsTheDoubtOfADepth() throws {
        let catalog = try Self.catalog("{ spike: 2 }")
        let totals = [100, 100.2, 130, 130.2, 130.2, 130.4, 134.4]
        let resolved = Self.resolve([(7, 134.6)], catalog, history: Self.store(catalog, totals))
        let marks = resolved.filter { $0.series.labels == Self.depths }.map(\.sample.mark)
        #expect(QualityStateTests.text(marks) == ".")
    }
}
