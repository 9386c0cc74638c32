// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Telemetry
import TestSupport
import Testing

@testable import SeriesStorage

struct SeriesStoreTests {
    private let level = SeriesKey(labels: Labels(metric: "water_level_meters", ["site": "xingzi"]))

    private func reading(_ value: Double, at milliseconds: Int64? = nil, _ key: SeriesKey? = nil) -> ResolvedReading {
        ResolvedReading(
            series: key ?? self.level,
            sample: Sample(time: .base + (milliseconds ?? 0), value: value),
            hasOwnTime: milliseconds != nil
        )
    }

    @Test func readingsWithoutTimeGetTheNextFreeMillisecond() throws {
        try withTemporaryStore { store in
            try store.apply(store.commit(ReadingBatch(at: .base, [self.reading(1, at: 1)])))
            // Committed, not applied: it counts as taken, too.
            let pending = try store.commit(ReadingBatch(at: .base, [self.reading(2, at: 3)]))
            let entry = try store.commit(ReadingBatch(at: .base, (0..<4).map { self.reading(Double(10 + $0)) }))
            try store.apply(pending)
            let (batch, counts) = try store.apply(entry)
            #expect(counts.stored == 4)
            guard case .samples(let samples) = batch.content else { return }
            #expect(samples.map { $0.sample.time - .base } == [0, 2, 4, 5])
        }
    }

    @Test func manyReadingsInOneMillisecondAllFindAPlace() throws {
        try withTemporaryStore { store in
            var times: Set<Timestamp> = []
            for _ in 0..<20 {
                let readings = (0..<500).map { self.reading(Double($0)) }
                let entry = try store.commit(ReadingBatch(at: .base, readings))
                #expect(try store.apply(entry).counts.stored == 500)
                if case .readings(let final) = entry.content { times.formUnion(final.map(\.sample.time)) }
            }
            #expect(times.count == 10_000 && times.max() == .base + 9999)
        }
    }

    @Test func everyValueEndsInOnePlace() throws {
        try withTemporaryStore { store in
            var batch = ReadingBatch(
                at: .base,
                [self.reading(1, at: 0), self.reading(1, at: 0), self.reading(2, at: 0)]
            )
            batch.quarantined = [self.payload("d1", [Refusal(reason: .outOfRange, detail: "x", values: 2)])]
            let counts = try store.apply(store.commit(batch)).counts
            #expect(counts.stored == 1 && counts.duplicates == 1 && counts.revised == 1)
            #expect(counts.quarantined == [.outOfRange: 2])
            #expect(try store.all(self.level).map(\.value) == [2])
        }
    }

    @Test func quarantineKeepsTheNewestOfEachDeviceAndCountsTheRest() throws {
        var limits = SeriesStore.Limits()
        limits.quarantinePerDevice = 3
        limits.quarantineTotal = 5
        try withTemporaryDirectory { directory in
            let path = directory + "/samples.db"
            for round in 0..<2 {
                let store = try SeriesStore(
                    path: path,
                    processed: JournalPosition(rawValue: Int64(round * 4)),
                    limits: limits
                )
                for _ in 0..<4 {
                    var batch = ReadingBatch(receivedAt: .base)
                    batch.quarantined = ["a", "b\(round)"]
                        .map {
                            self.payload($0, [Refusal(reason: .malformed, detail: "no JSON", key: "k")])
                        }
                    try store.apply(store.commit(batch))
                }
                try store.close()
            }
            let store = try SeriesStore(path: path, processed: JournalPosition(rawValue: 8), limits: limits)
            let kept = try store.quarantine(limit: 100)
            #expect(kept.count == 5)
            #expect(try store.quarantine(limit: 100, device: "a").count <= 3)
            let counts = try store.quarantineCounts()
            #expect(counts.payloads == 16 && counts.dropped == 11 && counts.values == [.malformed: 16])
            let newest = try #require(kept.first)
            #expect(try store.quarantineEntry(newest.id) == newest)
            #expect(newest.payload == self.payload("b1", newest.payload.refusals))
        }
    }

