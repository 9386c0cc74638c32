// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Synchronization
import Telemetry
import TestSupport
import Testing

/// A stream has the flags of a batch, in whatever order its readings come, and across starts.
struct QualityOrderTests {
    private static let labels = Labels(metric: "dissolved_oxygen_milligrams_per_liter", ["site": "pond"])
    private static let site = """
        site: pond
        name: 塘
        kind: pond
        devices: [{ id: pond-1, model: acme/oxygen }]
        """
    private static let models: [String] = [
        "rate_of_change: { limit: 1, per: 5m, confirm: 20m }",
        "spike: 0.5",
        "flat_line: { for: 20m, tolerance: 0.1 }",
        "{ rate_of_change: { limit: 1, per: 5m, confirm: 30m }, spike: 0.5, flat_line: { for: 15m }, gap: 21m, "
            + "gross_range: { min: 2, max: 12 } }",
    ]

    private static func catalog(_ tests: String, keys: SeriesKeyTable) throws -> Catalog {
        let qc = tests.hasPrefix("{") ? tests : "{ \(tests) }"
        let model = """
            channels:
              dissolved_oxygen_milligrams_per_liter: { key: oxygen, qc: \(qc) }
            report: { every: 5m }
            """
        return try Fixture.catalog(
            ["Devices/models/acme/oxygen.yaml": model, "Devices/sites/g/pond.yaml": Self.site],
            keys: keys
        )
    }

    /// A store that shows what was given to it some batches ago, as the real one does.
    private final class LaggingStore: SeriesReader {
        private let state = Mutex((shown: MemorySeriesReader(), waiting: [[ResolvedReading]]()))

        func commit(_ batch: [ResolvedReading], lag: Int) {
            self.state.withLock { state in
                state.waiting.append(batch)
                while state.waiting.count > lag { Self.apply(state.waiting.removeFirst(), to: &state.shown) }
            }
        }

        private static func apply(_ batch: [ResolvedReading], to shown: inout MemorySeriesReader) {
            for reading in batch {
                let sample = reading.sample
                let stored = shown.sample(QualityOrderTests.labels, at: sample.time)
                if let stored, reading.isRevision {
                    guard stored.value == sample.value else { continue }
                    let mark = stored.mark.withQuality(of: sample.mark)
                    shown.append(QualityOrderTests.labels, at: sample.time, sample.value, mark: mark)
                } else if !reading.isRevision, stored?.value != sample.value {
                    shown.append(QualityOrderTests.labels, at: sample.time, sample.value, mark: sample.mark)
                }
            }
        }

        func select(_ request: SelectRequest) throws -> [SeriesColumns] {
            try self.state.withLock { try $0.shown.select(request) }
        }

        func series(matching matchers: [LabelMatcher], after: Timestamp, through: Timestamp) throws -> [Labels] {
            try self.state.withLock { try $0.shown.series(matching: matchers, after: after, through: through) }
        }

        var columns: SeriesColumns? { self.state.withLock { $0.shown.series.first } }
    }

    /// Values of a day with jumps, spikes, still stretches and gaps.
    private static func readings(_ generator: inout SeededGenerator) -> [Reading] {
        var value = 8.0
        var time = Fixture.now
        var readings: [Reading] = []
        for _ in 0..<Int.random(in: 5...120, using: &generator) {
            time = time + Milliseconds(Int.random(in: 0..<10, using: &generator) == 0 ? 40 : 5) * .minute
            var shown = value
            switch Int.random(in: 0..<14, using: &generator) {
            case 0: shown = 0
            case 1: shown = value + 3
            case 2: value = Double(Int.random(in: 0...13, using: &generator))
            case 3...7: break
            default: value = max(0, value + Double(Int.random(in: -4...4, using: &generator)) / 10)
            }
            if shown == value { shown = value }
            let doubt: Quality? = Int.random(in: 0..<25, using: &generator) == 0 ? .suspect : nil
            readings.append(Reading(key: "oxygen", value: shown, time: time, quality: doubt))
        }
        return readings
    }

    /// Feeds readings in batches; `lag` batches are not shown by the store yet.
    ///
    /// Starts anew where `restarts`.
    private static func feed(
        _ readings: [Reading],
        tests: String,
        lag: Int,
        restarts: Bool,
        _ generator: inout SeededGenerator
    ) throws -> LaggingStore {
        let store = LaggingStore()
        var resolver = CatalogResolver(catalog: try self.catalog(tests, keys: SeriesKeyTable()), history: store)
        var rest = readings[...]
        var received = Fixture.now + 400 * .day
        while !rest.isEmpty {
            let batch = rest.prefix(Int.random(in: 1...6, using: &generator))
            rest = rest.dropFirst(batch.count)
            var resolved: [ResolvedReading] = []
            received = received + .second
            let refused = resolver.resolve(
                device: "pond-1",
                readings: Array(batch),
                receivedAt: received,
                into: &resolved
            )
            #expect(refused.isEmpty)
            store.commit(resolved, lag: lag)
            if restarts, Int.random(in: 0..<6, using: &generator) == 0 {
                // What was committed is fed again before anything comes in.
                store.commit([], lag: 0)
                resolver = CatalogResolver(catalog: try self.catalog(tests, keys: SeriesKeyTable()), history: store)
            }
        }
        store.commit([], lag: 0)
        return store
    }

