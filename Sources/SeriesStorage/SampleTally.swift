// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Adds up samples in order of time; decimals as integers, so that the sum is exact.
struct SampleTally {
    private var count = 0
    /// What a function makes of NaN, and that it does not see Prometheus's mark for the end of a series, is not known here:
    /// with one among the samples the rest is of no use.
    private(set) var hasNaN = false
    private var minimum = Double.infinity
    private var maximum = -Double.infinity
    private var first = Double.nan
    private var last = Double.nan
    private var decimals = DecimalSum()
    /// Of what is no decimal.
    private var binary = 0.0

    mutating func add(_ statistics: ChunkStatistics) {
        guard !statistics.hasNaN, let minimum = statistics.minimum, let maximum = statistics.maximum else {
            self.hasNaN = true
            return
        }
        self.note(first: statistics.firstValue, last: statistics.lastValue, count: statistics.count)
        self.widen(minimum, maximum)
        if case .decimal(let exponent, _, _, let sum) = statistics.numbers {
            self.decimals.add(sum, places: exponent)
        } else {
            self.binary += statistics.sum
        }
    }

    /// Adds those samples of a series that lie in a window and are of one of `qualities`.
    mutating func add(_ columns: Columns, in window: TimeWindow, _ qualities: QualitySet) {
        let places = columns.places(after: window.after, through: window.through)
        if columns.admits(places, qualities) {
            columns.values.withUnsafeBufferPointer { self.add(UnsafeBufferPointer(rebasing: $0[places])) }
        } else {
            let admitted = columns.slice(places.lowerBound, places.upperBound).admitted(by: qualities)
            admitted.values.withUnsafeBufferPointer { self.add($0) }
        }
    }

    private mutating func add(_ values: UnsafeBufferPointer<Double>) {
        guard let first = values.first, let last = values.last else { return }
        self.note(first: first, last: last, count: values.count)
        var sum = self.decimals
        if sum.add(values) {
            self.decimals = sum
            self.widen(Extremes.minimum(values), Extremes.maximum(values))
            return
        }
        for value in values {
            if value.isNaN {
                self.hasNaN = true
                return
            }
            self.widen(value, value)
            if !self.decimals.add(value) { self.binary += value }
        }
    }

    private mutating func note(first: Double, last: Double, count: Int) {
        if self.count == 0 { self.first = first }
        self.last = last
        self.count += count
    }

    private mutating func widen(_ minimum: Double, _ maximum: Double) {
        self.minimum = min(self.minimum, minimum)
        self.maximum = max(self.maximum, maximum)
    }

    /// Nil where nothing was added.
    var summary: SeriesSummary? {
        guard self.count > 0 else { return nil }
        return SeriesSummary(
            count: self.count,
            sum: self.decimals.value + self.binary,
            minimum: self.minimum,
            maximum: self.maximum,
            first: self.first,
            last: self.last
        )
    }
}
