// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Running sums of one series, as integers of a power of ten, so that the difference of two is exact.
struct DecimalSums {
    /// Of the samples before each.
    private var sums: [Int64] = []
    /// How many of the samples before each are no small decimals; empty where none is.
    private var strangers: [Int32] = []
    private var places = 0

    /// Below 2^42, more than a million of them cannot overflow.
    private static let largest: Int64 = 1 << 42

    init(_ values: UnsafeBufferPointer<Double>) {
        self.places = Self.places(of: values)
        let power = DecimalScale.powers[self.places]
        guard values.count <= 1 << 20 else {
            self.strangers = (0...Int32(clamping: values.count)).map { $0 }
            return
        }
        self.sums.reserveCapacity(values.count + 1)
        var sum: Int64 = 0
        self.sums.append(sum)
        for (index, value) in values.enumerated() {
            let integer = value == 0 ? 0 : DecimalScale.integer(value, power: power)
            if let integer, abs(integer) < Self.largest {
                sum += integer
                if !self.strangers.isEmpty { self.strangers.append(self.strangers[index]) }
            } else {
                if self.strangers.isEmpty { self.strangers = Array(repeating: 0, count: index + 1) }
                self.strangers.append(self.strangers[index] + 1)
            }
            self.sums.append(sum)
        }
    }

    /// The most places that a decimal among the values has.
    static func places(of values: some Sequence<Double>) -> Int {
        var places = 0
        for value in values where DecimalScale.integer(value, power: DecimalScale.powers[places]) == nil {
            if let needed = DecimalScale.places(of: value) { places = max(places, needed) }
        }
        return places
    }

    /// Of a window, rounded once; nil where a stranger is in it.
    func sum(_ places: Range<Int>) -> Double? {
        if !self.strangers.isEmpty,
            self.strangers[places.upperBound] != self.strangers[places.lowerBound]
        {
            return nil
        }
        let sum = self.sums[places.upperBound] - self.sums[places.lowerBound]
        return DecimalSum.value(of: Int128(sum), places: self.places)
    }
}
