// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// A value that is constant over spans of time, shown as the samples that a query needs to see it rightly.
package struct StepFunction: Sendable {
    package struct Span: Hashable, Sendable {
        /// Inclusive.
        package var start: Timestamp
        /// Exclusive; `.distantFuture` where it has no end.
        package var end: Timestamp
        package var value: Double

        package init(start: Timestamp, end: Timestamp, value: Double) {
            self.start = start
            self.end = end
            self.value = value
        }
    }

    /// A look-back that covers any validity, and keeps time arithmetic inside its range.
    package static let endlessLookback = Milliseconds.max / 4
    /// Samples at most of a long window.
    private static let windowSamples: Milliseconds = 2000

    /// In order of time, without overlap.
    package let spans: [Span]

    package init(spans: [Span]) { self.spans = spans }

    /// The samples by which a selector sees the value in force at every moment of `extent`, and nothing in the gaps.
    ///
    /// For look-back extents: the start of each span, with an endless look-back; only where the value ceases inside
    /// the extent are samples repeated, one shortest validity apart, so that none outlives its span. For windows: at
    /// least one sample a minute, or two thousand of the window.
    ///
    /// - Returns: `nil` where no value is in force in the extent.
    package func columns(_ extent: SelectExtent, labels: Labels) -> SeriesColumns? {
        switch extent {
        case .lookback(let from, let through): self.lookbackColumns(from, through, labels)
        case .window(let after, let through): self.windowColumns(after, through, labels)
        }
    }

    private func lookbackColumns(_ from: Timestamp, _ through: Timestamp, _ labels: Labels) -> SeriesColumns? {
        var times: [Timestamp] = []
        var values: [Double] = []
        var nextChange = Timestamp.distantFuture
        var shortest = Milliseconds.max
        for (index, span) in self.spans.enumerated() {
            if span.start > through {
                nextChange = min(nextChange, span.start)
                break
            }
            guard span.end > from else { continue }
            times.append(span.start)
            values.append(span.value)
            if span.end > through { nextChange = min(nextChange, span.end) }
            let isFollowed = index + 1 < self.spans.count && self.spans[index + 1].start == span.end
            if span.end <= through, !isFollowed { shortest = min(shortest, span.end - span.start) }
        }
        guard !times.isEmpty else { return nil }
        guard shortest == .max else {
            return self.repeated(from, through, every: shortest, labels: labels, nextChange: nextChange)
        }
        return SeriesColumns(
            labels: labels,
            times: times,
            values: values,
            marks: Array(repeating: SampleMark(quality: .pass), count: times.count),
            lookback: StepFunction.endlessLookback,
            nextChange: nextChange
        )
    }

    /// Samples no more than `step` apart, the last of each span exactly `step` before its end.
    private func repeated(
        _ from: Timestamp,
        _ through: Timestamp,
        every step: Milliseconds,
        labels: Labels,
        nextChange: Timestamp
    ) -> SeriesColumns {
        var times: [Timestamp] = []
        var values: [Double] = []
        for span in self.spans where span.start <= through && span.end > from {
            var spanTimes: [Timestamp] = []
            var time = span.end > through ? through : span.end - step
            while time > span.start, time > from - step {
                spanTimes.append(time)
                time = time - step
            }
            spanTimes.append(max(span.start, time))
            times += spanTimes.reversed()
            values += spanTimes.map { _ in span.value }
        }
        return SeriesColumns(
            labels: labels,
            times: times,
            values: values,
            marks: Array(repeating: SampleMark(quality: .pass), count: times.count),
            lookback: step,
            nextChange: nextChange
        )
    }

    private func windowColumns(_ after: Timestamp, _ through: Timestamp, _ labels: Labels) -> SeriesColumns? {
        let step = max(.minute, (through - after) / StepFunction.windowSamples)
        var times: [Timestamp] = []
        var values: [Double] = []
        var nextChange = Timestamp.distantFuture
        for span in self.spans where span.end > after {
            if span.start > through {
                nextChange = min(nextChange, span.start)
                break
            }
            if span.end > through { nextChange = min(nextChange, span.end) }
            let first = max(span.start, after + 1)
            let last = min(through, span.end - 1)
            guard first <= last else { continue }
            times.append(first)
            var time = Timestamp(milliseconds: (first.milliseconds / step + 1) * step)
            while time < last {
                times.append(time)
                time = time + step
            }
            if first < last { times.append(last) }
            values += Array(repeating: span.value, count: times.count - values.count)
        }
        guard !times.isEmpty else { return nil }
        return SeriesColumns(
            labels: labels,
            times: times,
            values: values,
            marks: Array(repeating: SampleMark(quality: .pass), count: times.count),
            lookback: StepFunction.endlessLookback,
            nextChange: nextChange
        )
    }
}
