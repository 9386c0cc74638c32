// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Telemetry

/// What is known of one series while its readings come in; shared by all snapshots of the catalogue.
///
/// Besides the state of the tests it keeps the values that the store may not show yet, because their batch waits for the
/// rules. A value that comes late is judged among its neighbours, and those whose flags it changes are given out anew.
final class QualityTrack: Sendable {
    /// A value that takes part in tests.
    struct Entry: Sendable {
        var time: Timestamp
        var value: Double
        /// Whether who sent it called it suspect: no test takes that back.
        var isDoubted: Bool
        /// Which batch of its source it came with.
        var batch: UInt32
    }

    private struct State {
        /// Whether ``head`` is that of what is stored: not before the first value since the start.
        var isOpen = false
        var head = QualityState()
        /// In order of time, from ``first`` on.
        var entries: [Entry] = []
        var first = 0
        /// What was read for values that came late.
        var stretch: LateStretch?
        /// The batch in which a value was looked up by itself last.
        var lookup: UInt32?

        /// How far to read: from the newest value on there is nothing to be left out.
        func end(_ time: Timestamp) -> Timestamp { time < self.head.last?.time ?? .distantPast ? time : .distantFuture }
    }

    /// After so many further numbers of batches the store shows what one of them held: 64 batches wait for the rules at most, as
    /// many are in their hands, and one that others interrupt takes two numbers.
    private static let batchesUnderWay: UInt32 = 288

    private let series: SeriesKey
    private let state = Mutex(State())

    init(series: SeriesKey) { self.series = series }

    /// Flags a reading that nobody doubts yet, moves one that has no time of its own to one that is free, and adds the readings before and
    /// behind whose flags change with it.
    ///
    /// - Parameters:
    ///   - reading: What came; its mark is that of its sender.
    ///   - plan: The tests.
    ///   - batch: Rises with each batch of the source.
    ///   - history: The store; without it all values are kept here.
    ///   - revisions: Takes the other flags.
    func examine(
        _ reading: inout ResolvedReading,
        plan: QualityPlan,
        batch: UInt32,
        history: (any SeriesReader)?,
        revisions: inout [ResolvedReading]
    ) {
        let mark = reading.sample.mark
        let isTested = QualityFlags.isTested(mark)
        guard isTested || QualityFlags.isReadByHand(mark) else { return }
        // What is impossible has no part in any other test.
        if plan.isImpossible(reading.sample.value) {
            reading.sample.mark = mark.withQuality(of: SampleMark(quality: .fail))
            return
        }
        guard isTested, !plan.isOfBoundsAlone else { return }
        self.state.withLock { state in
            if !state.isOpen, !self.open(&state, plan, history, before: reading.sample.time) {
                // The store cannot be read: what the value alone says.
                let verdict = plan.judge(reading.sample.value, at: reading.sample.time)
                reading.sample.mark = Self.combined(mark, with: verdict)
                return
            }
            if let newest = state.head.last?.time, reading.sample.time <= newest {
                if !reading.hasOwnTime, newest - reading.sample.time < .second {
                    reading.sample.time = newest + 1
                } else {
                    self.insert(&reading, &state, plan, batch, history, &revisions)
                    return
                }
            }
            let sample = reading.sample
            let isDoubted = mark.quality == .suspect
            let verdict = state.head.take(sample.value, at: sample.time, isDoubted: isDoubted, plan)
            if let spike = verdict.spike {
                revisions.append(self.revision(of: spike.time, spike.value, to: SampleMark(failed: .spike)))
            }
            reading.sample.mark = Self.combined(mark, with: verdict.mark)
            let entry = Entry(time: sample.time, value: sample.value, isDoubted: isDoubted, batch: batch)
            Self.keep(entry, &state, hasHistory: history != nil)
        }
    }

    /// Forgets values whose batch was not committed: they come again, and are then tested as for the first time.
    func forget(_ times: Set<Timestamp>) {
        self.state.withLock { state in
            state.entries = state.entries[state.first...].filter { !times.contains($0.time) }
            state.first = 0
            state.isOpen = false
            state.stretch = nil
            state.lookup = nil
        }
    }

    /// The flag of a reading that comes in: who doubts it already, its sender or the counter it follows from, stays right.
    private static func combined(_ mark: SampleMark, with verdict: SampleMark) -> SampleMark {
        mark.quality == .suspect && verdict.quality != .fail ? mark : mark.withQuality(of: verdict)
    }

