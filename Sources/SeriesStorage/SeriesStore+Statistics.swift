// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Synchronization
package import Telemetry

/// How much the store holds.
package struct StoreStatistics: Hashable, Sendable {
    package var series = 0
    /// Distinct points of all series.
    package var samples = 0
    /// Samples in memory.
    package var samplesInMemory = 0
    package var blocks = 0
    package var chunks = 0
    package var segments = 0
    /// `samples.db` without its WAL.
    package var fileBytes = 0
    package var walBytes = 0
    package var journalEntries = 0
    package var journalReadings = 0
    package var journalBytes = 0
}

extension SeriesStore {
    package func statistics() -> StoreStatistics {
        var result = StoreStatistics()
        // Counted outside of the lock, in a copy that shares everything.
        let memory = self.memory.withLock { $0 }
        result.series = memory.count
        result.samples = memory.samples
        for shard in memory.shards {
            result.samplesInMemory += shard.heads.reduce(0) { $0 + $1.count }
            result.segments += shard.segments.count
            for segment in shard.segments {
                result.blocks += segment.blocks.count
                result.chunks += segment.chunks
            }
        }
        self.journalSize.withLock { size in
            result.journalEntries = size.entries
            result.journalReadings = size.readings
            result.journalBytes = size.bytes
        }
        result.fileBytes = SeriesStore.fileSize(self.path)
        result.walBytes = SeriesStore.fileSize(self.path + "-wal")
        return result
    }

    /// Series, and distinct points of all of them: what is cheap to know.
    package var counts: (series: Int, samples: Int) { self.memory.withLock { ($0.count, $0.samples) } }

    /// The newest event time of all series; nil in an empty store.
    package var newestTime: Timestamp? { self.memory.withLock { $0.newestTime } }

    /// The newest sample of a series, whatever its quality; nil where there is none.
    package func newestSample(of labels: Labels) throws -> Sample? {
        do {
            let found = self.memory.withLock { memory -> (SeriesID, Columns, [BlockSummary], BlockFile.Pin)? in
                guard let id = memory.index.id(of: labels), Int(id.rawValue) <= memory.count else { return nil }
                let blocks = memory[shardOf: id].segments
                    .flatMap { $0.blocks(of: id, from: .distantPast, through: .distantFuture) }
                return (id, memory[id].columns, blocks, self.blockFile.pin())
            }
            guard let (id, columns, blocks, pin) = found else { return nil }
            defer { withExtendedLifetime(pin) {} }
            var newest = columns.newest
            // Newest first; of those that end at the same time the later generation.
            for block in blocks.reversed().sorted(by: { $0.lastTime > $1.lastTime }) {
                if let newest, newest.time >= block.lastTime { break }
                let bytes = try self.blockFile.block(block.id)
                guard let last = bytes.entries(of: id).last else { continue }
                let time = bytes.entries[last].statistics.lastTime
                if let newest, newest.time >= time { continue }
                newest = try self.blockFile.columns(of: id, in: block.id, from: time, through: time).newest
            }
            return newest
        } catch {
            throw StorageError(error, path: self.path)
        }
    }

    /// How often readings of a series have come again since the start.
    package func duplicates(of labels: Labels) -> Int {
        guard let id = self.memory.withLock({ $0.index.id(of: labels) }) else { return 0 }
        return self.repeated.withLock { $0[id] ?? 0 }
    }

    static func fileSize(_ path: String) -> Int {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.size] as? Int) ?? 0
    }
}

extension Columns {
    /// The last sample, without the bit that only the head knows.
    fileprivate var newest: Sample? {
        guard let time = self.times.last, let value = self.values.last, let mark = self.marks.last else { return nil }
        return Sample(time: time, value: value, mark: SampleMark(rawValue: mark & ~SeriesHead.resident))
    }
}
