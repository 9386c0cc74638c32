// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Which times the committed readings take.
///
/// A reading without a time of its own gets the receive millisecond or the next one that is free in its series: held
/// neither by a stored sample nor by one that is committed but not applied yet.
struct TimeAssignment {
    private struct Slot {
        /// Not older than any time that was ever committed.
        var newest: Timestamp
        /// Times committed and not yet applied, in order of commitment, from `start` on.
        var pending: [Timestamp] = []
        var start = 0
        /// All milliseconds in here are taken; spares a search per reading when many come in one millisecond.
        var taken: ClosedRange<Timestamp>?
    }

    /// Of the series that were written to since ``forgetIdle()``.
    private var slots: [Slot] = []
    /// Series number → 1 + index of its slot; 0 where it has none.
    private var places: [UInt32] = []

    /// Takes note that a series has samples up to a time that were not committed as readings.
    mutating func noteImport(through time: Timestamp, in id: SeriesID) {
        guard let index = self.place(of: id) else { return }
        self.slots[index].newest = max(self.slots[index].newest, time)
    }

    private func place(of id: SeriesID) -> Int? {
        let number = Int(id.rawValue)
        guard number < self.places.count, self.places[number] > 0 else { return nil }
        return Int(self.places[number]) - 1
    }

    private mutating func place(of id: SeriesID, newest: () -> Timestamp) -> Int {
        if let index = self.place(of: id) { return index }
        let number = Int(id.rawValue)
        if number >= self.places.count {
            self.places.append(contentsOf: repeatElement(0, count: number + 1 - self.places.count))
        }
        self.slots.append(Slot(newest: newest()))
        self.places[number] = UInt32(self.slots.count)
        return self.slots.count - 1
    }

    /// Takes a time for a reading that is about to be committed; `newest` is that of the stored samples.
    mutating func take(_ time: Timestamp, in id: SeriesID, newest: @autoclosure () -> Timestamp) {
        self.take(time, at: self.place(of: id, newest: newest))
    }

    private mutating func take(_ time: Timestamp, at index: Int) {
        self.slots[index].pending.append(time)
        self.slots[index].newest = max(self.slots[index].newest, time)
    }

    /// Takes the first free millisecond from `time` on.
    ///
    /// `newest` is that of the stored samples; `isStored` says whether the series has a sample at a time.
    mutating func takeFree(
        from time: Timestamp,
        in id: SeriesID,
        newest: @autoclosure () -> Timestamp,
        isStored: (Timestamp) throws -> Bool
    ) rethrows -> Timestamp {
        let index = self.place(of: id, newest: newest)
        var candidate = time
        if let taken = self.slots[index].taken, taken.contains(time) { candidate = taken.upperBound + 1 }
        while candidate <= self.slots[index].newest {
            let slot = self.slots[index]
            if !slot.pending[slot.start...].contains(candidate), try !isStored(candidate) { break }
            candidate = candidate + 1
        }
        let start = self.slots[index].taken.flatMap { $0.contains(time) ? $0.lowerBound : nil } ?? time
        self.slots[index].taken = start...candidate
        self.take(candidate, at: index)
        return candidate
    }

    /// Gives back the times of a batch that could not be committed.
    mutating func giveBack(_ readings: [JournalReading]) {
        for reading in readings {
            guard let index = self.place(of: reading.series) else { continue }
            self.slots[index].pending.removeLast()
            self.slots[index].taken = nil
        }
    }

    /// Takes note that readings, the oldest pending ones of their series, are applied.
    mutating func applied(_ readings: [JournalReading]) {
        for reading in readings {
            guard let index = self.place(of: reading.series) else { continue }
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

    /// Gives up series without pending times; the stored samples tell the same.
    mutating func forgetIdle() {
        var kept: [Slot] = []
        for number in self.places.indices where self.places[number] > 0 {
            let slot = self.slots[Int(self.places[number]) - 1]
            if slot.start < slot.pending.count { kept.append(slot) }
            self.places[number] = slot.start < slot.pending.count ? UInt32(kept.count) : 0
        }
        self.slots = kept
    }
}