    /// Packets of a message that is whole now; the limits count without them.
    @Test func whatIsSettledLeavesQuarantine() throws {
        var limits = SeriesStore.Limits()
        limits.quarantinePerDevice = 2
        try withTemporaryDirectory { directory in
            let store = try SeriesStore(path: directory + "/samples.db", processed: .start, limits: limits)
            let waiting = self.payload("a", [Refusal(reason: .malformed, detail: "packet 1 of 2", values: 0)])
            let refused = self.payload("a", [Refusal(reason: .malformed, detail: "no JSON")], sha256: "ff")
            func commit(_ quarantined: [QuarantinedPayload], _ settled: [QuarantinedPayload] = []) throws {
                var batch = ReadingBatch(receivedAt: .base)
                batch.quarantined = quarantined
                batch.settled = settled.map { QuarantinedName(device: $0.device, sha256: $0.sha256) }
                try store.apply(store.commit(batch))
            }
            try commit([waiting, refused])
            #expect(try store.refusedValues(of: "a") == [.malformed: 1])
            try commit([], [waiting])
            #expect(try store.quarantine(limit: 10).map(\.payload) == [refused])
            try commit([refused])
            #expect(try store.quarantine(limit: 10).count == 2)
            #expect(try store.quarantineCounts().values == [.malformed: 2])
            // Nothing of that name any more, or another's.
            try commit([], [waiting])
            #expect(try store.quarantine(limit: 10).count == 2)
        }
    }

    @Test func seriesAreFoundByAnyMatcher() throws {
        try withTemporaryStore { store in
            let keys = ["xingzi", "hukou", "duchang"]
                .flatMap { site in
                    ["water_level_meters", "ph"].map { SeriesKey(labels: Labels(metric: $0, ["site": site])) }
                }
            try store.apply(store.commit(ReadingBatch(at: .base, keys.map { self.reading(1, at: 0, $0) })))
            func count(_ matchers: LabelMatcher...) throws -> Int {
                try store.reader.series(matching: matchers, after: .base - 1, through: .base).count
            }
            let lakes = LabelMatcher(name: "site", operation: .matches, value: "x.*") { $0.hasPrefix("x") }
            #expect(try count(LabelMatcher("__name__", equals: "ph"), LabelMatcher("site", equals: "hukou")) == 1)
            #expect(try count(LabelMatcher("__name__", equals: "ph")) == 3)
            #expect(try count(lakes) == 2)
            #expect(try count(LabelMatcher("depth", equals: "")) == 6)
            #expect(try count(LabelMatcher(name: "site", operation: .notEqual, value: "hukou", pattern: nil)) == 4)
            #expect(try count(LabelMatcher("site", equals: "nowhere")) == 0)
            #expect(try store.reader.series(matching: [], after: .base, through: .base + 9).isEmpty)
        }
    }

    /// Prometheus marks the end of a series with a NaN, which no window sees: what is added up without reading would count it.
    @Test(arguments: [false, true])
    func aMarkOfTheEndIsNotAddedUp(isSealed: Bool) throws {
        try withTemporaryStore { store in
            let mark = Double(bitPattern: 0x7FF0_0000_0000_0002)
            let values = (0..<9).map { $0 == 5 ? mark : Double($0) }
            let readings = values.enumerated().map { self.reading($1, at: Int64($0) * 60_000) }
            try store.apply(store.commit(ReadingBatch(at: .base, readings)))
            if isSealed { try store.seal(through: store.appliedPosition, force: true) }
            var request = SelectRequest(
                matchers: [],
                extent: .window(after: .base - 1, through: .base + 3_600_000)
            )
            request.summarizes = true
            let selection = try store.reader.selection(request)
            let whole = TimeWindow(after: .base - 1, through: .base + 3_600_000)
            let before = TimeWindow(after: .base - 1, through: .base + 4 * 60_000)
            #expect(try selection.summaries(of: 0, in: [whole]) == nil)
            #expect(try selection.summaries(of: 0, in: [before, whole]) == nil)
            let known = try #require(try selection.summaries(of: 0, in: [before])?.summaries.first ?? nil)
            #expect(known.sum == 10 && known.count == 5)
        }
    }

