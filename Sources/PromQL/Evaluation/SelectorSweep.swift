// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Goes over the samples of one series after the other, and says at every step of a grid what a selector sees.
///
/// Times rise, so that the places in the series rise, too: a step costs what lies between it and the one before.
struct SelectorSweep: Sendable {
    let plan: SelectorPlan
    let grid: StepGrid
    let frame: RunFrame

    /// What stands for a visible sample.
    enum Shown { case value, time }

    private var modifiers: TimeModifiers { self.plan.selector.modifiers }
    private var tracksChanges: Bool { self.frame.tracks && !self.plan.isInSubquery }

    /// Notes up to where an offset selector has looked ahead for samples.
    func notePeek(_ findings: inout Findings) {
        guard self.frame.tracks, self.plan.selector.offset > self.plan.peek, !self.plan.isInSubquery else { return }
        for time in self.grid.times {
            findings.noteChange(self.frame.moment(self.modifiers, at: time) + self.plan.peek, self.modifiers)
        }
    }

    // MARK: Instant selectors

    /// The newest sample that is not older than the look-back.
    func fill(
        _ row: UnsafeMutableBufferPointer<Double>,
        from series: SeriesColumns,
        showing shown: Shown,
        _ findings: inout Findings
    ) {
        let isComputed = series.nextChange != nil
        let lookback = isComputed ? series.lookback : self.frame.options.strictLookback ?? series.lookback
        let modifiers = self.modifiers
        var end = 0
        for step in 0..<self.grid.count {
            let moment = self.frame.moment(modifiers, at: self.grid.times[step])
            end = series.times.advance(end, past: moment)
            if self.tracksChanges {
                if let change = series.nextChange, change > moment { findings.noteChange(change, modifiers) }
                findings.noteArrival(after: end, of: series, modifiers)
            }
            guard end > 0 else { continue }
            let time = series.times[end - 1]
            let value = series.values[end - 1]
            let expiry = time + lookback
            guard expiry > moment, !value.isStaleMarker else { continue }
            if self.frame.tracks {
                findings.evidence.formUnion(Evidence(series.marks[end - 1]))
                if !isComputed {
                    findings.newestSample = max(findings.newestSample, time)
                    if self.tracksChanges { findings.noteChange(expiry, modifiers) }
                }
            }
            row[step] = shown == .value ? value : time.seconds
        }
    }

    // MARK: Windows

    /// Calls `body` with each step whose window holds samples, and the places of those.
    @inline(__always)
    func eachWindow(
        of series: SeriesColumns,
        _ findings: inout Findings,
        _ body: (_ step: Int, _ places: Range<Int>, _ window: TimeWindow) throws -> Void
    ) rethrows {
        let modifiers = self.modifiers
        let length = self.plan.selector.window ?? 0
        var first = 0
        var end = 0
        for step in 0..<self.grid.count {
            let window = self.frame.window(length, through: self.frame.moment(modifiers, at: self.grid.times[step]))
            let (after, through) = (window.after, window.through)
            first = series.times.advance(first, past: after)
            end = series.times.advance(max(end, first), past: through)
            if self.tracksChanges {
                findings.noteArrival(after: end, of: series, modifiers)
                if let change = series.nextChange, change > through { findings.noteChange(change, modifiers) }
            }
            guard first < end else { continue }
            if self.frame.tracks {
                findings.noteEvidence(series.marks[first..<end])
                if series.nextChange == nil {
                    findings.newestSample = max(findings.newestSample, series.times[end - 1])
                }
                if self.tracksChanges, let days = self.frame.days, days.count(length) {
                    findings.noteChange(days.turn(after: through), modifiers)
                } else if self.tracksChanges {
                    findings.noteChange(series.times[first] + length, modifiers)
                    // A total that is covered by the sample at the border no longer is when that falls behind.
                    if first > 0, series.times[first - 1] == after, series.marks[first].method == .gapTotal {
                        findings.noteChange(through + 1, modifiers)
                    }
                }
            }
            try body(step, first..<end, window)
        }
    }
}

