// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// What became of a reading.
enum ReadingFate: Equatable {
    case stored
    case duplicate
    case revised(old: Double, oldMark: SampleMark)
    /// An import that came after the reading holds another value at its time, which stays.
    case superseded(by: Double)
}

/// The newest part of one series in memory.
///
/// Three kinds of samples: *open* ones are in no block yet, the journal has them; *resident* ones are in a block and stay
/// here for quick reading; all others are only in blocks. Open ones are here whatever their time. Of the resident ones
/// every sample after `evictedThrough` is here. A series without samples in memory takes 16 bytes.
struct SeriesHead: Sendable {
    /// Bit 7 of a mark, which ``SampleMark`` never uses: the sample is resident, that is in a block.
    static let resident: UInt8 = 0x80

    /// What a series with samples in memory has.
    private final class Body: @unchecked Sendable {  // changed only while one head refers to it, else copied before
        var columns = Columns()
        var openCount = 0
        /// Open samples whose time is in a block, too.
        var superseding = 0
        let key: SeriesKey

        init(key: SeriesKey) { self.key = key }

        init(copying other: Body) {
            self.columns = other.columns
            self.openCount = other.openCount
            self.superseding = other.superseding
            self.key = other.key
        }
    }

    /// Nothing newer than this is in blocks only.
    private(set) var evictedThrough = Timestamp.distantPast
    private var body: Body?

    var columns: Columns { self.body?.columns ?? Columns() }
    var openCount: Int { self.body?.openCount ?? 0 }
    var superseding: Int { self.body?.superseding ?? 0 }
    /// Samples of it are in the journal only.
    var isDirty: Bool { self.openCount > 0 }
    var count: Int { self.body?.columns.count ?? 0 }
    /// The object that stands for the series, while it has samples in memory.
    var key: SeriesKey? { self.body?.key }

    /// Blocks hold samples of the series up to this time at most.
    mutating func noteBlocks(through time: Timestamp) {
        self.evictedThrough = max(self.evictedThrough, time)
    }

    // MARK: Reading

    func holds(_ time: Timestamp) -> Bool {
        self.body?.columns.times.containsSorted(time) ?? false
    }

    /// No sample of the series is newer.
    var newestBound: Timestamp {
        max(self.body?.columns.times.last ?? .distantPast, self.evictedThrough)
    }

    // MARK: Applying

    /// Adds one reading of the journal entry at `position`.
    ///
    /// `older` gives the sample at this time in the blocks, if ``SeriesMemory/mustAsk(about:of:)`` said so, and the position that its
    /// block covers; `key` the object that stands for the series.
    mutating func apply(
        _ sample: Sample,
        at position: JournalPosition,
        key: @autoclosure () -> SeriesKey,
        older: () -> (value: Double, mark: UInt8, position: JournalPosition)?
    ) -> ReadingFate {
        let time = sample.time
        let body = self.ownBody() ?? self.makeBody(key())
        if time > self.evictedThrough, body.columns.times.last.map({ time > $0 }) ?? true {
            body.columns.append(time, sample.value, sample.mark.rawValue)
            body.openCount += 1
            return .stored
        }
        let index = body.columns.times.lowerBound(time)
        if index < body.columns.count, body.columns.times[index] == time {
            return SeriesHead.revise(body, index, to: sample)
        }
        let existing = time <= self.evictedThrough ? older() : nil
        if let existing {
            if existing.value.isSame(as: sample.value) { return .duplicate }
            if existing.position > position { return .superseded(by: existing.value) }
            body.superseding += 1
        }
        body.columns.times.insert(sample.time, at: index)
        body.columns.values.insert(sample.value, at: index)
        body.columns.marks.insert(sample.mark.rawValue, at: index)
        body.openCount += 1
        guard let existing else { return .stored }
        return .revised(old: existing.value, oldMark: SampleMark(rawValue: existing.mark))
    }

    /// Gives the sample of this time and value another quality; method and the simulated mark stay.
    ///
    /// - Returns: `duplicate` where there is none, or where it has that quality.
    mutating func reviseQuality(
        _ sample: Sample,
        at position: JournalPosition,
        key: @autoclosure () -> SeriesKey,
        older: () -> (value: Double, mark: UInt8, position: JournalPosition)?
    ) -> (fate: ReadingFate, mark: SampleMark) {
        let time = sample.time
        let index = self.body?.columns.times.lowerBound(time) ?? 0
        if let body = self.body, index < body.columns.count, body.columns.times[index] == time {
            let stored = body.columns.marks[index]
            let old = SampleMark(rawValue: stored & ~SeriesHead.resident)
            guard body.columns.values[index].isSame(as: sample.value), !old.hasQuality(of: sample.mark),
                let own = self.ownBody()
            else { return (.duplicate, old) }
            if stored & SeriesHead.resident != 0 {
                own.openCount += 1
                own.superseding += 1
            }
            let mark = old.withQuality(of: sample.mark)
            own.columns.marks[index] = mark.rawValue
            return (.revised(old: sample.value, oldMark: old), mark)
        }
        guard time <= self.evictedThrough, let existing = older(), existing.value.isSame(as: sample.value),
            existing.position <= position
        else { return (.duplicate, sample.mark) }
        let old = SampleMark(rawValue: existing.mark)
        guard !old.hasQuality(of: sample.mark) else { return (.duplicate, old) }
        let body = self.ownBody() ?? self.makeBody(key())
        let mark = old.withQuality(of: sample.mark)
        body.superseding += 1
        body.columns.times.insert(time, at: index)
        body.columns.values.insert(sample.value, at: index)
        body.columns.marks.insert(mark.rawValue, at: index)
        body.openCount += 1
        return (.revised(old: sample.value, oldMark: old), mark)
    }