    @Test func deliveriesSurviveTrimmingAndArePruned() throws {
        var limits = SeriesStore.Limits()
        limits.deliveries = 10
        try withTemporaryStore(limits: limits) { store in
            var position = JournalPosition.start
            for number in 0..<20 {
                var batch = ReadingBatch(at: .base, [self.reading(Double(number))])
                batch.deliveries = (0..<3).map { Delivery(packetID: UInt16($0 + 1), hash: UInt64(number * 3 + $0)) }
                position = try store.apply(store.commit(batch)).batch.position
            }
            #expect(try store.seal(through: position, force: true))
            #expect(try store.entries(after: .start, limit: 100).isEmpty)
            #expect(try store.recentDeliveries(limit: 5).map(\.hash) == [55, 56, 57, 58, 59])
            #expect(try store.recentDeliveries(limit: 1000).count == 12)
        }
    }

    @Test func sealingNeverPassesWhatWasProcessed() throws {
        try withTemporaryStore { store in
            let first = try store.apply(store.commit(ReadingBatch(at: .base, [self.reading(1)]))).batch.position
            try store.apply(store.commit(ReadingBatch(at: .base, [self.reading(2)])))
            #expect(try !store.seal(through: first, force: true))
            #expect(try store.entries(after: .start, limit: 9).count == 2)
        }
    }

    @Test func refusesEntriesOutOfOrder() throws {
        try withTemporaryStore { store in
            let first = try store.commit(ReadingBatch(at: .base, [self.reading(1)]))
            let second = try store.commitClockAdvance(site: "xingzi", to: .base + 5, at: .base)
            #expect(throws: StorageError.self) { try store.apply(second) }
            try store.apply(first)
            let applied = try store.apply(second).batch
            guard case .clockAdvance("xingzi", let to) = applied.content else {
                Issue.record("no clock advance")
                return
            }
            #expect(to == .base + 5)
            #expect(throws: StorageError.self) { try store.apply(second) }
        }
    }

    @Test func aFailedCommitLeavesNothing() throws {
        try withTemporaryStore { store in
            try store.pool.writeWithoutTransaction { db in
                let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
                try db.execute(sql: "PRAGMA max_page_count = \(pages)")
            }
            let batch = ReadingBatch(at: .base, (0..<5000).map { self.reading(Double($0)) })
            let error = #expect(throws: StorageError.self) { try store.commit(batch) }
            #expect(error?.code == .full && error?.message.contains("disk is full") == true)
            try store.pool.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA max_page_count = 1000000") }
            #expect(try store.entries(after: .start, limit: 9).isEmpty)
            let entry = try store.commit(batch)
            #expect(entry.position == JournalPosition(rawValue: 1))
            #expect(try store.apply(entry).counts.stored == 5000)
            #expect(try store.all(self.level).first?.time == .base)
        }
    }

