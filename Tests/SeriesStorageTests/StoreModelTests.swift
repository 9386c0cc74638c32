// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import SeriesStorage

/// The store against a dictionary, under random work.
struct StoreModelTests {
    /// What the store should hold: series → time → sample, as of the applied position.
    private struct Model {
        var samples: [Labels: [Timestamp: Sample]] = [:]
        /// Where an import set the value: it holds against readings committed before it and applied after it.
        var imports: [Labels: [Timestamp: JournalPosition]] = [:]

        /// Forgets the samples in a span.
        mutating func remove(_ labels: Labels, _ span: ClosedRange<Timestamp>) {
            self.samples[labels] = self.samples[labels]?.filter { !span.contains($0.key) }
        }

        /// Puts one sample in the place of those of an interval, up to a moment.
        mutating func thin(_ labels: Labels, _ thinning: SeriesRetention.Thinning) {
            let bound = thinning.before.milliseconds / thinning.interval * thinning.interval
            let all = (self.samples[labels] ?? [:]).values.sorted { $0.time < $1.time }
            var result: [Timestamp: Sample] = [:]
            for sample in all where sample.time.milliseconds > bound { result[sample.time] = sample }
            let old = Dictionary(grouping: all.filter { $0.time.milliseconds <= bound }) { sample in
                (sample.time.milliseconds + thinning.interval - 1) / thinning.interval * thinning.interval
            }
            for (end, samples) in old {
                let values = samples.map(\.value)
                let sum = values.reduce(0, +)
                let value: Double? =
                    switch thinning.aggregate {
                    case .average: sum / Double(values.count)
                    case .minimum: values.min()
                    case .maximum: values.max()
                    case .sum: sum
                    case .last: values.last
                    }
                guard let last = samples.last, let value else { continue }
                let time = Timestamp(milliseconds: end)
                result[time] = Sample(time: time, value: values.count == 1 ? last.value : value, mark: last.mark)
            }
            self.samples[labels] = result
        }

        /// Mirrors one reading and says what it was.
        mutating func apply(
            _ labels: Labels,
            _ sample: Sample,
            at position: JournalPosition,
            _ counts: inout ApplyCounts
        ) {
            guard let old = self.samples[labels]?[sample.time] else {
                counts.stored += 1
                self.samples[labels, default: [:]][sample.time] = sample
                return
            }
            if old.value == sample.value || old.value.bitPattern == sample.value.bitPattern {
                counts.duplicates += 1
            } else {
                counts.revised += 1
                if let imported = self.imports[labels]?[sample.time], imported > position { return }
                self.samples[labels]?[sample.time] = sample
            }
        }
    }

    private struct Point: Hashable {
        let labels: Labels
        let time: Timestamp
    }

    private static let limits: SeriesStore.Limits = {
        var limits = SeriesStore.Limits()
        limits.chunkSamples = 7
        limits.residentSamples = 5
        limits.cachedSamples = 60
        limits.seriesPerShard = 2
        limits.blockBytes = 120
        limits.mergeFactor = 2
        limits.cachedBytes = 2000
        limits.transactionBytes = 200
        return limits
    }()

    @Test(.timeLimit(.minutes(2)), arguments: 0..<24)
    func equalsADictionaryUnderRandomWork(round: Int) throws {
        let seed = UInt64.random(in: 0 ... .max)
        try withTemporaryDirectory { directory in
            try self.run(directory + "/samples.db", seed: seed)
        }
    }

