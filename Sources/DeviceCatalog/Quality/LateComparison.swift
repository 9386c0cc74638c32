// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The flags of a series with one more value, or another one, beside those without it.
struct LateComparison {
    typealias Entry = QualityTrack.Entry

    private let new: Entry
    private var before: Line
    private var after: Line

    /// - Parameters:
    ///   - new: The value that comes late.
    ///   - old: The value whose place it takes.
    ///   - line: What the values before it left behind.
    init(_ new: Entry, inPlaceOf old: Entry?, behind line: Line) {
        self.new = new
        self.before = line
        self.after = line
        if let old { self.before.take(old) }
        self.after.take(new)
    }

    /// Whether all that follows is judged alike.
    var isSettled: Bool { self.before.state.agrees(with: self.after.state) }

    /// Takes the next value behind the new one.
    mutating func take(_ entry: Entry) {
        self.before.take(entry)
        self.after.take(entry)
    }

    /// The flag of the value itself.
    var ownMark: SampleMark { self.after.marks.last { $0.entry.time == self.new.time }?.mark ?? .measured }

    /// The values around it whose flags are others now, oldest first.
    var changed: [(entry: Entry, mark: SampleMark)] {
        var old: [Timestamp: SampleMark] = [:]
        for (entry, mark) in self.before.marks { old[entry.time] = mark }
        return self.after.marks.filter { entry, mark in
            entry.time != self.new.time && old[entry.time].map { !$0.hasQuality(of: mark) } ?? false
        }
    }

    /// The state behind all values that were given; nil where it is what it was.
    var head: QualityState? { self.isSettled ? nil : self.after.state }

    /// One way of going through the values.
    struct Line {
        let plan: QualityPlan
        private(set) var state = QualityState()
        /// The values whose flags may still change, and some before them.
        private(set) var marks: [(entry: Entry, mark: SampleMark)] = []

        init(plan: QualityPlan) { self.plan = plan }

        mutating func take(_ entry: Entry) {
            let verdict = self.state.take(entry.value, at: entry.time, isDoubted: entry.isDoubted, self.plan)
            if let spike = verdict.spike, let place = self.marks.lastIndex(where: { $0.entry.time == spike.time }) {
                self.marks[place].mark = SampleMark(failed: .spike)
            }
            self.marks.append((entry, verdict.mark))
        }

        /// Forgets the flags that no value to come changes.
        mutating func trim() {
            guard let open = self.state.openSpike else { return self.marks.removeAll(keepingCapacity: true) }
            let first = self.marks.firstIndex { $0.entry.time >= open } ?? self.marks.count
            self.marks.removeFirst(first)
        }
    }
}
