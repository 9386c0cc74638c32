// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry

/// The samples of one series inside a window.
struct Window {
    var columns: SeriesColumns
    /// The places of the samples inside the columns.
    var first: Int
    var end: Int
    /// The borders: later than `after`, not later than `through`.
    var after: Timestamp
    var through: Timestamp

    var count: Int { self.end - self.first }
    /// Whether a sample stands exactly at the border before the window; known only where it was asked for.
    var hasSampleAtBorder: Bool { self.first > 0 && self.columns.times[self.first - 1] == self.after }
    var values: ArraySlice<Double> { self.columns.values[self.first..<self.end] }
    var times: ArraySlice<Timestamp> { self.columns.times[self.first..<self.end] }
}

/// The functions that make one number of the samples in a window.
enum WindowFunctions {
    /// `parameters` are the scalar arguments in their order, `time` is that of the evaluation; nil where the series
    /// yields no element.
    static func value(
        _ function: Function,
        of window: Window,
        parameters: [Double],
        at time: Timestamp
    ) throws -> Double? {
        let values = window.values
        switch function {
        case .rate, .increase, .delta: return self.extrapolated(function, window)
        case .irate, .idelta: return self.instantaneous(isRate: function == .irate, window)
        case .deriv:
            return LinearRegression(window, origin: window.times[window.first])?.slope
        case .predictLinear:
            guard let line = LinearRegression(window, origin: time) else { return nil }
            return line.slope * parameters[0] + line.intercept
        case .changes: return self.count(values, where: self.isChange)
        case .resets: return self.count(values, where: self.isReset)
        case .sumOverTime, .avgOverTime, .minOverTime, .maxOverTime, .countOverTime, .lastOverTime, .firstOverTime,
            .presentOverTime:
            return self.plain(function, of: window.columns.values, in: window.first..<window.end)
        case .stdvarOverTime: return variance(values)
        case .stddevOverTime: return variance(values).squareRoot()
        case .quantileOverTime: return quantile(parameters[0], Array(values))
        case .madOverTime:
            if values.contains(where: \.isNaN) { return .nan }
            let median = quantile(0.5, Array(values))
            return quantile(0.5, values.map { abs($0 - median) })
        case .tsOfFirstOverTime: return window.times[window.first].seconds
        case .tsOfLastOverTime: return window.times[window.end - 1].seconds
        case .tsOfMinOverTime: return self.extremeTime(window) { $0 <= $1 }
        case .tsOfMaxOverTime: return self.extremeTime(window) { $0 >= $1 }
        case .doubleExponentialSmoothing:
            return try self.smoothed(values, level: parameters[0], trend: parameters[1])
        case .coveredSumOverTime, .possibleSumOverTime:
            return self.rainSum(window, countsUncovered: function == .possibleSumOverTime)
        default: return nil
        }
    }

    /// The functions that need nothing but the values, without a copy of anything; nil for all others.
    ///
    /// `places` are those of the window among `values`, and not empty.
    static func plain(_ function: Function, of values: [Double], in places: Range<Int>) -> Double? {
        values.withUnsafeBufferPointer { all -> Double? in
            let values = UnsafeBufferPointer(rebasing: all[places])
            return switch function {
            case .sumOverTime: self.sum(values)
            case .avgOverTime: self.average(values)
            case .minOverTime: Extremes.minimum(values)
            case .maxOverTime: Extremes.maximum(values)
            case .countOverTime: Double(values.count)
            case .lastOverTime: values[values.count - 1]
            case .firstOverTime: values[0]
            case .presentOverTime: 1
            default: nil
            }
        }
    }

    static func isChange(_ before: Double, _ value: Double) -> Bool {
        before != value && !(before.isNaN && value.isNaN)
    }

    static func isReset(_ before: Double, _ value: Double) -> Bool { value < before }

