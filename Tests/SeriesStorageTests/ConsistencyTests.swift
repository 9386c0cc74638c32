// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Synchronization
import Telemetry
import Testing

@testable import SeriesStorage

/// Readers beside a processor that applies, seals, evicts and merges.
struct ConsistencyTests {
    private let keys = (0..<8).map { SeriesKey(labels: Labels(metric: "level_meters", ["site": "s\($0)"])) }
    private let everything = SelectRequest(
        matchers: [LabelMatcher("__name__", equals: "level_meters")],
        extent: .window(after: .distantPast, through: .distantFuture),
        qualities: .all
    )

    @Test(.timeLimit(.minutes(1)))
    func readersSeeWholeBatchesOnly() throws {
        var limits = SeriesStore.Limits()
        limits.chunkSamples = 10
        limits.journalReadings = 100
        limits.seriesPerShard = 2
        limits.mergeFactor = 2
        // Nothing is kept in memory that hides a block that is gone.
        limits.residentSamples = 0
        limits.cachedBytes = 0
        limits.cachedSamples = 0
        try withTemporaryStore(limits: limits) { store in
            let tally = Tally()
            let group = DispatchGroup()
            for isFrozen in [false, true] {
                group.enter()
                Thread {
                    self.read(store, isFrozen: isFrozen, tally)
                    group.leave()
                }
                .start()
            }
            defer {
                tally.isDone.store(true, ordering: .releasing)
                group.wait()
            }
            var number = 0
            let deadline = ContinuousClock.now + .seconds(30)
            while number < 300 || (tally.selects.load(ordering: .relaxed) < 100 && ContinuousClock.now < deadline) {
                let position = try store.apply(store.commit(self.batch(number))).batch.position
                if try store.seal(through: position) { while try store.compactOnce() {} }
                number += 1
            }
            #expect(tally.failures.load(ordering: .relaxed) == 0)
            #expect(tally.selects.load(ordering: .relaxed) >= 100)
            #expect(store.statistics().samples == number * 8)
        }
    }

    /// Blocks that a merge replaced stay as long as somebody may read them, and no longer.
    @Test(.timeLimit(.minutes(1)))
    func aSnapshotKeepsItsBlocksThroughAMerge() throws {
        var limits = SeriesStore.Limits()
        limits.residentSamples = 0
        limits.cachedBytes = 0
        limits.cachedSamples = 0
        limits.mergeFactor = 2
        try withTemporaryStore(limits: limits) { store in
            for number in 0..<8 {
                let position = try store.apply(store.commit(self.batch(number))).batch.position
                try store.seal(through: position, force: true)
            }
            let rows = { try store.pool.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM block_data") ?? 0 } }
            var snapshot: (any SeriesReader)? = store.snapshot()
            let before = try snapshot?.select(self.everything).map(\.values)
            try store.compact()
            try store.compactOnce()
            #expect(try rows() > store.statistics().blocks)
            #expect(try snapshot?.select(self.everything).map(\.values) == before)
            #expect(try store.verify().isClean)
            snapshot = nil
            try store.compactOnce()
            #expect(try rows() == store.statistics().blocks)
        }
    }

    private final class Tally: Sendable {
        let isDone = Atomic(false)
        let failures = Atomic(0)
        let selects = Atomic(0)
    }

    private func read(_ store: SeriesStore, isFrozen: Bool, _ tally: Tally) {
        while !tally.isDone.load(ordering: .acquiring) {
            let reader = isFrozen ? store.snapshot() : store.reader
            let first = try? reader.select(self.everything)
            // A snapshot shows the same again, whatever was applied in between.
            let second = isFrozen ? try? reader.select(self.everything) : first
            let counts = Set((first ?? []).map(\.times.count))
            let isWhole = first != nil && counts.count <= 1 && [0, 8].contains(first?.count)
            if !isWhole || first?.map(\.times) != second?.map(\.times) { tally.failures.add(1, ordering: .relaxed) }
            tally.selects.add(1, ordering: .relaxed)
        }
    }

    /// One sample for each series, now and then a late one.
    private func batch(_ number: Int) -> ReadingBatch {
        let minute = number % 7 == 3 ? number - 60 : number
        let time = Timestamp.base + Int64(minute) * .minute + Int64(number)
        return ReadingBatch(
            at: time,
            self.keys.map {
                ResolvedReading(series: $0, sample: Sample(time: time, value: Double(number)), hasOwnTime: true)
            }
        )
    }
}
