// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The samples that an anchored or smoothed selector sees: those of its range, and those that tell what the values at its
/// borders were.
///
/// Nothing is extrapolated: what lies between the two values is the answer. An instant selector has a range without length.
struct BorderedWindow {
    let columns: SeriesColumns
    /// The last one before the range that its look-back lets reach it, those in it, and where it is smoothed and none stands
    /// at the end, the next one, as far ahead; not empty.
    let places: Range<Int>
    /// The borders of the range: later than `after`, not later than `through`.
    let after: Timestamp
    let through: Timestamp
    let isSmoothed: Bool

    /// The functions that can be asked of such windows, in the order of their names.
    static func functions(_ borders: Selector.Borders) -> [Function] {
        switch borders {
        case .anchored: [.changes, .delta, .increase, .rate, .resets]
        case .smoothed: [.delta, .increase, .rate]
        }
    }

    /// Nil where the series yields no element.
    func value(of function: Function) -> Double? {
        switch function {
        case .changes: self.count(WindowFunctions.isChange)
        case .resets: self.count(WindowFunctions.isReset)
        case .delta: self.difference(isCounter: false)
        case .increase: self.difference(isCounter: true)
        case .rate: self.difference(isCounter: true).map { $0 / (self.through - self.after).seconds }
        default: nil
        }
    }

    /// On the line through the samples around the end; where none follows, the last.
    var smoothedValue: Double? {
        let first = self.places.lowerBound
        guard self.columns.times[first] <= self.through else { return nil }
        guard self.places.count > 1 else { return self.columns.values[first] }
        return self.line(first, first + 1, at: self.through, isCounter: false)
    }

    /// The samples in the range between the values at its borders; nil where there is none.
    var points: RangeSeries? {
        guard let values = self.values(isCounter: false) else { return nil }
        return RangeSeries(
            labels: self.columns.labels,
            times: [self.after] + self.columns.times[self.inside] + [self.through],
            values: [values.left] + self.columns.values[self.inside] + [values.right]
        )
    }

    // MARK: - Values at the borders

    /// Nil where no sample is later than the beginning, or all are later than the end.
    private func values(isCounter: Bool) -> (left: Double, right: Double)? {
        let (times, values) = (self.columns.times, self.columns.values)
        let (first, last) = (self.places.lowerBound, self.places.upperBound - 1)
        guard times[last] > self.after, times[first] <= self.through else { return nil }
        let isBefore = self.isSmoothed && times[first] < self.after
        let isBehind = self.isSmoothed && times[last] > self.through
        return (
            isBefore ? self.line(first, first + 1, at: self.after, isCounter: isCounter) : values[first],
            isBehind ? self.line(last - 1, last, at: self.through, isCounter: isCounter) : values[last]
        )
    }

    /// The samples between the borders, without those that stand at one.
    private var inside: Range<Int> {
        let (first, last) = (self.places.lowerBound, self.places.upperBound - 1)
        let start = self.columns.times[first] <= self.after ? first + 1 : first
        let end = self.columns.times[last] >= self.through ? last : last + 1
        return start..<max(start, end)
    }

    /// A counter that fell is taken to have begun again at zero.
    private func line(_ before: Int, _ after: Int, at time: Timestamp, isCounter: Bool) -> Double {
        let (times, values) = (self.columns.times, self.columns.values)
        let end = values[after]
        let start = isCounter && end < values[before] ? 0 : values[before]
        return start + (end - start) * Double(time - times[before]) / Double(times[after] - times[before])
    }

    private func difference(isCounter: Bool) -> Double? {
        guard let (left, right) = self.values(isCounter: isCounter) else { return nil }
        guard isCounter else { return right - left }
        var before = left
        var lost = 0.0
        for value in self.columns.values[self.inside] + [right] {
            if WindowFunctions.isReset(before, value) { lost += before }
            before = value
        }
        return right - left + lost
    }

    /// How many pairs of neighbours are as `isCounted` says, from the sample before the range on.
    private func count(_ isCounted: (Double, Double) -> Bool) -> Double? {
        guard self.columns.times[self.places.upperBound - 1] > self.after else { return nil }
        let values = self.columns.values[self.places]
        return Double(zip(values, values.dropFirst()).count { isCounted($0.0, $0.1) })
    }
}
