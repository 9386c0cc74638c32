// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Synchronization
import Telemetry
import TestSupport
import Testing

/// What is read of the store for values that come late.
struct LateBacklogTests {
    private static let labels = Labels(metric: "dissolved_oxygen_milligrams_per_liter", ["site": "pond"])
    private static let qc =
        "{ rate_of_change: { limit: 1, per: 5m, confirm: 30m }, spike: 0.5, flat_line: { for: 1h } }"

    /// A store that counts what is read of it.
    private final class CountedStore: SeriesReader {
        private let state: Mutex<(shown: MemorySeriesReader, reads: Int, samples: Int)>

        init(_ shown: MemorySeriesReader) { self.state = Mutex((shown, 0, 0)) }

        func select(_ request: SelectRequest) throws -> [SeriesColumns] {
            try self.state.withLock { state in
                let found = try state.shown.select(request)
                state.reads += 1
                state.samples += found.reduce(0) { $0 + $1.times.count }
                return found
            }
        }

        func series(matching matchers: [LabelMatcher], after: Timestamp, through: Timestamp) throws -> [Labels] {
            try self.state.withLock { try $0.shown.series(matching: matchers, after: after, through: through) }
        }

        /// Since it was asked last.
        func count() -> (reads: Int, samples: Int) {
            self.state.withLock { state in
                defer { (state.reads, state.samples) = (0, 0) }
                return (state.reads, state.samples)
            }
        }
    }

    private static func catalog() throws -> Catalog {
        try Fixture.catalog([
            "Devices/models/acme/oxygen.yaml": """
            channels:
              dissolved_oxygen_milligrams_per_liter: { key: oxygen, qc: \(Self.qc) }
            report: { every: 5m }
            """,
            "Devices/sites/g/pond.yaml": """
            site: pond
            name: 塘
            kind: pond
            devices: [{ id: pond-1, model: acme/oxygen }]
            """,
        ])
    }

    private static func resolve(_ readings: [Reading], _ resolver: CatalogResolver, message: Int) -> [ResolvedReading] {
        var resolved: [ResolvedReading] = []
        let received = Fixture.now + 400 * .day + Milliseconds(message) * .second
        #expect(resolver.resolve(device: "pond-1", readings: readings, receivedAt: received, into: &resolved).isEmpty)
        return resolved
    }

    private static func time(_ place: Int) -> Timestamp { Fixture.now + Milliseconds(place * 5) * .minute }

    /// 200 days of a value every ten minutes are stored; those of ten days in between come in one message.
    @Test(arguments: ["rising", "falling"])
    func aBacklogReadsWhatIsAroundItOnce(order: String) throws {
        var generator = SeededGenerator(seed: 11)
        let catalog = try Self.catalog()
        var value = 8.0
        let values = (0..<57_600)
            .map { _ in
                value = min(max(value + Double(Int.random(in: -3...3, using: &generator)) / 10, 4), 12)
                return Int.random(in: 0..<50, using: &generator) == 0 ? 0 : value
            }
        var stored = MemorySeriesReader()
        let early = stride(from: 0, to: values.count, by: 2).map { $0 }
        let plan = try #require(catalog.qualityPlan(of: Self.labels))
        let marks = QualityFlags.marks(
            times: early.map(Self.time),
            values: early.map { values[$0] },
            marks: early.map { _ in .measured },
            plan: plan
        )
        for (place, mark) in zip(early, marks) {
            stored.append(Self.labels, at: Self.time(place), values[place], mark: mark)
        }
        let store = CountedStore(stored)
        let resolver = CatalogResolver(catalog: catalog, history: store)
        _ = Self.resolve([Reading(key: "oxygen", value: value, time: Self.time(values.count))], resolver, message: 0)
        _ = store.count()

        let late = stride(from: 4001, to: 8001, by: 2).map { $0 }
        let backlog = late.map { Reading(key: "oxygen", value: values[$0], time: Self.time($0)) }
        let given = order == "rising" ? backlog : backlog.reversed()
        let resolved = Self.resolve(given, resolver, message: 1)
        let count = store.count()
        print("\(late.count) late values, \(order): \(count.reads) reads of \(count.samples) samples")
        if order == "rising" {
            #expect(count.reads < 30 && count.samples < 2 * late.count)
        } else {
            #expect(count.reads < late.count / 4 && count.samples < 20 * late.count)
        }

        // With the flags of all values in their order.
        var shown = stored
        for reading in resolved {
            shown.append(Self.labels, at: reading.sample.time, reading.sample.value, mark: reading.sample.mark)
        }
        let all = try #require(shown.series.first)
        let expected = QualityFlags.marks(
            times: all.times,
            values: all.values,
            marks: all.marks.map { _ in .measured },
            plan: plan
        )
        #expect(QualityStateTests.text(all.marks) == QualityStateTests.text(expected))

        // Again, and what is stored: nothing, and the store once more.
        _ = Self.resolve(given, resolver, message: 2)
        #expect(store.count().reads == 0)
        let old = stride(from: 20_000, to: 24_000, by: 2)
            .map { Reading(key: "oxygen", value: values[$0], time: Self.time($0)) }
        #expect(Self.resolve(old, resolver, message: 3).count == old.count)
        let repeated = store.count()
        #expect(repeated.reads < 30 && repeated.samples < 2 * old.count)
        #expect(Self.resolve(Array(old.prefix(1)), resolver, message: 4).count == 1)
        #expect(store.count() == (1, 1))
    }
}
