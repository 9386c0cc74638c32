// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The windows of one series at the steps of a grid.
struct SeriesWindows {
    let series: SeriesColumns
    let spans: [TimeWindow]
    /// For each step which samples lie in its window; neither bound falls from step to step, but for empty ranges.
    var places: [Range<Int>]

    init(series: SeriesColumns, spans: [TimeWindow]) {
        self.series = series
        self.spans = spans
        self.places = Array(repeating: 0..<0, count: spans.count)
    }

    func window(_ step: Int) -> Window {
        Window(
            columns: self.series,
            first: self.places[step].lowerBound,
            end: self.places[step].upperBound,
            after: self.spans[step].after,
            through: self.spans[step].through
        )
    }

    /// Whether samples lie in so many windows that it pays to carry on from one to the next.
    var overlap: Bool {
        guard self.places.count > 1 else { return false }
        return self.places.reduce(0) { $0 + $1.count } > 3 * self.series.times.count
    }
}

/// A function that makes one number of the samples in a window, over the successive windows of a series.
///
/// Where windows overlap, sums of decimals, extremes, quantiles and counts carry on from one window to the next; the other functions
/// look at every sample of every window. The results are those of ``WindowFunctions``, to the bit.
struct WindowFunction: Sendable {
    let function: Function
    let parameters: [ScalarSteps]
    /// The evaluation times.
    let times: [Timestamp]

    /// Writes the result of every window that has one.
    func fill(_ row: UnsafeMutableBufferPointer<Double>, _ windows: SeriesWindows) throws {
        switch self.function {
        case .sumOverTime where windows.overlap: self.fillSums(row, windows, isAverage: false)
        case .avgOverTime where windows.overlap: self.fillSums(row, windows, isAverage: true)
        case .minOverTime where windows.overlap: self.fillExtremes(row, windows, wins: <)
        case .maxOverTime where windows.overlap: self.fillExtremes(row, windows, wins: >)
        case .quantileOverTime where windows.overlap: self.fillQuantiles(row, windows)
        case .changes where windows.overlap: self.fillCounts(row, windows, of: WindowFunctions.isChange)
        case .resets where windows.overlap: self.fillCounts(row, windows, of: WindowFunctions.isReset)
        case .sumOverTime: self.fill(row, windows) { WindowFunctions.sum($0) }
        case .avgOverTime: self.fill(row, windows) { WindowFunctions.average($0) }
        case .minOverTime: self.fill(row, windows) { Extremes.minimum($0) }
        case .maxOverTime: self.fill(row, windows) { Extremes.maximum($0) }
        case .countOverTime: self.fill(row, windows) { Double($0.count) }
        case .presentOverTime: self.fill(row, windows) { _ in 1 }
        case .lastOverTime: self.fill(row, windows) { $0[$0.count - 1] }
        case .firstOverTime: self.fill(row, windows) { $0[0] }
        case .deriv: self.fillSlopes(row, windows)
        default: try self.fillOneByOne(row, windows)
        }
    }

    /// What the reader's summaries say of a window; nil for functions that need the samples.
    var summary: (@Sendable (SeriesSummary) -> Double)? {
        switch self.function {
        case .sumOverTime: { $0.sum }
        case .avgOverTime: { $0.sum / Double($0.count) }
        case .minOverTime: { $0.minimum }
        case .maxOverTime: { $0.maximum }
        case .countOverTime: { Double($0.count) }
        case .firstOverTime: { $0.first }
        case .lastOverTime: { $0.last }
        case .presentOverTime: { _ in 1 }
        default: nil
        }
    }

    @inline(__always)
    private func fill(
        _ row: UnsafeMutableBufferPointer<Double>,
        _ windows: SeriesWindows,
        _ value: (UnsafeBufferPointer<Double>) -> Double
    ) {
        windows.series.values.withUnsafeBufferPointer { values in
            for (step, places) in windows.places.enumerated() where !places.isEmpty {
                row[step] = value(UnsafeBufferPointer(rebasing: values[places]))
            }
        }
    }

