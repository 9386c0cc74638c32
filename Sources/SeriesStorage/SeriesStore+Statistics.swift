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
    package var closedChunks = 0
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
        self.memory.withLock { memory in
            result.series = memory.index.count
            result.samples = memory.samples
            for head in memory.heads {
                result.samplesInMemory += head.columns.count
                result.closedChunks += head.chunks.count
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

    /// The newest event time of all series; nil in an empty store.
    package var newestTime: Timestamp? { self.memory.withLock { $0.newestTime } }

    /// The newest sample of a series, whatever its quality; nil where there is none.
    package func newestSample(of labels: Labels) throws -> Sample? {
        let found = self.memory.withLock { memory -> (Columns, Timestamp)? in
            guard let id = memory.index.id(of: labels), let time = memory[id].newestTime else { return nil }
            return (memory[id].columns, time)
        }
        guard let (columns, time) = found else { return nil }
        if columns.times.last == time, let value = columns.values.last, let mark = columns.marks.last {
            return Sample(time: time, value: value, mark: SampleMark(rawValue: mark & ~SeriesHead.resident))
        }
        let rows = self.memory.withLock { memory -> [Int64] in
            guard let id = memory.index.id(of: labels) else { return [] }
            return memory[id].chunks.filter { $0.last == time }.map(\.id)
        }
        do {
            guard let row = rows.last, let chunk = try self.chunkFile.columns(of: [row])[row],
                let value = chunk.values.last, let mark = chunk.marks.last
            else { return nil }
            return Sample(time: time, value: value, mark: SampleMark(rawValue: mark))
        } catch {
            throw StorageError(error, path: self.path)
        }
    }

    static func fileSize(_ path: String) -> Int {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.size] as? Int) ?? 0
    }
}