    private func revision(of time: Timestamp, _ value: Double, to mark: SampleMark) -> ResolvedReading {
        let sample = Sample(time: time, value: value, mark: mark)
        return ResolvedReading(series: self.series, sample: sample, hasOwnTime: true, isRevision: true)
    }

    private static func keep(_ entry: Entry, _ state: inout State, hasHistory: Bool) {
        state.entries.append(entry)
        if state.stretch?.batch != entry.batch { state.stretch = nil }
        state.stretch?.put(entry)
        guard hasHistory else { return }
        while state.first < state.entries.count - 1,
            entry.batch &- state.entries[state.first].batch > self.batchesUnderWay
        { state.first += 1 }
        if state.first >= 32, state.first * 2 > state.entries.count {
            state.entries.removeFirst(state.first)
            state.first = 0
        }
    }

    // MARK: What the store holds

    /// Brings the state of the tests up to the newest value that is stored.
    ///
    /// - Returns: Whether the store could be read.
    private func open(
        _ state: inout State,
        _ plan: QualityPlan,
        _ history: (any SeriesReader)?,
        before time: Timestamp
    ) -> Bool {
        guard let stretch = self.stretch(around: time, through: .distantFuture, plan, 0, history, state) else {
            return false
        }
        var head = QualityState()
        for entry in stretch.entries {
            _ = head.take(entry.value, at: entry.time, isDoubted: entry.isDoubted, plan)
        }
        state.head = head
        state.isOpen = true
        return true
    }

    /// The values from some time before `time` through a moment, so long before that what was earlier has no part in its flag.
    ///
    /// - Returns: Nil where the store cannot be read.
    private func stretch(
        around time: Timestamp,
        through: Timestamp,
        _ plan: QualityPlan,
        _ batch: UInt32,
        _ history: (any SeriesReader)?,
        _ state: borrowing State
    ) -> LateStretch? {
        let spans: [Milliseconds] = [plan.span, 60 * .day]
        for after in spans.map({ time - $0 }) + [.distantPast] {
            guard let entries = self.entries(after: after, through: through, plan, history, state) else { return nil }
            var stretch = LateStretch(entries, after: after, through: through, batch: batch, plan)
            if stretch.seek(time) { return stretch }
        }
        return nil
    }

    /// The values in `(after, through]`: what is stored, and what came since.
    ///
    /// - Returns: Nil where the store cannot be read.
    private func entries(
        after: Timestamp,
        through: Timestamp,
        _ plan: QualityPlan,
        _ history: (any SeriesReader)?,
        _ state: borrowing State
    ) -> [Entry]? {
        let newer = state.entries[state.first...].within(after: after, through: through)
        guard let history else { return Array(newer) }
        guard var entries = self.stored(in: history, after: after, through: through, plan) else { return nil }
        Self.merge(newer, into: &entries)
        return entries
    }

    private func stored(
        in history: any SeriesReader,
        after: Timestamp,
        through: Timestamp,
        _ plan: QualityPlan
    ) -> [Entry]? {
        let request = SelectRequest(
            matchers: self.series.labels.matchers,
            extent: .window(after: after, through: through),
            qualities: QualitySet.raising
        )
        guard let found = try? history.select(request) else { return nil }
        guard let columns = found.first(where: { $0.labels == self.series.labels }) else { return [] }
        guard let doubt = try? StandingDoubt(plan, of: columns, in: history) else { return nil }
        return columns.times.indices.compactMap { index in
            let (value, mark) = (columns.values[index], columns.marks[index])
            guard QualityFlags.isTested(mark), value.isFinite, !plan.isImpossible(value) else { return nil }
            return Entry(
                time: columns.times[index],
                value: value,
                isDoubted: doubt.holds(mark, at: columns.times[index]),
                batch: 0
            )
        }
    }

    private static func merge(_ newer: ArraySlice<Entry>, into entries: inout [Entry]) {
        guard let first = newer.first else { return }
        let tail = entries.drop { $0.time < first.time }
        guard !tail.isEmpty else { return entries.append(contentsOf: newer) }
        var merged: [Entry] = Array(entries.prefix(entries.count - tail.count))
        var (left, right) = (tail, newer)
        while let a = left.first, let b = right.first {
            if a.time < b.time {
                merged.append(a)
                left.removeFirst()
            } else {
                if a.time == b.time { left.removeFirst() }
                merged.append(b)
                right.removeFirst()
            }
        }
        entries = merged + left + right
    }