    private func fillSlopes(_ row: UnsafeMutableBufferPointer<Double>, _ windows: SeriesWindows) {
        windows.series.times.withUnsafeBufferPointer { times in
            windows.series.values.withUnsafeBufferPointer { values in
                for (step, places) in windows.places.enumerated() where places.count >= 2 {
                    let line = LinearRegression.fit(
                        UnsafeBufferPointer(rebasing: times[places]),
                        UnsafeBufferPointer(rebasing: values[places]),
                        times[places.lowerBound]
                    )
                    row[step] = line.slope
                }
            }
        }
    }

    private func fillOneByOne(_ row: UnsafeMutableBufferPointer<Double>, _ windows: SeriesWindows) throws {
        for (step, places) in windows.places.enumerated() where !places.isEmpty {
            let value = try WindowFunctions.value(
                self.function,
                of: windows.window(step),
                parameters: self.parameters.map { $0[step] },
                at: self.times[step]
            )
            if let value { row[step] = value }
        }
    }

    private func fillSums(_ row: UnsafeMutableBufferPointer<Double>, _ windows: SeriesWindows, isAverage: Bool) {
        windows.series.values.withUnsafeBufferPointer { values in
            let sums = DecimalSums(values)
            for (step, places) in windows.places.enumerated() where !places.isEmpty {
                if let sum = sums.sum(places) {
                    row[step] = isAverage ? sum / Double(places.count) : sum
                } else {
                    let window = UnsafeBufferPointer(rebasing: values[places])
                    row[step] = isAverage ? WindowFunctions.average(window) : WindowFunctions.sum(window)
                }
            }
        }
    }

    /// By a queue of the samples that can still be the extreme of a later window, the present one's first.
    private func fillExtremes(
        _ row: UnsafeMutableBufferPointer<Double>,
        _ windows: SeriesWindows,
        wins: (Double, Double) -> Bool
    ) {
        windows.series.values.withUnsafeBufferPointer { values in
            var queue: [Int] = []
            var head = 0
            var seen = 0
            for (step, places) in windows.places.enumerated() where !places.isEmpty {
                seen = max(seen, places.lowerBound)
                while seen < places.upperBound {
                    let value = values[seen]
                    if !value.isNaN {
                        while queue.count > head, !wins(values[queue[queue.count - 1]], value) { queue.removeLast() }
                        queue.append(seen)
                    }
                    seen += 1
                }
                while head < queue.count, queue[head] < places.lowerBound { head += 1 }
                row[step] = head < queue.count ? values[queue[head]] : values[places.lowerBound]
            }
        }
    }

    private func fillQuantiles(_ row: UnsafeMutableBufferPointer<Double>, _ windows: SeriesWindows) {
        windows.series.values.withUnsafeBufferPointer { values in
            var sorted = SortedWindow()
            var held = 0..<0
            for (step, places) in windows.places.enumerated() where !places.isEmpty {
                for gone in held.lowerBound..<min(held.upperBound, places.lowerBound) { sorted.remove(values[gone]) }
                for new in max(held.upperBound, places.lowerBound)..<places.upperBound { sorted.insert(values[new]) }
                held = places
                row[step] = sorted.quantile(self.parameters[0][step])
            }
        }
    }

    /// How many pairs of neighbours are as `isCounted` says.
    private func fillCounts(
        _ row: UnsafeMutableBufferPointer<Double>,
        _ windows: SeriesWindows,
        of isCounted: (Double, Double) -> Bool
    ) {
        let values = windows.series.values
        // For each sample how many pairs end at it or before.
        var counts = [0]
        counts.reserveCapacity(values.count)
        for (before, value) in zip(values, values.dropFirst()) {
            counts.append(counts[counts.count - 1] + (isCounted(before, value) ? 1 : 0))
        }
        for (step, places) in windows.places.enumerated() where !places.isEmpty {
            row[step] = Double(counts[places.upperBound - 1] - counts[places.lowerBound])
        }
    }
}