    private static func revise(_ body: Body, _ index: Int, to sample: Sample) -> ReadingFate {
        let old = body.columns.values[index]
        let oldMark = body.columns.marks[index]
        if old.isSame(as: sample.value) { return .duplicate }
        if oldMark & SeriesHead.resident != 0 {
            body.openCount += 1
            body.superseding += 1
        }
        body.columns.values[index] = sample.value
        body.columns.marks[index] = sample.mark.rawValue
        return .revised(old: old, oldMark: SampleMark(rawValue: oldMark & ~SeriesHead.resident))
    }

    /// The body, for changing: a copy of its own where another head refers to the same.
    private mutating func ownBody() -> Body? {
        // Asked before anybody here holds it, because that would make it look shared.
        if isKnownUniquelyReferenced(&self.body) { return self.body }
        guard let shared = self.body else { return nil }
        let copy = Body(copying: shared)
        self.body = copy
        return copy
    }

    private mutating func makeBody(_ key: SeriesKey) -> Body {
        let body = Body(key: key)
        self.body = body
        return body
    }

    // MARK: Sealing

    /// The open samples, in order.
    var open: Columns {
        guard let body = self.body, body.openCount > 0 else { return Columns() }
        guard body.openCount < body.columns.count else { return body.columns }
        return body.columns.filtered(by: { body.columns.marks[$0] & SeriesHead.resident == 0 })
    }

    /// Takes note that all open samples are in a block now.
    ///
    /// `residents` says how many of the newest samples stay in memory.
    mutating func seal(keeping residents: Int) {
        let surplus = self.count - residents
        if surplus > 0, let body { self.evictedThrough = max(self.evictedThrough, body.columns.times[surplus - 1]) }
        guard residents > 0 else {
            self.body = nil
            return
        }
        guard let body = self.ownBody() else { return }
        if surplus > 0 { body.columns = body.columns.slice(surplus, body.columns.count) }
        body.columns.markAll(SeriesHead.resident)
        body.openCount = 0
        body.superseding = 0
    }

    // MARK: Import and removal

    /// Takes note of blocks that a bulk import wrote; what they hold replaces what is here.
    ///
    /// - Parameters:
    ///   - samples: What they hold.
    ///   - isInBlocks: Whether an older block has a time.
    mutating func imported(_ samples: borrowing Columns, isInBlocks: (Timestamp) -> Bool) {
        guard let last = samples.times.last else { return }
        self.evictedThrough = max(self.evictedThrough, last)
        guard let body = self.ownBody() else { return }
        let kept = body.columns.times.indices.filter { index in
            let time = body.columns.times[index]
            if body.columns.marks[index] & SeriesHead.resident != 0 { return time > last }
            guard samples.times.containsSorted(time) else { return true }
            body.openCount -= 1
            if isInBlocks(time) { body.superseding -= 1 }
            return false
        }
        if kept.count < body.columns.count { body.columns = body.columns.filtered(kept) }
    }

    /// Removes the samples in a span, which blocks do not hold any more.
    ///
    /// `isInBlocks` says whether a block had a time.
    ///
    /// - Returns: How many distinct points that were in no block went.
    mutating func remove(_ span: ClosedRange<Timestamp>, isInBlocks: (Timestamp) -> Bool) -> Int {
        guard let range = self.indices(in: span), let body = self.ownBody() else { return 0 }
        var removed = 0
        for index in range where body.columns.marks[index] & SeriesHead.resident == 0 {
            body.openCount -= 1
            if body.superseding > 0, isInBlocks(body.columns.times[index]) {
                body.superseding -= 1
            } else {
                removed += 1
            }
        }
        body.columns.removeSubrange(range)
        return removed
    }

    /// Takes note that blocks hold other samples in a span than before; open ones stay.
    ///
    /// - Parameters:
    ///   - span: Where.
    ///   - wasInBlocks: Whether a block had a time.
    ///   - isInBlocks: Whether a block has a time.
    /// - Returns: By how many the open points that are in no block became more.
    mutating func reload(
        _ span: ClosedRange<Timestamp>,
        wasInBlocks: (Timestamp) -> Bool,
        isInBlocks: (Timestamp) -> Bool
    ) -> Int {
        self.evictedThrough = max(self.evictedThrough, span.upperBound)
        guard let range = self.indices(in: span), let body = self.ownBody() else { return 0 }
        var more = 0
        for index in range where body.columns.marks[index] & SeriesHead.resident == 0 {
            let time = body.columns.times[index]
            switch (wasInBlocks(time), isInBlocks(time)) {
            case (true, false):
                body.superseding -= 1
                more += 1
            case (false, true):
                body.superseding += 1
                more -= 1
            case (true, true), (false, false): break
            }
        }
        body.columns = body.columns.filtered(by: { index in
            !range.contains(index) || body.columns.marks[index] & SeriesHead.resident == 0
        })
        return more
    }

    private func indices(in span: ClosedRange<Timestamp>) -> Range<Int>? {
        guard let body else { return nil }
        let low = body.columns.times.lowerBound(span.lowerBound)
        let high = body.columns.times.upperBound(span.upperBound)
        return low < high ? low..<high : nil
    }
}

extension Double {
    /// Equal, or both the same NaN.
    func isSame(as other: Double) -> Bool {
        self == other || self.bitPattern == other.bitPattern
    }
}
