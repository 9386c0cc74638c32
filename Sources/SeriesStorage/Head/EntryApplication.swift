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
        /// The series of each duplicate.
        var repeated: [SeriesID] = []
    }

    /// The sample that the blocks hold for a reading.
    struct Older {
        let value: Double
        let mark: UInt8
        /// What its block covers.
        let position: JournalPosition
    }

    /// Where samples are that readings may meet in the blocks; most meet none.
    static func placesToAsk(
        _ readings: [JournalReading],
        _ memory: borrowing SeriesMemory
    ) -> [(ordinal: Int, places: [BlockPlace])] {
        var result: [(ordinal: Int, places: [BlockPlace])] = []
        for (ordinal, reading) in readings.enumerated() {
            let time = reading.sample.time
            guard memory.mustAsk(about: time, of: reading.series) else { continue }
            let places = memory[shardOf: reading.series].blocks(of: reading.series, from: time, through: time)
            if !places.isEmpty { result.append((ordinal, places)) }
        }
        return result
    }

    /// Reads the samples at those places, newest generation first.
    static func older(
        _ readings: [JournalReading],
        at places: [(ordinal: Int, places: [BlockPlace])],
        in file: BlockFile
    ) throws -> [Int: Older] {
        var result: [Int: Older] = [:]
        for (ordinal, places) in places {
            let (series, time) = (readings[ordinal].series, readings[ordinal].sample.time)
            for place in places.reversed() {
                let columns = try file.columns(of: series, in: place.id, from: time, through: time)
                let index = columns.times.lowerBound(time)
                guard index < columns.count, columns.times[index] == time else { continue }
                result[ordinal] = Older(
                    value: columns.values[index],
                    mark: columns.marks[index],
                    position: place.position
                )
                break
            }
        }
        return result
    }

    /// Applies readings; `older` holds what ``older(_:at:in:)`` found, by ordinal.
    static func apply(
        _ readings: [JournalReading],
        at position: JournalPosition,
        to memory: inout SeriesMemory,
        older: [Int: Older]
    ) -> Outcome {
        var outcome = Outcome()
        outcome.samples.reserveCapacity(readings.count)
        for (ordinal, reading) in readings.enumerated() {
            let id = reading.series
            // A sealing that was cut short has this series' part of the entry in its blocks already.
            guard position > memory[shardOf: id].sealedThrough else { continue }
            let index = memory.index
            let before = { older[ordinal].map { ($0.value, $0.mark, $0.position) } }
            var sample = reading.sample
            let fate: ReadingFate
            if reading.isRevision {
                (fate, sample.mark) = memory[id]
                    .reviseQuality(sample, at: position, key: SeriesKey(labels: index.labels(of: id)), older: before)
            } else {
                fate = memory[id]
                    .apply(sample, at: position, key: SeriesKey(labels: index.labels(of: id)), older: before)
            }
            guard let key = memory[id].key else {
                // The other quality of a sample that is gone: it was counted, and says nothing.
                if reading.isRevision { outcome.counts.duplicates += 1 }
                continue
            }
            switch fate {
            case .stored:
                outcome.counts.stored += 1
                memory.samples += 1
                memory.noteTime(reading.sample.time)
                outcome.samples.append(AppliedSample(series: key, sample: sample))
            case .duplicate:
                outcome.counts.duplicates += 1
                outcome.repeated.append(id)
            case .revised(let old, let oldMark):
                outcome.counts.revised += 1
                outcome.samples.append(AppliedSample(series: key, sample: sample))
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
}