    private func run(_ path: String, seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let keys = (0..<5).map { SeriesKey(labels: Labels(metric: "level_meters", ["site": "s\($0)"])) }
        var store = try SeriesStore(path: path, processed: .start, limits: Self.limits)
        var model = Model()
        var pending: [(entry: JournalEntry, isImport: Bool)] = []
        var processed = JournalPosition.start
        var clock = Timestamp.base
        var revisions = 0
        var taken: Set<Point> = []

        for _ in 0..<300 {
            clock = clock + Int64.random(in: 0...3000, using: &random)
            switch Int.random(in: 0..<24, using: &random) {
            case 0..<10:
                let batch = self.batch(at: clock, keys, &random)
                let entry = try store.commit(batch) { pending.append(($0, false)) }
                guard case .readings(let readings) = entry.content else { continue }
                for (given, final) in zip(batch.readings, readings) {
                    let isNew = taken.insert(Point(labels: given.series.labels, time: final.sample.time)).inserted
                    #expect(isNew || given.hasOwnTime, "seed \(seed)")
                    #expect(final.sample.time == given.sample.time || !given.hasOwnTime, "seed \(seed)")
                }
            case 10..<15:
                for _ in 0..<Int.random(in: 0...4, using: &random) where !pending.isEmpty {
                    let next = pending.removeFirst()
                    let (applied, counts) = try store.apply(next.entry)
                    if case .readings(let readings) = next.entry.content {
                        var expected = ApplyCounts()
                        for reading in readings {
                            let labels = keys[self.keyIndex(reading.series, store, keys)].labels
                            model.apply(labels, reading.sample, at: next.entry.position, &expected)
                        }
                        revisions += expected.revised
                        #expect(counts == expected, "seed \(seed)")
                        guard case .samples(let samples) = applied.content else { continue }
                        #expect(samples.count <= counts.stored + counts.revised, "seed \(seed)")
                    }
                    if case .removal(let series, let from, let through) = next.entry.content {
                        for id in series { model.remove(store.index.labels(of: id), from...through) }
                    }
                    processed = next.entry.position
                }
            case 15..<17:
                try store.seal(through: processed, force: Bool.random(using: &random))
            case 17:
                let key = keys.randomElement(using: &random) ?? keys[0]
                let samples = self.imported(at: clock, &random)
                let counts = try store.importSeries([(key.labels, samples)], at: clock) { pending.append(($0, true)) }
                var expected = ApplyCounts()
                for sample in samples { taken.insert(Point(labels: key.labels, time: sample.time)) }
                for sample in Dictionary(samples.map { ($0.time, $0) }, uniquingKeysWith: { $1 }).values {
                    let before = expected.duplicates
                    model.apply(key.labels, sample, at: store.committedPosition, &expected)
                    if expected.duplicates > before { continue }
                    model.imports[key.labels, default: [:]][sample.time] = store.committedPosition
                }
                revisions += expected.revised
                #expect(counts.stored == expected.stored && counts.revised == expected.revised, "seed \(seed)")
                #expect(counts.duplicates == expected.duplicates, "seed \(seed)")
            case 18:
                try store.close()
                store = try SeriesStore(path: path, processed: processed, limits: Self.limits)
                let again = try store.entries(after: processed, limit: .max)
                #expect(again.map(\.position) == pending.map(\.entry.position), "seed \(seed)")
                pending = again.map { ($0, false) }
            case 19:
                while Bool.random(using: &random), try store.compactOnce() {}
            case 20:
                try store.compact()
            case 21:
                let from = clock - Int64.random(in: 0...600_000, using: &random)
                try store.commitRemoval(
                    of: [Labels(metric: "level_meters", ["site": "s\(Int.random(in: 0..<5, using: &random))"])],
                    from: from,
                    through: from + Int64.random(in: 0...200_000, using: &random),
                    at: clock
                ) { pending.append(($0, false)) }
            case 22:
                // A restart would bring back what the journal still holds, so everything is sealed before.
                try self.applyAll(&pending, &processed, store, &model, keys, &revisions)
                try store.seal(through: processed, force: true)
                let keepFrom = clock - Int64.random(in: 100_000...700_000, using: &random)
                let few = Set(keys.filter { _ in Bool.random(using: &random) }.map(\.labels))
                let before = store.statistics().samples
                let thinnings = [1000, 5000, 30_000].prefix(Int.random(in: 0...3, using: &random))
                    .map { interval in
                        SeriesRetention.Thinning(
                            before: clock - Int64.random(in: 10_000...400_000, using: &random),
                            interval: interval,
                            aggregate: SeriesRetention.Aggregate.allCases.randomElement(using: &random) ?? .sum
                        )
                    }
                let policy = SeriesRetention(keepFrom: keepFrom, thinnings: thinnings)
                let removed = try store.enforce { few.contains($0) ? policy : nil }
                for labels in few {
                    model.remove(labels, .distantPast...(keepFrom - 1))
                    for thinning in thinnings { model.thin(labels, thinning) }
                    for time in (model.samples[labels] ?? [:]).keys { taken.insert(Point(labels: labels, time: time)) }
                }
                #expect(store.statistics().samples == before - removed, "seed \(seed)")
            default:
                try self.compare(store, model, keys, clock, &random, seed)
            }
        }
        try self.compare(store, model, keys, clock, &random, seed)
        try self.applyAll(&pending, &processed, store, &model, keys, &revisions)
        try store.seal(through: processed, force: true)
        #expect(store.statistics().journalEntries == 0, "seed \(seed)")
        let audited = try store.pool.read { db in try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM revision") }
        #expect(audited == revisions, "seed \(seed)")
        try store.close()
    }

    private func applyAll(
        _ pending: inout [(entry: JournalEntry, isImport: Bool)],
        _ processed: inout JournalPosition,
        _ store: SeriesStore,
        _ model: inout Model,
        _ keys: [SeriesKey],
        _ revisions: inout Int
    ) throws {
        for (entry, _) in pending {
            let (batch, counts) = try store.apply(entry)
            processed = batch.position
            revisions += counts.revised
            switch entry.content {
            case .readings(let readings):
                var ignored = ApplyCounts()
                for reading in readings {
                    let labels = keys[self.keyIndex(reading.series, store, keys)].labels
                    model.apply(labels, reading.sample, at: entry.position, &ignored)
                }
            case .removal(let series, let from, let through):
                for id in series { model.remove(store.index.labels(of: id), from...through) }
            case .clockAdvance, .invalidation: break
            }
        }
        pending.removeAll()
    }

    private func keyIndex(_ id: SeriesID, _ store: SeriesStore, _ keys: [SeriesKey]) -> Int {
        let labels = store.index.labels(of: id)
        return keys.firstIndex { $0.labels == labels } ?? 0
    }

    private func batch(at clock: Timestamp, _ keys: [SeriesKey], _ random: inout SeededGenerator) -> ReadingBatch {
        let readings = (0..<Int.random(in: 0...12, using: &random))
            .map { _ in
                let key = keys.randomElement(using: &random) ?? keys[0]
                let value = Double(Int.random(in: 0...3, using: &random)) / 10
                guard Int.random(in: 0..<3, using: &random) > 0 else {
                    return ResolvedReading(series: key, sample: Sample(time: clock, value: value), hasOwnTime: false)
                }
                // Mostly near the present, sometimes far behind it, on a grid so that times meet.
                let reach: Int64 = Int.random(in: 0..<6, using: &random) == 0 ? 600_000 : 4000
                let time = clock - Int64.random(in: -1000...reach, using: &random) / 500 * 500
                return ResolvedReading(series: key, sample: Sample(time: time, value: value), hasOwnTime: true)
            }
        return ReadingBatch(at: clock, readings)
    }

    private func imported(at clock: Timestamp, _ random: inout SeededGenerator) -> [Sample] {
        let start = clock - Int64.random(in: 0...600_000, using: &random)
        return (0..<Int.random(in: 1...40, using: &random))
            .map { _ in
                let time = start + Int64.random(in: 0...100_000, using: &random) / 500 * 500
                return Sample(time: time, value: Double(Int.random(in: 0...3, using: &random)) / 10)
            }
    }

    private func compare(
        _ store: SeriesStore,
        _ model: Model,
        _ keys: [SeriesKey],
        _ clock: Timestamp,
        _ random: inout SeededGenerator,
        _ seed: UInt64
    ) throws {
        let after = clock - Int64.random(in: 0...700_000, using: &random)
        let through = after + Int64.random(in: 0...700_000, using: &random)
        for key in keys {
            let all = (model.samples[key.labels] ?? [:]).values.sorted { $0.time < $1.time }
            #expect(try store.all(key) == all, "seed \(seed)")
            #expect(try store.newestSample(of: key.labels) == all.last, "seed \(seed)")
            var request = SelectRequest(
                matchers: [LabelMatcher("site", equals: key.labels.site)],
                extent: .window(after: after, through: through),
                qualities: .all
            )
            let window = try store.reader.select(request).flatMap(\.samples)
            let expected = all.filter { $0.time > after && $0.time <= through }
            #expect(window == expected, "seed \(seed)")
            request.summarizes = true
            let selection = try store.reader.selection(request)
            let read = try (0..<selection.count).compactMap { try selection.columns(of: $0) }
            #expect(read.flatMap(\.samples) == expected, "seed \(seed)")
            guard !expected.isEmpty else { continue }
            let middle = after + (through - after) / 2
            let halves = [TimeWindow(after: after, through: middle), TimeWindow(after: middle, through: through)]
            for windows in [[TimeWindow(after: after, through: through)], halves] {
                guard let known = try selection.summaries(of: 0, in: windows) else { continue }
                #expect(known.labels == key.labels && known.summaries.count == windows.count, "seed \(seed)")
                for (window, summary) in zip(windows, known.summaries) {
                    let inside = expected.filter { $0.time > window.after && $0.time <= window.through }
                    self.compare(summary, inside, "seed \(seed)")
                }
            }
        }
        let total = model.samples.values.reduce(0) { $0 + $1.count }
        #expect(store.statistics().samples == total, "seed \(seed)")
    }

    private func compare(_ summary: SeriesSummary?, _ expected: [Sample], _ comment: Comment) {
        guard let summary else {
            #expect(expected.isEmpty, comment)
            return
        }
        #expect(summary.count == expected.count, comment)
        let tenths = expected.reduce(0) { $0 + ($1.value * 10).rounded() }
        // Thinned values have other digits; their sum is as exact as its order.
        let areTenths = expected.allSatisfy { ($0.value * 10).rounded() / 10 == $0.value }
        let sum = areTenths ? tenths / 10 : expected.reduce(0) { $0 + $1.value }
        #expect(abs(summary.sum - sum) <= (areTenths ? 0 : 1e-9), comment)
        #expect(summary.minimum == expected.map(\.value).min(), comment)
        #expect(summary.maximum == expected.map(\.value).max(), comment)
        #expect(summary.first == expected.first?.value && summary.last == expected.last?.value, comment)
    }
}
