// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The values around one that came late, kept for the next late one of the same batch.
///
/// A backlog comes in the order of its times, mostly: the tests go on from where the last late value was.
struct LateStretch {
    typealias Entry = QualityTrack.Entry

    /// The batch of the source in which it was read; later ones may find other values.
    let batch: UInt32
    /// ``entries`` are all values in `(after, through]`.
    let after: Timestamp
    private(set) var through: Timestamp
    /// In order of time.
    private(set) var entries: [Entry]
    /// How far the next read goes.
    private(set) var step: Milliseconds
    /// What the values before ``place`` left behind.
    private(set) var line: LateComparison.Line
    /// The first value that is not in ``line``.
    private(set) var place = 0

    private let plan: QualityPlan
    private static let longestStep: Milliseconds = 60 * .day

    init(_ entries: [Entry], after: Timestamp, through: Timestamp, batch: UInt32, _ plan: QualityPlan) {
        self.batch = batch
        self.after = after
        self.through = through
        self.entries = entries
        self.step = plan.span
        self.plan = plan
        self.line = LateComparison.Line(plan: plan)
    }

    /// Whether a moment is among what was read.
    func covers(_ time: Timestamp) -> Bool { time > self.after && time <= self.through }

    /// Whether a moment is among what was read, or so short behind it that to read on is less than to read anew.
    func isNear(_ time: Timestamp) -> Bool { time > self.after && time - self.through <= self.step }

    /// The value at a moment.
    func entry(at time: Timestamp) -> Entry? { self.entries[...].entry(at: time) }

    /// Brings the line up to the values before `time`.
    ///
    /// - Returns: Whether what was before ``entries`` has no part in what follows.
    mutating func seek(_ time: Timestamp) -> Bool {
        if let last = self.line.state.last?.time, last < time {
            self.advance(to: time)
            return self.isSettled(from: self.after)
        }
        for start in [time - self.plan.span, self.after] where start >= self.after {
            self.line = LateComparison.Line(plan: self.plan)
            self.place = self.entries[...].place(of: start + 1)
            self.advance(to: time)
            if self.isSettled(from: start) { return true }
        }
        return false
    }

    private func isSettled(from start: Timestamp) -> Bool {
        start == .distantPast || self.line.state.isSettled(self.plan)
    }

    private mutating func advance(to time: Timestamp) {
        while self.place < self.entries.count, self.entries[self.place].time < time {
            self.line.take(self.entries[self.place])
            self.place += 1
        }
        self.line.trim()
    }

    /// Adds what was read behind ``through``.
    mutating func extend(_ entries: [Entry], through: Timestamp) {
        self.entries += entries
        self.through = through
        self.step = min(2 * self.step, max(self.step, Self.longestStep))
    }

    /// Takes a value that came meanwhile: a late one, or the newest.
    mutating func put(_ entry: Entry) {
        if self.covers(entry.time) { self.entries.put(entry) }
    }
}

extension QualityPlan {
    /// So far around a value the values are read that may have a part in its flag, and it in theirs; most often they have.
    var span: Milliseconds { 4 * self.reach }
}

extension ArraySlice<QualityTrack.Entry> {
    /// The place of the first that is not before `time`.
    func place(of time: Timestamp) -> Int {
        var (low, high) = (self.startIndex, self.endIndex)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].time < time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func entry(at time: Timestamp) -> Element? {
        let place = self.place(of: time)
        return place < self.endIndex && self[place].time == time ? self[place] : nil
    }

    /// Those in `(after, through]`.
    func within(after: Timestamp, through: Timestamp) -> Self {
        self[self.place(of: after + 1)..<self.place(of: through + 1)]
    }
}

extension [QualityTrack.Entry] {
    /// Puts one in its place from `first` on, or in that of the one of its time.
    mutating func put(_ entry: Element, from first: Int = 0) {
        let place = self[first...].place(of: entry.time)
        if place < self.count, self[place].time == entry.time {
            self[place] = entry
        } else {
            self.insert(entry, at: place)
        }
    }
}
