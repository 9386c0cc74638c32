// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Samples of one series in somebody else's memory, by rising time and without stale markers, for the time of a call.
///
/// The series grows at its end, and its oldest samples are let go of. They may lie in a ring: the one after the last place
/// of the memory is the one at its first.
package struct SampleRun {
    private let memory: UnsafeBufferPointer<Sample>
    /// The place of the first sample in the memory.
    private let head: Int
    let count: Int
    /// How long a sample counts as the newest value.
    let lookback: Milliseconds
    /// How many samples stood before the first, so that places in the series stay the same.
    let base: Int

    /// `count` samples from `head` on, both not beyond the end of `memory`.
    package init(
        _ memory: UnsafeBufferPointer<Sample>,
        head: Int = 0,
        count: Int? = nil,
        lookback: Milliseconds,
        base: Int
    ) {
        self.memory = memory
        self.head = head
        self.count = count ?? memory.count
        self.lookback = lookback
        self.base = base
    }

    subscript(index: Int) -> Sample {
        let place = self.head + index
        return self.memory[place < self.memory.count ? place : place - self.memory.count]
    }

    /// How many samples are not later than `moment`; quick where the answer is close to `guess`.
    func count(through moment: Timestamp, near guess: Int) -> Int {
        var count = min(max(0, guess), self.count)
        while count < self.count, self[count].time <= moment { count += 1 }
        while count > 0, self[count - 1].time > moment { count -= 1 }
        return count
    }
}

/// The samples of a run inside a window.
struct SampleWindow {
    let run: SampleRun
    /// The places of the samples inside the run.
    let first: Int
    let end: Int
    /// The borders: later than `after`, not later than `through`.
    let after: Timestamp
    let through: Timestamp

    var count: Int { self.end - self.first }

    /// See ``WindowFunctions/beginsUncovered(_:)``.
    var beginsUncovered: Bool { self.beginsWithTotal && !self.hasSampleAtBorder }

    /// Whether the first sample would begin uncovered a moment later.
    var isCoveredByBorder: Bool { self.beginsWithTotal && self.hasSampleAtBorder }

    private var beginsWithTotal: Bool { self.run[self.first].mark.method == .gapTotal }

    /// Whether a sample stands exactly at the border before the window.
    private var hasSampleAtBorder: Bool { self.first > 0 && self.run[self.first - 1].time == self.after }

    /// The same in columns, for the functions that look at all samples.
    var columns: Window {
        // The one before tells whether a sample stands at the border.
        let start = max(0, self.first - 1)
        var columns = SeriesColumns(labels: .empty, times: [], values: [], marks: [], lookback: self.run.lookback)
        for place in start..<self.end {
            let sample = self.run[place]
            columns.times.append(sample.time)
            columns.values.append(sample.value)
            columns.marks.append(sample.mark)
        }
        return Window(
            columns: columns,
            first: self.first - start,
            end: self.end - start,
            after: self.after,
            through: self.through
        )
    }
}
