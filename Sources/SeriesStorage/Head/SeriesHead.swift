// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// What is known of a closed chunk without reading it.
struct ChunkSummary: Sendable {
    /// The row; a later chunk has a higher one, and where two hold the same time the later one counts.
    let id: Int64
    /// The journal position at which it was written.
    let position: JournalPosition
    let first: Timestamp
    let last: Timestamp
    let count: Int
}

/// What became of a reading.
enum ReadingFate: Equatable {
    case stored
    case duplicate
    case revised(old: Double, oldMark: SampleMark)
    /// An import that came after the reading holds another value at its time, which stays.
    case superseded(by: Double)
}

/// The newest part of one series in memory, and where the rest is.
///
/// Three kinds of samples: *open* ones are in no closed chunk yet (the journal or the open chunk row has them);
/// *resident* ones are in a closed chunk and stay here for quick reading; all others are only in closed chunks.
/// Open ones are here whatever their time. Of the resident ones every sample after `evictedThrough` is here.
struct SeriesHead {
    /// Bit 7 of a mark, which ``SampleMark`` never uses: the sample is resident, that is in a closed chunk.
    static let resident: UInt8 = 0x80

    private(set) var columns = Columns()
    private(set) var openCount = 0
    /// Of the open samples, those whose time is in a closed chunk, too.
    private(set) var superseding = 0
    /// Open samples were added or changed since the open chunk was written.
    private(set) var isDirty = false
    /// The row that holds the open samples as of the last sealing.
    private(set) var openChunk: Int64?
    private(set) var evictedThrough = Timestamp.distantPast
    /// Closed ones, in the order of their rows.
    private(set) var chunks: [ChunkSummary] = []
    /// Journal entries up to here are in the chunks, as far as this series goes.
    private(set) var sealedThrough = JournalPosition.start

    // MARK: Loading

    mutating func load(_ chunk: ChunkSummary, isImport: Bool) {
        self.chunks.append(chunk)
        self.evictedThrough = max(self.evictedThrough, chunk.last)
        if !isImport { self.sealedThrough = max(self.sealedThrough, chunk.position) }
    }

    mutating func loadOpen(_ columns: Columns, row: Int64, position: JournalPosition) {
        self.columns = columns
        self.openCount = columns.count
        self.openChunk = row
        self.sealedThrough = max(self.sealedThrough, position)
    }

    // MARK: Reading

    /// The closed chunks that may hold samples in `(after, through]` that are not here.
    func chunks(after: Timestamp, through: Timestamp) -> [ChunkSummary] {
        let end = min(through, self.evictedThrough)
        guard after < end else { return [] }
        return self.chunks.filter { $0.last > after && $0.first <= end }
    }

    /// The closed chunks that must be asked whether a sample at `time` exists.
    func chunksToAsk(about time: Timestamp) -> [ChunkSummary] {
        guard time <= self.evictedThrough else { return [] }
        let index = self.columns.times.lowerBound(time)
        if index < self.columns.count, self.columns.times[index] == time { return [] }
        return self.chunks.filter { $0.first <= time && time <= $0.last }
    }

    func holds(_ time: Timestamp) -> Bool {
        self.columns.times.containsSorted(time)
    }

    var newestTime: Timestamp? {
        switch (self.columns.times.last, self.chunks.map(\.last).max()) {
        case (let open?, let closed?): max(open, closed)
        case (let open, let closed): open ?? closed
        }
    }

    // MARK: Applying

    /// Adds one reading of the journal entry at `position`.
    ///
    /// `older` gives the sample at this time in the closed chunks that ``chunksToAsk(about:)`` named, and the
    /// position of the chunk that holds it.
    mutating func apply(
        _ sample: Sample,
        at position: JournalPosition,
        older: () -> (value: Double, mark: UInt8, position: JournalPosition)?
    ) -> ReadingFate {
        let time = sample.time
        if time > self.evictedThrough, self.columns.times.last.map({ time > $0 }) ?? true {
            self.columns.append(time, sample.value, sample.mark.rawValue)
            self.openCount += 1
            self.isDirty = true
            return .stored
        }
        let index = self.columns.times.lowerBound(time)
        if index < self.columns.count, self.columns.times[index] == time {
            return self.revise(index, to: sample)
        }
        let existing = time <= self.evictedThrough ? older() : nil
        if let existing {
            if existing.value.isSame(as: sample.value) { return .duplicate }
            if existing.position > position { return .superseded(by: existing.value) }
            self.superseding += 1
        }
        self.insert(sample, at: index)
        guard let existing else { return .stored }
        return .revised(old: existing.value, oldMark: SampleMark(rawValue: existing.mark))
    }

