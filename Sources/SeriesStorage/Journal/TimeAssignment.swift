// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Which times the committed readings take, and the way from a series key to its number.
///
/// A reading without a time of its own gets the receive millisecond or the next one that is free in its series: held
/// neither by a stored sample nor by one that is committed but not applied yet.
struct TimeAssignment {
    private struct Slot {
        /// Not older than any time that was ever committed.
        var newest = Timestamp.distantPast
        /// Times committed and not yet applied, in order of commitment, from `start` on.
        var pending: [Timestamp] = []
        var start = 0
        /// All milliseconds in here are taken; spares a search per reading when many come in one millisecond.
        var taken: ClosedRange<Timestamp>?
    }

    private var slots: [Slot] = []
    /// The key is kept with its number, so that no other object can get its address.
    private var known: [ObjectIdentifier: (key: SeriesKey, id: SeriesID)] = [:]

    func id(of key: SeriesKey) -> SeriesID? {
        self.known[ObjectIdentifier(key)]?.id
    }

    mutating func remember(_ key: SeriesKey, as id: SeriesID) {
        // The catalogue makes new keys when it is reloaded; the old ones are of no use.
        if self.known.count > 4 * self.slots.count + 1024 { self.known.removeAll(keepingCapacity: true) }
        self.known[ObjectIdentifier(key)] = (key, id)
        self.reserve(id)
    }

    private mutating func reserve(_ id: SeriesID) {
        while self.slots.count < Int(id.rawValue) { self.slots.append(Slot()) }
    }

    /// Takes note of a time in use.
    mutating func note(_ time: Timestamp, in id: SeriesID) {
        self.reserve(id)
        let index = Int(id.rawValue) - 1
        self.slots[index].newest = max(self.slots[index].newest, time)
    }

    /// Takes a time for a reading that is about to be committed.
    mutating func take(_ time: Timestamp, in id: SeriesID) {
        let index = Int(id.rawValue) - 1
        self.slots[index].pending.append(time)
        self.slots[index].newest = max(self.slots[index].newest, time)
    }

    /// Takes the first free millisecond from `time` on.
    ///
    /// `isStored` says whether the series has a sample at a time.
    mutating func takeFree(
        from time: Timestamp,
        in id: SeriesID,
        isStored: (Timestamp) throws -> Bool
    ) rethrows -> Timestamp {
        let index = Int(id.rawValue) - 1
        var candidate = time
        if let taken = self.slots[index].taken, taken.contains(time) { candidate = taken.upperBound + 1 }
        while candidate <= self.slots[index].newest {
            let slot = self.slots[index]
            if !slot.pending[slot.start...].contains(candidate), try !isStored(candidate) { break }
            candidate = candidate + 1
        }
        let start = self.slots[index].taken.flatMap { $0.contains(time) ? $0.lowerBound : nil } ?? time
        self.slots[index].taken = start...candidate
        self.take(candidate, in: id)
        return candidate
    }

    /// Gives back the times of a batch that could not be committed.
    mutating func giveBack(_ readings: [JournalReading]) {
        for reading in readings {
            let index = Int(reading.series.rawValue) - 1
            self.slots[index].pending.removeLast()
            self.slots[index].taken = nil
        }
    }

    /// Takes note that readings, the oldest pending ones of their series, are applied.
    mutating func applied(_ readings: [JournalReading]) {
        for reading in readings {
            let index = Int(reading.series.rawValue) - 1
            self.slots[index].start += 1
            let (start, count) = (self.slots[index].start, self.slots[index].pending.count)
            if start >= count {
                self.slots[index].pending.removeAll(keepingCapacity: true)
                self.slots[index].start = 0
            } else if start >= 64, start * 2 > count {
                self.slots[index].pending.removeFirst(start)
                self.slots[index].start = 0
            }
        }
    }
}