extension SelectorSweep {
    /// Calls `body` with each step around whose window, or moment, an anchored or smoothed selector sees samples; they
    /// have no stale markers.
    @inline(__always)
    func eachBorderedWindow(
        of series: SeriesColumns,
        _ findings: inout Findings,
        _ body: (_ step: Int, _ window: BorderedWindow) -> Void
    ) {
        let selector = self.plan.selector
        let length = selector.window ?? 0
        let isComputed = series.nextChange != nil
        let lookback = isComputed ? series.lookback : self.frame.options.strictLookback ?? series.lookback
        let isSmoothed = selector.borders == .smoothed
        // What is in force needs no line to what will be.
        let ahead = isSmoothed && !isComputed ? lookback : 0
        // How many samples are forgotten, stand before the range, stand before its end, are visible.
        var (forgotten, before, inside, end) = (0, 0, 0, 0)
        for step in 0..<self.grid.count {
            let moment = self.frame.moment(selector.modifiers, at: self.grid.times[step])
            let window = self.frame.window(length, through: moment)
            forgotten = series.times.advance(forgotten, past: window.after - lookback)
            before = series.times.advance(max(before, forgotten), past: window.after)
            inside = series.times.advance(max(inside, forgotten), past: window.through - 1)
            end = series.times.advance(max(end, forgotten), past: window.through + ahead)
            if self.tracksChanges {
                findings.noteArrival(after: end, of: series, selector.modifiers)
                if let change = series.nextChange, change > moment { findings.noteChange(change, selector.modifiers) }
            }
            let places =
                max(forgotten, before - 1)..<max(forgotten, before - 1, isSmoothed ? min(end, inside + 1) : end)
            guard !places.isEmpty else { continue }
            if self.frame.tracks {
                findings.noteEvidence(series.marks[places])
                if !isComputed {
                    findings.newestSample = max(findings.newestSample, series.times[places.upperBound - 1])
                }
                if self.tracksChanges { self.noteChanges(of: series, places, window, lookback, &findings) }
            }
            body(
                step,
                BorderedWindow(
                    columns: series,
                    places: places,
                    after: window.after,
                    through: window.through,
                    isSmoothed: isSmoothed
                )
            )
        }
    }

    /// When a sample falls behind the beginning of the window, and when the one before is forgotten.
    private func noteChanges(
        of series: SeriesColumns,
        _ places: Range<Int>,
        _ window: TimeWindow,
        _ lookback: Milliseconds,
        _ findings: inout Findings
    ) {
        let length = window.through - window.after
        if let days = self.frame.days, days.count(self.plan.selector.window ?? 0) {
            findings.noteChange(days.turn(after: window.through), self.modifiers)
        } else if let inside = places.first(where: { series.times[$0] > window.after }) {
            findings.noteChange(series.times[inside] + length, self.modifiers)
        }
        findings.noteChange(series.times[places.lowerBound] + length + lookback, self.modifiers)
    }
}

extension SelectorPlan {
    /// How far an offset selector looks ahead for the sample that will come into view next.
    var peek: Milliseconds { Swift.max(self.selector.window ?? 0, 10 * .minute) }
}

extension SeriesColumns {
    /// Without Prometheus's marks for the end of a series: windows do not see them.
    var withoutStaleMarkers: SeriesColumns {
        guard self.hasStaleMarker else { return self }
        let kept = self.values.indices.filter { !self.values[$0].isStaleMarker }
        var result = self
        result.times = kept.map { self.times[$0] }
        result.marks = kept.map { self.marks[$0] }
        result.values = kept.map { self.values[$0] }
        return result
    }
}

extension [Timestamp] {
    /// How many times are not later than `moment`, in sorted times of which the first `known` are not.
    @inline(__always)
    func advance(_ known: Int, past moment: Timestamp) -> Int {
        self.withUnsafeBufferPointer { times in
            guard known < times.count, times[known] <= moment else { return known }
            var low = known
            var step = 1
            while low + step < times.count, times[low + step] <= moment {
                low += step
                step *= 2
            }
            var high = Swift.min(times.count, low + step)
            low += 1
            while low < high {
                let middle = (low + high) / 2
                if times[middle] <= moment { low = middle + 1 } else { high = middle }
            }
            return low
        }
    }

    /// How many times are not later than `moment`, in sorted times; quick where the answer is close to `guess`.
    func count(through moment: Timestamp, near guess: Int) -> Int {
        if guess <= self.count, guess == 0 || self[guess - 1] <= moment { return self.advance(guess, past: moment) }
        var low = 0
        var high = Swift.min(guess - 1, self.count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] <= moment { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
