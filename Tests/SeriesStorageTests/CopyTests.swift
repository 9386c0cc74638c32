// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import SeriesStorage

/// A copy of a store that is in use.
struct CopyTests {
    private func batch(_ number: Int, readings: Int = 200) -> ReadingBatch {
        let time = Timestamp.base + Int64(number) * .minute
        var batch = ReadingBatch(receivedAt: time)
        for index in 0..<readings {
            let key = SeriesKey(labels: Labels(metric: "level_meters", ["site": "s\(index)"]))
            let value = Double((number * 7919 + index * 104_729) % 100_003) / 100
            batch.readings.append(
                ResolvedReading(series: key, sample: Sample(time: time, value: value), hasOwnTime: true)
            )
        }
        batch.messages = 1
        batch.deliveries = [Delivery(packetID: 1, hash: UInt64(number))]
        return batch
    }

    /// Commits between the steps, on the same connection, are in the copy; it is whole as of its end.
    @Test(.timeLimit(.minutes(2)))
    func commitsGoOnWhileItIsMadeAndAreInIt() throws {
        try withTemporaryDirectory { directory in
            let store = try SeriesStore(path: directory + "/samples.db", processed: .start, synchronous: .off)
            var number = 0
            var position = JournalPosition.start
            // Several steps of 512 pages each; most of it in the journal.
            while try store.pool.read({ try Int.fetchOne($0, sql: "PRAGMA page_count") ?? 0 }) < 1700 {
                position = try store.apply(store.commit(self.batch(number))).batch.position
                number += 1
                if number == 300 { try store.seal(through: position, force: true) }
            }
            let before = number
            let copy = try store.pausingMaintenance {
                try store.copy(to: directory + "/copy.db") { _ in
                    // Between any two steps the store takes commits, and does not seal.
                    position = try store.apply(store.commit(self.batch(number))).batch.position
                    number += 1
                    #expect(try !store.seal(through: position, force: true))
                    #expect(try !store.compactOnce())
                    #expect(try store.enforce { _ in SeriesRetention(keepFrom: .distantFuture) } == 0)
                }
            }
            #expect(number > before + 2, "there was one step only")
            #expect(copy.committed.rawValue == Int64(number))
            #expect(try store.seal(through: position, force: true))
            let report = try StoreVerification.run(path: directory + "/copy.db", processed: copy.committed)
            #expect(report.isClean, "\(report.damages)")
            let other = try SeriesStore(path: directory + "/copy.db", processed: copy.sealed)
            for entry in try other.entries(after: copy.sealed, limit: .max) { try other.apply(entry) }
            #expect(other.statistics().samples == number * 200)
            #expect(try other.recentDeliveries(limit: 1).map(\.hash) == [UInt64(number - 1)])
            // What a broker sends again gets a number that was never given out.
            #expect(try other.commit(self.batch(number)).position.rawValue == Int64(number + 1))
            try other.close()
            try store.close()
        }
    }

    /// Readers beside it do not hold anything up, and the log stays short.
    @Test(.timeLimit(.minutes(2)))
    func theLogStaysBoundedWhileItIsMade() throws {
        var limits = SeriesStore.Limits()
        limits.walBytes = 2 << 20
        limits.checkpointBytes = 512 << 10
        try withTemporaryDirectory { directory in
            let path = directory + "/samples.db"
            let store = try SeriesStore(path: path, processed: .start, synchronous: .off, limits: limits)
            var number = 0
            for _ in 0..<2000 {
                try store.commit(self.batch(number))
                number += 1
            }
            var largest = 0
            _ = try store.copy(to: directory + "/copy.db") { _ in
                for _ in 0..<100 {
                    try store.commit(self.batch(number))
                    number += 1
                }
                largest = max(largest, SeriesStore.fileSize(path + "-wal"))
            }
            #expect(largest < 3 * limits.walBytes, "the log grew to \(largest) bytes")
            #expect(try StoreVerification.run(path: directory + "/copy.db").isClean)
            try store.close()
        }
    }

    @Test func whatIsThereIsNotOverwrittenAndWhatFailsLeavesNothing() throws {
        try withTemporaryStore { store in
            try store.commit(self.batch(0))
            let directory = URL(filePath: store.path).deletingLastPathComponent().path
            let path = directory + "/copy.db"
            struct Stop: Error {}
            _ = try store.copy(to: path)
            let error = #expect(throws: StorageError.self) { try store.copy(to: path) }
            #expect(error?.code == .cannotOpen)
            for number in 1..<1500 { try store.commit(self.batch(number, readings: 100)) }
            #expect(throws: StorageError.self) { try store.copy(to: path + "2") { _ in throw Stop() } }
            #expect(!FileManager.default.fileExists(atPath: path + "2"))
            try store.commit(self.batch(1500))
        }
    }
}
