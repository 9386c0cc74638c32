// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Telemetry

/// Applies the readings of one journal entry to the heads.
enum EntryApplication {
    struct Outcome {
        var counts = ApplyCounts()
        var revisions: [Revision] = []
        /// What the rules must see, in order.
        var samples: [AppliedSample] = []
    }

    /// For readings that may be older than what is in memory: the closed chunks that must be asked.
    static func chunksToAsk(_ readings: [JournalReading], _ memory: borrowing SeriesMemory) -> Set<Int64> {
        var rows: Set<Int64> = []
        for reading in readings {
            for chunk in memory[reading.series].chunksToAsk(about: reading.sample.time) { rows.insert(chunk.id) }
        }
        return rows
    }

    static func apply(
        _ readings: [JournalReading],
        at position: JournalPosition,
        to memory: inout SeriesMemory,
        chunkFile: ChunkFile
    ) throws -> Outcome {
        let rows = self.chunksToAsk(readings, memory)
        return self.apply(readings, at: position, to: &memory, older: try chunkFile.columns(of: Array(rows)))
    }

    /// Applies readings; `older` holds the samples of the chunks that ``chunksToAsk(_:_:)`` named.
    static func apply(
        _ readings: [JournalReading],
        at position: JournalPosition,
        to memory: inout SeriesMemory,
        older: [Int64: Columns]
    ) -> Outcome {
        var outcome = Outcome()
        outcome.samples.reserveCapacity(readings.count)
        for (ordinal, reading) in readings.enumerated() {
            let id = reading.series
            // A sealing that was cut short has this series' part of the entry in its chunks already.
            guard position > memory[id].sealedThrough, let key = memory.index.key(of: id) else { continue }
            let chunks = older.isEmpty ? [] : memory[id].chunksToAsk(about: reading.sample.time)
            let fate = memory[id]
                .apply(reading.sample, at: position) {
                    self.newest(at: reading.sample.time, in: chunks, older)
                }
            switch fate {
            case .stored:
                outcome.counts.stored += 1
                memory.samples += 1
                memory.noteTime(reading.sample.time)
                outcome.samples.append(AppliedSample(series: key, sample: reading.sample))
            case .duplicate:
                outcome.counts.duplicates += 1
            case .revised(let old, let oldMark):
                outcome.counts.revised += 1
                outcome.samples.append(AppliedSample(series: key, sample: reading.sample))
                outcome.revisions.append(
                    Revision(
                        series: id,
                        time: reading.sample.time,
                        position: position,
                        ordinal: ordinal,
                        oldValue: old,
                        oldMark: oldMark,
                        newValue: reading.sample.value
                    )
                )
            case .superseded(let value):
                outcome.counts.revised += 1
                outcome.revisions.append(
                    Revision(
                        series: id,
                        time: reading.sample.time,
                        position: position,
                        ordinal: ordinal,
                        oldValue: reading.sample.value,
                        oldMark: reading.sample.mark,
                        newValue: value
                    )
                )
            }
        }
        return outcome
    }

    private static func newest(
        at time: Timestamp,
        in chunks: [ChunkSummary],
        _ columns: [Int64: Columns]
    ) -> (value: Double, mark: UInt8, position: JournalPosition)? {
        for chunk in chunks.reversed() {
            guard let columns = columns[chunk.id] else { continue }
            let index = columns.times.lowerBound(time)
            if index < columns.count, columns.times[index] == time {
                return (columns.values[index], columns.marks[index], chunk.position)
            }
        }
        return nil
    }
}
