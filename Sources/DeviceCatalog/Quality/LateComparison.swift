// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The flags of a series with one more value, or another one, beside those without it.
struct LateComparison {
    typealias Entry = QualityTrack.Entry

    /// The flag of the value itself.
    private(set) var ownMark = SampleMark.measured
    /// The values around it whose flags are others now, oldest first.
    private(set) var changed: [(entry: Entry, mark: SampleMark)] = []
    /// The state behind the newest value; nil where it is what it was.
    private(set) var head: QualityState?

    private let new: Entry
    private let entries: [Entry]
    private let plan: QualityPlan

    /// - Parameters:
    ///   - new: Its time may be that of one of the entries, whose place it takes.
    ///   - entries: In order of time; from so early on that what was before has no part in this.
    ///   - plan: The tests.
    init(_ new: Entry, among entries: [Entry], _ plan: QualityPlan) {
        self.new = new
        self.entries = entries
        self.plan = plan
    }

    mutating func run() {
        var before = Line(plan: self.plan)
        var index = 0
        while index < self.entries.count, self.entries[index].time < self.new.time {
            before.take(self.entries[index])
            index += 1
        }
        // From here on both ways at once, until what follows is judged alike.
        var after = before
        if index < self.entries.count, self.entries[index].time == self.new.time {
            before.take(self.entries[index])
            index += 1
        }
        after.take(self.new)
        while index < self.entries.count, !before.state.agrees(with: after.state) {
            before.take(self.entries[index])
            after.take(self.entries[index])
            index += 1
        }
        if !before.state.agrees(with: after.state) { self.head = after.state }
        self.ownMark = after.marks.last { $0.entry.time == self.new.time }?.mark ?? self.ownMark
        var old: [Timestamp: SampleMark] = [:]
        for (entry, mark) in before.marks { old[entry.time] = mark }
        self.changed = after.marks.filter { entry, mark in
            entry.time != self.new.time && old[entry.time].map { !$0.hasQuality(of: mark) } ?? false
        }
    }

    /// One way of going through the values.
    private struct Line {
        let plan: QualityPlan
        var state = QualityState()
        var marks: [(entry: Entry, mark: SampleMark)] = []

        init(plan: QualityPlan) { self.plan = plan }

        mutating func take(_ entry: Entry) {
            let verdict = self.state.take(entry.value, at: entry.time, isDoubted: entry.isDoubted, self.plan)
            if let spike = verdict.spike, let place = self.marks.lastIndex(where: { $0.entry.time == spike.time }) {
                self.marks[place].mark = SampleMark(failed: .spike)
            }
            self.marks.append((entry, verdict.mark))
        }
    }
}