    // MARK: What comes late

    /// Judges a value that belongs before the newest one, or in the place of one, and finds whose flags change.
    private func insert(
        _ reading: inout ResolvedReading,
        _ state: inout State,
        _ plan: QualityPlan,
        _ batch: UInt32,
        _ history: (any SeriesReader)?,
        _ revisions: inout [ResolvedReading]
    ) {
        let (time, mark) = (reading.sample.time, reading.sample.mark)
        let new = Entry(
            time: time,
            value: reading.sample.value,
            isDoubted: mark.quality == .suspect,
            batch: batch
        )
        guard !self.isKnown(new, &state, plan, history),
            let comparison = self.comparison(of: new, &state, plan, history)
        else {
            // A value that is stored already, with its flag, or a store that cannot be read: what the value alone says.
            reading.sample.mark = Self.combined(mark, with: plan.judge(reading.sample.value, at: time))
            return
        }
        reading.sample.mark = Self.combined(mark, with: comparison.ownMark)
        for (entry, mark) in comparison.changed where !entry.isDoubted {
            revisions.append(self.revision(of: entry.time, entry.value, to: mark))
        }
        if let head = comparison.head { state.head = head }
        state.entries.put(new, from: state.first)
        state.stretch?.put(new)
    }

    /// Whether a value came before: the store leaves it out, whatever its flag.
    ///
    /// The first late value of a batch is looked up by itself, as redelivered messages are short; the others in what was
    /// read around it.
    private func isKnown(
        _ new: Entry,
        _ state: inout State,
        _ plan: QualityPlan,
        _ history: (any SeriesReader)?
    ) -> Bool {
        if let kept = state.entries[state.first...].entry(at: new.time) { return kept.value == new.value }
        if let stretch = state.stretch, stretch.batch == new.batch, stretch.covers(new.time) {
            return stretch.entry(at: new.time)?.value == new.value
        }
        guard let history, state.lookup != new.batch else { return false }
        state.lookup = new.batch
        return self.stored(in: history, after: new.time - 1, through: new.time, plan)?.first?.value == new.value
    }

    /// The flags with a late value and without it; what was read for it is kept.
    ///
    /// - Returns: Nil where the store cannot be read.
    private func comparison(
        of new: Entry,
        _ state: inout State,
        _ plan: QualityPlan,
        _ history: (any SeriesReader)?
    ) -> LateComparison? {
        guard var stretch = self.stretch(for: new, &state, plan, history) else { return nil }
        var place = stretch.place
        let old = stretch.entry(at: new.time)
        if old != nil { place += 1 }
        var comparison = LateComparison(new, inPlaceOf: old, behind: stretch.line)
        while !comparison.isSettled {
            if place < stretch.entries.count {
                comparison.take(stretch.entries[place])
                place += 1
            } else {
                guard stretch.through < .distantFuture else { break }
                guard self.extend(&stretch, plan, history, state) else { return nil }
            }
        }
        state.stretch = stretch
        return comparison
    }

    /// What is known around a late value, with the state of the tests before it.
    private func stretch(
        for new: Entry,
        _ state: inout State,
        _ plan: QualityPlan,
        _ history: (any SeriesReader)?
    ) -> LateStretch? {
        if var kept = state.stretch.take(), kept.batch == new.batch, kept.isNear(new.time) {
            while !kept.covers(new.time) {
                guard self.extend(&kept, plan, history, state) else { return nil }
            }
            if kept.seek(new.time) { return kept }
        }
        let through = state.end(new.time + plan.span)
        return self.stretch(around: new.time, through: through, plan, new.batch, history, state)
    }

    /// Reads on behind what is known around a late value.
    ///
    /// - Returns: Whether the store could be read.
    private func extend(
        _ stretch: inout LateStretch,
        _ plan: QualityPlan,
        _ history: (any SeriesReader)?,
        _ state: borrowing State
    ) -> Bool {
        let through = state.end(stretch.through + stretch.step)
        guard let more = self.entries(after: stretch.through, through: through, plan, history, state) else {
            return false
        }
        stretch.extend(more, through: through)
        return true
    }
}

extension QualityPlan {
    /// Outside physical bounds, or not a number.
    @inline(__always)
    func isImpossible(_ value: Double) -> Bool { !(value >= self.lowest && value <= self.highest) }
}
