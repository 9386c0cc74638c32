// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// What all parts of one run of a query share, and nobody changes.
struct RunFrame: Sendable {
    let options: EvaluationOptions
    /// The first and the last evaluation time.
    let from: Timestamp
    let through: Timestamp
    /// The distance between evaluation times; 0 for an instant query.
    let step: Milliseconds
    /// See ``Query/days``.
    let days: CalendarDays?

    var isInstant: Bool { self.step == 0 }
    /// Whether evidence and the next change are found out.
    var tracks: Bool { self.isInstant && self.options.findsEvidence }

    /// When a selector or subquery with these modifiers looks from, evaluated at `time`.
    @inline(__always)
    func moment(_ modifiers: TimeModifiers, at time: Timestamp) -> Timestamp {
        switch modifiers.at {
        case nil: time - modifiers.offset
        case .start: self.from - modifiers.offset
        case .end: self.through - modifiers.offset
        case .time(let fixed): fixed - modifiers.offset
        }
    }

    /// The samples that a range of `length` sees through `moment`: the newest so many ms, or calendar days.
    @inline(__always)
    func window(_ length: Milliseconds, through moment: Timestamp) -> TimeWindow {
        guard let days = self.days, days.count(length) else {
            return TimeWindow(after: moment - length, through: moment)
        }
        return TimeWindow(after: days.windowStart(through: moment, length: length), through: moment)
    }

    func compare(_ operation: BinaryOperator, _ left: Double, _ right: Double) -> Bool {
        Evaluation.compare(operation, left, right, rounded: self.options.roundsComparisons)
    }
}

/// What an instant evaluation finds out on the way.
struct Findings: Sendable {
    var evidence: Evidence = []
    var newestSample = Timestamp.distantPast
    var nextChange = Timestamp.distantFuture

    mutating func formUnion(_ other: Findings) {
        self.evidence.formUnion(other.evidence)
        self.newestSample = max(self.newestSample, other.newestSample)
        self.nextChange = min(self.nextChange, other.nextChange)
    }

    /// Notes a time at which a sample that was seen `offset` before the evaluation ceases to be seen.
    @inline(__always)
    mutating func noteChange(_ time: Timestamp, _ modifiers: TimeModifiers) {
        if case .time? = modifiers.at { return }
        let change = time + modifiers.offset
        if change < self.nextChange { self.nextChange = change }
    }

    /// Notes when the next sample that is stored already, behind an offset, comes into view.
    mutating func noteArrival(after index: Int, of series: SeriesColumns, _ modifiers: TimeModifiers) {
        guard modifiers.offset > 0, index < series.times.count else { return }
        self.noteChange(series.times[index], modifiers)
    }

    /// Mostly all marks of a window are the same.
    mutating func noteEvidence(_ marks: ArraySlice<SampleMark>) {
        var last: SampleMark?
        for mark in marks where mark != last {
            self.evidence.formUnion(Evidence(mark))
            last = mark
        }
    }
}
