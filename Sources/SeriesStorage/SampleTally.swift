// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Adds up samples in order of time; decimals as integers, so that the sum is exact.
struct SampleTally {
    private var count = 0
    private var hasNaN = false
    private var minimum = Double.nan
    private var maximum = Double.nan
    private var first = Double.nan
    private var last = Double.nan
    private var decimals = DecimalSum()
    /// Of what is no decimal.
    private var binary = 0.0

    mutating func add(_ statistics: ChunkStatistics) {
        self.note(first: statistics.firstValue, last: statistics.lastValue, count: statistics.count)
        if statistics.hasNaN { self.hasNaN = true }
        guard let minimum = statistics.minimum, let maximum = statistics.maximum else { return }
        self.widen(minimum, maximum)
        if case .decimal(let exponent, _, _, let sum) = statistics.numbers {
            self.decimals.add(sum, places: exponent)
        } else {
            self.binary += statistics.sum
        }
    }

    mutating func add(_ samples: (times: [Timestamp], values: [Double], marks: [SampleMark])) {
        guard let first = samples.values.first, let last = samples.values.last else { return }
        self.note(first: first, last: last, count: samples.values.count)
        let isDecimal = samples.values.withUnsafeBufferPointer { values in
            var sum = self.decimals
            guard sum.add(values) else { return false }
            self.decimals = sum
            self.widen(Extremes.minimum(values), Extremes.maximum(values))
            return true
        }
        if isDecimal { return }
        for value in samples.values {
            if value.isNaN {
                self.hasNaN = true
                continue
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
        if !(self.minimum <= minimum) { self.minimum = minimum }
        if !(self.maximum >= maximum) { self.maximum = maximum }
    }

    /// Nil where nothing was added.
    var summary: SeriesSummary? {
        guard self.count > 0 else { return nil }
        return SeriesSummary(
            count: self.count,
            sum: self.hasNaN ? .nan : self.decimals.value + self.binary,
            minimum: self.minimum,
            maximum: self.maximum,
            first: self.first,
            last: self.last
        )
    }
}