    private mutating func insert(_ sample: Sample, at index: Int) {
        self.columns.times.insert(sample.time, at: index)
        self.columns.values.insert(sample.value, at: index)
        self.columns.marks.insert(sample.mark.rawValue, at: index)
        self.openCount += 1
        self.isDirty = true
    }

    private mutating func revise(_ index: Int, to sample: Sample) -> ReadingFate {
        let old = self.columns.values[index]
        let oldMark = self.columns.marks[index]
        if old.isSame(as: sample.value) { return .duplicate }
        if oldMark & SeriesHead.resident != 0 {
            self.openCount += 1
            self.superseding += 1
        }
        self.columns.values[index] = sample.value
        self.columns.marks[index] = sample.mark.rawValue
        self.isDirty = true
        return .revised(old: old, oldMark: SampleMark(rawValue: oldMark & ~SeriesHead.resident))
    }

    // MARK: Sealing

    /// The open samples, in order.
    var open: Columns {
        guard self.openCount < self.columns.count else { return self.columns }
        var result = Columns()
        result.reserveCapacity(self.openCount)
        for index in 0..<self.columns.count where self.columns.marks[index] & SeriesHead.resident == 0 {
            result.append(self.columns.times[index], self.columns.values[index], self.columns.marks[index])
        }
        return result
    }

    /// Takes note that the oldest open samples are in closed chunks now and the rest in the open row.
    ///
    /// - Parameters:
    ///   - closed: The new chunks; all open samples that supersede others are in them.
    ///   - openRow: The row of the rest; nil where nothing is left.
    ///   - position: What the sealing covers.
    ///   - residents: How many samples in closed chunks stay in memory.
    mutating func seal(closed: [ChunkSummary], openRow: Int64?, at position: JournalPosition, residents: Int) {
        var left = closed.reduce(0) { $0 + $1.count }
        self.openCount -= left
        var index = 0
        while left > 0, index < self.columns.count {
            if self.columns.marks[index] & SeriesHead.resident == 0 {
                self.columns.marks[index] |= SeriesHead.resident
                left -= 1
            }
            index += 1
        }
        if !closed.isEmpty { self.superseding = 0 }
        self.chunks.append(contentsOf: closed)
        self.openChunk = openRow
        self.isDirty = false
        self.sealedThrough = position
        self.evict(keeping: residents)
    }

    private mutating func evict(keeping residents: Int) {
        let surplus = self.columns.count - self.openCount - residents
        // Half as much again, so that the columns are not rebuilt for every chunk.
        guard surplus > residents / 2 else { return }
        var seen = 0
        var cutoff = self.evictedThrough
        for index in 0..<self.columns.count where self.columns.marks[index] & SeriesHead.resident != 0 {
            seen += 1
            cutoff = max(cutoff, self.columns.times[index])
            if seen == surplus { break }
        }
        self.dropResidents(through: cutoff)
    }

    private mutating func dropResidents(through cutoff: Timestamp) {
        self.evictedThrough = max(self.evictedThrough, cutoff)
        var kept = Columns()
        kept.reserveCapacity(self.columns.count)
        for index in 0..<self.columns.count {
            let mark = self.columns.marks[index]
            if mark & SeriesHead.resident != 0, self.columns.times[index] <= cutoff { continue }
            kept.append(self.columns.times[index], self.columns.values[index], mark)
        }
        self.columns = kept
    }

    // MARK: Import

    /// Takes note of closed chunks that a bulk import wrote; what they hold replaces what is here.
    ///
    /// - Parameters:
    ///   - chunks: The new chunks.
    ///   - samples: What they hold.
    ///   - openRow: The open row, from which the imported times were removed; nil where nothing is left.
    ///   - isClosed: Whether a closed chunk older than these has the time.
    mutating func imported(
        _ chunks: [ChunkSummary],
        _ samples: Columns,
        openRow: Int64?,
        isClosed: (Timestamp) -> Bool
    ) {
        guard let last = samples.times.last else { return }
        self.chunks.append(contentsOf: chunks)
        self.openChunk = openRow
        self.evictedThrough = max(self.evictedThrough, last)
        var kept = Columns()
        for index in 0..<self.columns.count {
            let (time, mark) = (self.columns.times[index], self.columns.marks[index])
            if mark & SeriesHead.resident != 0 {
                if time <= last { continue }
            } else if samples.times.containsSorted(time) {
                self.openCount -= 1
                if isClosed(time) { self.superseding -= 1 }
                continue
            }
            kept.append(time, self.columns.values[index], mark)
        }
        self.columns = kept
    }
}

extension Double {
    /// Equal, or both the same NaN.
    func isSame(as other: Double) -> Bool {
        self == other || self.bitPattern == other.bitPattern
    }
}
