// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Which power of ten serves the values of a chunk, and which values it does not serve.
struct Decimals {
    private(set) var exponent = 0
    /// Indices, rising.
    private(set) var exceptions: [Int] = []
    /// Whether an exception is anything else than NaN and −0.
    private(set) var hasFractions = false

    /// Takes the smallest exponent that serves all values but the exceptions; nil where those cost too much.
    ///
    /// A value that needs three places more than the others is an exception too while it is rare: for its sake all
    /// integers would be a thousand times larger. An exception's integer is the one before it, so that it costs nothing
    /// among the differences.
    init?(_ values: UnsafeBufferPointer<Double>, into integers: UnsafeMutablePointer<Int64>) {
        let count = values.count
        var power = 1.0
        var weight = 0
        var first: Int?
        // Of the exceptions, those that a larger exponent would serve, and the smallest such.
        var rare = 0
        var rareExponent = Int.max
        var index = 0
        while true {
            if index == count {
                guard rare > 0, rare > Self.nonzero(values) / Self.rarity else { break }
            } else if let integer = DecimalScale.integer(values[index], power: power) {
                integers[index] = integer
                if first == nil { first = index }
                index &+= 1
                continue
            } else {
                let needed = Self.exponent(for: values[index], above: self.exponent)
                if let needed {
                    rare += 1
                    rareExponent = min(rareExponent, needed)
                }
                if needed == nil || (rareExponent > self.exponent + 2 && rare <= 1 + count / Self.rarity) {
                    let isSame = self.exceptions.last.map { values[$0].bitPattern == values[index].bitPattern } ?? false
                    if needed == nil { weight += isSame ? 1 : 8 }
                    guard weight <= count else { return nil }
                    self.exceptions.append(index)
                    integers[index] = index > 0 ? integers[index - 1] : 0
                    index &+= 1
                    continue
                }
            }
            // A decimal of fewer places is one of more places too, so this restarts nine times at most.
            self.exponent = rareExponent
            power = DecimalScale.powers[rareExponent]
            self.exceptions.removeAll(keepingCapacity: true)
            (weight, first, index, rare, rareExponent) = (0, nil, 0, 0, .max)
        }
        guard let first else { return nil }
        for index in 0..<first { integers[index] = integers[first] }
        self.hasFractions = self.exceptions.contains { !values[$0].isNaN && values[$0] != 0 }
    }

    /// One value in so many is rare.
    private static let rarity = 16

    /// Zero says nothing about the places of the others.
    private static func nonzero(_ values: UnsafeBufferPointer<Double>) -> Int {
        values.reduce(0) { $0 + ($1 != 0 ? 1 : 0) }
    }

    private static func exponent(for value: Double, above exponent: Int) -> Int? {
        guard value.isFinite, value != 0, exponent < DecimalScale.largestExponent else { return nil }
        return (exponent + 1...DecimalScale.largestExponent)
            .first { DecimalScale.integer(value, power: DecimalScale.powers[$0]) != nil }
    }

    func writeExceptions(of values: UnsafeBufferPointer<Double>, to writer: inout ByteWriter) {
        writer.count(self.exceptions.count)
        var before = 0
        var bits: UInt64?
        for index in self.exceptions {
            let isSame = values[index].bitPattern == bits
            writer.count((index - before) * 2 + (isSame ? 1 : 0))
            if !isSame { writer.fixed(values[index].bitPattern) }
            bits = values[index].bitPattern
            before = index
        }
    }

    static func readExceptions(
        _ count: Int,
        into values: UnsafeMutablePointer<Double>,
        from reader: inout RawReader
    ) throws(DamagedBytes) {
        var index = 0
        var value = Double.nan
        for _ in 0..<(try reader.count(upTo: count)) {
            let step = try reader.varint()
            guard let gap = Int(exactly: step >> 1), gap < count - index else {
                throw reader.damaged("has an exception outside its values")
            }
            index += gap
            if step & 1 == 0 { value = Double(bitPattern: try reader.fixed64()) }
            values[index] = value
        }
    }
}

extension ChunkStatistics.Numbers {
    /// Of any values.
    init(_ values: UnsafeBufferPointer<Double>) {
        var minimum = Double.infinity
        var maximum = -Double.infinity
        var sum = 0.0
        var isEmpty = true
        for value in values where !value.isNaN {
            isEmpty = false
            minimum = Swift.min(minimum, value)
            maximum = Swift.max(maximum, value)
            sum += value
        }
        self = isEmpty ? .none : .binary(minimum: minimum, maximum: maximum, sum: sum)
    }

    /// Of values that are decimals but for the exceptions.
    init(_ integers: UnsafePointer<Int64>, _ values: UnsafeBufferPointer<Double>, _ decimals: Decimals) {
        var minimum = Int64.max
        var maximum = Int64.min
        for index in 0..<values.count {
            minimum = Swift.min(minimum, integers[index])
            maximum = Swift.max(maximum, integers[index])
        }
        // Below 2^46 the sum of 2^16 of them fits.
        guard !decimals.hasFractions, minimum > -(1 << 46), maximum < 1 << 46 else {
            self.init(values)
            return
        }
        var sum: Int64 = 0
        for index in 0..<values.count { sum &+= integers[index] }
        for index in decimals.exceptions {
            sum &-= integers[index]
            if values[index] == 0 {
                minimum = Swift.min(minimum, 0)
                maximum = Swift.max(maximum, 0)
            }
        }
        self = .decimal(exponent: decimals.exponent, minimum: minimum, maximum: maximum, sum: sum)
    }
}