    private static func count(_ values: ArraySlice<Double>, where differ: (Double, Double) -> Bool) -> Double {
        zip(values, values.dropFirst()).reduce(0) { $0 + (differ($1.0, $1.1) ? 1 : 0) }
    }

    private static func extremeTime(_ window: Window, where wins: (Double, Double) -> Bool) -> Double {
        var best = window.first
        for index in window.first..<window.end {
            let value = window.columns.values[index]
            let current = window.columns.values[best]
            if wins(value, current) || current.isNaN { best = index }
        }
        return window.times[best].seconds
    }

    /// `rate`, `increase` and `delta`: the difference, stretched to the borders of the window where the samples come
    /// close enough to them.
    private static func extrapolated(_ function: Function, _ window: Window) -> Double? {
        guard window.count >= 2 else { return nil }
        let values = window.values
        let isCounter = function != .delta
        let first = values[values.startIndex]
        var difference = values[values.endIndex - 1] - first
        if isCounter {
            for (before, value) in zip(values, values.dropFirst()) where value < before { difference += before }
        }
        let firstTime = window.times[window.first]
        let lastTime = window.times[window.end - 1]
        let sampled = (lastTime - firstTime).seconds
        let interval = sampled / Double(window.count - 1)
        let threshold = interval * 1.1
        var toStart = (firstTime - window.after).seconds
        var toEnd = (window.through - lastTime).seconds
        if toStart >= threshold { toStart = interval / 2 }
        if isCounter, difference > 0, first >= 0 {
            toStart = min(toStart, sampled * (first / difference))
        }
        if toEnd >= threshold { toEnd = interval / 2 }
        var factor = (sampled + toStart + toEnd) / sampled
        if function == .rate { factor /= (window.through - window.after).seconds }
        return difference * factor
    }

    private static func instantaneous(isRate: Bool, _ window: Window) -> Double? {
        guard window.count >= 2 else { return nil }
        let last = window.columns.values[window.end - 1]
        let before = window.columns.values[window.end - 2]
        let difference = isRate && last < before ? last : last - before
        let span = window.times[window.end - 1] - window.times[window.end - 2]
        guard span > 0 else { return nil }
        return isRate ? difference / span.seconds : difference
    }

    /// Holt's linear method.
    private static func smoothed(_ values: ArraySlice<Double>, level: Double, trend: Double) throws -> Double? {
        guard level > 0, level < 1 else {
            throw PromQLError(
                .execution,
                "invalid smoothing factor. Expected: 0 < sf < 1, got: \(NumberText.text(level))"
            )
        }
        guard trend > 0, trend < 1 else {
            throw PromQLError(.execution, "invalid trend factor. Expected: 0 < tf < 1, got: \(NumberText.text(trend))")
        }
        guard values.count >= 2 else { return nil }
        let start = values.startIndex
        var before = 0.0
        var smooth = values[start]
        var slope = values[start + 1] - values[start]
        for index in start + 1..<values.endIndex {
            if index > start + 1 { slope = trend * (smooth - before) + (1 - trend) * slope }
            before = smooth
            smooth = level * values[index] + (1 - level) * (smooth + slope)
        }
        return smooth
    }

    /// Sums of rain.
    ///
    /// A `gap_total` stands for the whole time since the sample before it; one that is the first in
    /// the window began before the window, unless that sample stands exactly at the border.
    private static func rainSum(_ window: Window, countsUncovered: Bool) -> Double {
        let start = !countsUncovered && self.beginsUncovered(window) ? window.first + 1 : window.first
        guard start < window.end else { return 0 }
        return self.plain(.sumOverTime, of: window.columns.values, in: start..<window.end) ?? 0
    }

    /// Whether the first sample stands for a span that begins before the window.
    static func beginsUncovered(_ window: Window) -> Bool {
        window.first < window.columns.marks.count && !window.hasSampleAtBorder
            && window.columns.marks[window.first].method == .gapTotal
    }
}