    private static func expected(_ readings: [Reading], tests: String) throws -> [SampleMark] {
        let catalog = try self.catalog(tests, keys: SeriesKeyTable())
        let plan = try #require(catalog.qualityPlan(of: self.labels))
        let sorted = readings.sorted { ($0.time ?? .distantPast) < ($1.time ?? .distantPast) }
        return QualityFlags.marks(
            times: sorted.compactMap(\.time),
            values: sorted.map(\.value),
            marks: sorted.map { SampleMark(quality: $0.quality ?? .notEvaluated) },
            plan: plan
        )
    }

    @Test(arguments: models)
    func aStreamHasTheFlagsOfABatch(tests: String) throws {
        var generator = SeededGenerator.announced()
        for _ in 0..<60 {
            let readings = Self.readings(&generator)
            let expected = QualityStateTests.text(try Self.expected(readings, tests: tests))
            for restarts in [false, true] {
                let store = try Self.feed(readings, tests: tests, lag: 20, restarts: restarts, &generator)
                #expect(QualityStateTests.text(store.columns?.marks ?? []) == expected)
            }
        }
    }

    @Test(arguments: models)
    func theOrderOfArrivalDoesNotMatterInTheEnd(tests: String) throws {
        var generator = SeededGenerator.announced()
        for round in 0..<60 {
            let readings = Self.readings(&generator)
            let expected = QualityStateTests.text(try Self.expected(readings, tests: tests))
            var disordered = readings
            if round % 2 == 0 {
                disordered.shuffle(using: &generator)
            } else {
                // A gateway holds some back and delivers them twice.
                let held = Set(readings.indices.filter { _ in Int.random(in: 0..<4, using: &generator) == 0 })
                let late = readings.indices.filter(held.contains).map { readings[$0] }
                disordered = readings.indices.filter { !held.contains($0) }.map { readings[$0] } + late + late
            }
            let store = try Self.feed(disordered, tests: tests, lag: 10, restarts: round % 3 == 0, &generator)
            #expect(QualityStateTests.text(store.columns?.marks ?? []) == expected)
        }
    }

    /// The second of two late values of a batch stands short behind the beginning of what was read for the first.
    @Test func aLateValueIsPartOfAFlatLineThatBeganBeforeWhatWasReadForAnother() throws {
        let readings = (0...96)
            .map { Reading(key: "oxygen", value: 8, time: Fixture.now + Milliseconds($0 * 5) * .minute) }
        let late = [72, 26]
        let tests = "flat_line: { for: 20m, tolerance: 0.1 }"
        let store = LaggingStore()
        let resolver = CatalogResolver(catalog: try Self.catalog(tests, keys: SeriesKeyTable()), history: store)
        for batch in [readings.indices.filter { !late.contains($0) }, late] {
            var resolved: [ResolvedReading] = []
            let refused = resolver.resolve(
                device: "pond-1",
                readings: batch.map { readings[$0] },
                receivedAt: Fixture.now + .day,
                into: &resolved
            )
            #expect(refused.isEmpty)
            store.commit(resolved, lag: 0)
        }
        let expected = "...." + String(repeating: "f", count: 93)
        #expect(QualityStateTests.text(store.columns?.marks ?? []) == expected)
    }

    @Test func aCorrectedValueIsJudgedAnewWithItsNeighbours() throws {
        var generator = SeededGenerator(seed: 1)
        let readings = [8, 8, 0, 8, 8]
            .enumerated()
            .map { place, value in
                Reading(key: "oxygen", value: Double(value), time: Fixture.now + Milliseconds(place * 5) * .minute)
            }
        let correction = Reading(key: "oxygen", value: 8.1, time: Fixture.now + 10 * .minute)
        let tests = "spike: 0.5"
        let before = try Self.feed(readings, tests: tests, lag: 0, restarts: false, &generator)
        #expect(QualityStateTests.text(before.columns?.marks ?? []) == "..s..")
        let after = try Self.feed(readings + [correction], tests: tests, lag: 0, restarts: false, &generator)
        #expect(QualityStateTests.text(after.columns?.marks ?? []) == ".....")
    }
}

extension MemorySeriesReader {
    fileprivate func sample(_ labels: Labels, at time: Timestamp) -> Sample? {
        guard let series = self.series.first(where: { $0.labels == labels }),
            let place = series.times.firstIndex(of: time)
        else { return nil }
        return Sample(time: time, value: series.values[place], mark: series.marks[place])
    }
}