    @Test func saysWhatIsWrongWithTheFile() throws {
        try withTemporaryDirectory { directory in
            let missing = #expect(throws: StorageError.self) {
                try SeriesStore(path: directory + "/none/samples.db", processed: .start)
            }
            #expect(missing?.code == .cannotOpen)
            let path = directory + "/samples.db"
            try Data(repeating: 65, count: 9000).write(to: URL(filePath: path))
            let damaged = #expect(throws: StorageError.self) { try SeriesStore(path: path, processed: .start) }
            #expect(damaged?.code == .corrupt && damaged?.message.contains(path) == true)
        }
    }

    @Test func refusesACatalogueOlderThanTheChunks() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/samples.db"
            let store = try SeriesStore(path: path, processed: .start)
            let position = try store.apply(store.commit(ReadingBatch(at: .base, [self.reading(1)]))).batch.position
            try store.seal(through: position, force: true)
            try store.close()
            let error = #expect(throws: StorageError.self) { try SeriesStore(path: path, processed: .start) }
            #expect(error?.code == .positionMismatch)
        }
    }

    /// An import's segment is newer than the journal says; merged with an older one it must not make that newer, too.
    @Test func aRevisionInTheJournalOutlivesAMergeWithAnImport() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/samples.db"
            let store = try SeriesStore(path: path, processed: .start)
            let first = try store.apply(store.commit(ReadingBatch(at: .base, [self.reading(1, at: 0)]))).batch.position
            try store.seal(through: first, force: true)
            try store.apply(store.commit(ReadingBatch(at: .base, [self.reading(2, at: 0)])))
            var imported: [JournalEntry] = []
            let samples = [Sample(time: .base + 100, value: 5)]
            try store.importSeries([(self.level.labels, samples)], at: .base) { imported.append($0) }
            for entry in imported { try store.apply(entry) }
            try store.compact()
            try store.close()
            let again = try SeriesStore(path: path, processed: store.appliedPosition)
            #expect(try again.all(self.level).map(\.value) == [2, 5])
            try again.seal(through: again.appliedPosition, force: true)
            try again.compact()
            #expect(again.statistics().segments == 1)
            #expect(try again.all(self.level).map(\.value) == [2, 5])
            try again.close()
        }
    }

    @Test func freePagesGoBackToTheFileSystem() throws {
        try withTemporaryStore { store in
            var random = SeededGenerator(seed: 3)
            let samples = (0..<200_000)
                .map { Sample(time: .base + Int64($0), value: Double(Int.random(in: 0..<1_000_000, using: &random))) }
            try store.importSeries([(self.level.labels, samples)], at: .base)
            try store.compact()
            let full = store.statistics().fileBytes
            #expect(try store.enforce { _ in SeriesRetention(keepFrom: .base + 190_000) } == 190_000)
            // What was replaced goes with the next merge, and the pages with it.
            try store.compact()
            #expect(store.statistics().fileBytes < full / 4)
            #expect(try store.all(self.level).count == 10_000)
        }
    }

    @Test func theWALStaysBounded() throws {
        var limits = SeriesStore.Limits()
        limits.walBytes = 1 << 20
        try withTemporaryStore(limits: limits) { store in
            var largest = 0
            for number in 0..<1500 {
                let readings = (0..<200).map { self.reading(Double($0), at: Int64(number * 200 + $0)) }
                let entry = try store.commit(ReadingBatch(at: .base, readings))
                try store.apply(entry)
                largest = max(largest, store.statistics().walBytes)
            }
            // Checked every 256 commits of up to six pages.
            #expect(largest < 10 << 20)
        }
    }

    /// To cut the file takes long on some file systems, and readings would wait for it.
    @Test func theWALBeginsAfreshInTheFileThatIsThere() throws {
        var limits = SeriesStore.Limits()
        limits.checkpointBytes = 1 << 20
        try withTemporaryStore(limits: limits) { store in
            var number = 0
            func commit() throws {
                number += 1
                try store.apply(store.commit(ReadingBatch(at: .base, [self.reading(1, at: Int64(number))])))
            }
            while !store.isCheckpointDue {
                try #require(number < 10_000, "no checkpoint is ever due")
                try commit()
            }
            let size = store.statistics().walBytes
            #expect(size > limits.checkpointBytes)
            try store.checkpoint()
            #expect(!store.isCheckpointDue, "what was moved is not moved again")
            try commit()
            #expect(!store.isCheckpointDue)
            #expect(store.statistics().walBytes == size)
        }
    }

    private func payload(_ device: String, _ refusals: [Refusal], sha256: String = "abc") -> QuarantinedPayload {
        QuarantinedPayload(
            topic: "poyang/v1/devices/\(device)/telemetry",
            device: device,
            receivedAt: .base,
            payload: [1, 2, 3],
            length: 3,
            sha256: sha256,
            refusals: refusals
        )
    }
}
