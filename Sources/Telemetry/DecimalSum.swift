// poyang
// SPDX-License-Identifier: Apache-2.0

/// A sum of decimals with up to nine places, exact until it is rounded once.
package struct DecimalSum: Sendable {
    /// In units of 10^−places.
    private var integer: Int128 = 0
    private var places = 0

    package init() {}

    /// Adds an integer of 10^−places, places 0 … 9.
    package mutating func add(_ integer: Int64, places: Int) {
        self.integer += Int128(integer) * self.raise(to: places)
    }

    /// Adds a value that is such a decimal; false for others, which are not added.
    package mutating func add(_ value: Double) -> Bool {
        // Values of one series mostly have as many places as those before.
        if let integer = DecimalScale.integer(value, power: DecimalScale.powers[self.places]) {
            self.integer += Int128(integer)
            return true
        }
        if value == 0 { return true }
        guard let places = DecimalScale.places(of: value),
            let integer = DecimalScale.integer(value, power: DecimalScale.powers[places])
        else { return false }
        self.add(integer, places: places)
        return true
    }

    /// Adds all of `values`; false where one of them is no such decimal, and the sum is of no use then.
    package mutating func add(_ values: UnsafeBufferPointer<Double>) -> Bool {
        var index = 0
        while index < values.count {
            let end = min(values.count, index + Self.stretch)
            index = self.addFours(values, index, end)
            guard index < values.count else { break }
            // The rest of the stretch, or a value that needs more places: the next four go together again.
            guard self.add(values[index]) else { return false }
            index += 1
        }
        return true
    }

    /// So many integers below 2^51 do not overflow a lane.
    private static let stretch = 8192

    /// Adds four at a time as long as they have no more places than those before; says where it stopped.
    private mutating func addFours(_ values: UnsafeBufferPointer<Double>, _ start: Int, _ end: Int) -> Int {
        let power = SIMD4<Double>(repeating: DecimalScale.powers[self.places])
        let magic = SIMD4<Double>(repeating: 0x1.8p52)
        let limit = SIMD4<Double>(repeating: 0x1p51)
        let bytes = UnsafeRawBufferPointer(values)
        var sums = SIMD4<Int64>.zero
        var index = start
        while index + 4 <= end {
            let four = bytes.loadUnaligned(fromByteOffset: index * 8, as: SIMD4<Double>.self)
            let scaled = four * power
            // See ``DecimalScale/integer(_:power:)``; −0 counts as 0 here.
            let shifted = scaled + magic
            let isDecimal = ((shifted - magic) / power .== four) .& (scaled .< limit) .& (scaled .> -limit)
            guard all(isDecimal) else { break }
            sums &+= unsafeBitCast(shifted, to: SIMD4<Int64>.self) &- 0x4338_0000_0000_0000
            index += 4
        }
        self.integer += Int128(sums.wrappedSum())
        return index
    }

    /// Makes the unit fine enough for `places`; returns how many of them an integer of so many places takes.
    private mutating func raise(to places: Int) -> Int128 {
        if places > self.places {
            self.integer *= Self.power(places - self.places)
            self.places = places
        }
        return Self.power(self.places - places)
    }

    private static func power(_ exponent: Int) -> Int128 { (0..<exponent).reduce(1) { power, _ in power * 10 } }

    /// Rounded once to the nearest double, where it has up to 15 digits.
    package var value: Double { Self.value(of: self.integer, places: self.places) }

    /// `integer` divided by 10^places, places 0 … 9: the nearest double where it has up to 15 digits.
    package static func value(of integer: Int128, places: Int) -> Double {
        var (integer, places) = (integer, places)
        // Fewer places keep the dividend exact, so that the quotient is the nearest double.
        while integer.magnitude >= 1 << 53, places > 0, integer % 10 == 0 {
            integer /= 10
            places -= 1
        }
        return Double(nearest: integer) / DecimalScale.powers[places]
    }
}

extension Double {
    /// The nearest double of a wide integer; beyond 64 bits perhaps the one beside it.
    ///
    /// The conversion of the standard library goes by way of generic words, which costs a hundred times as much.
    package init(nearest integer: Int128) {
        let low = Int64(truncatingIfNeeded: integer)
        if Int128(low) == integer {
            self = Double(low)
        } else {
            self = Double(Int64(truncatingIfNeeded: integer >> 64)) * 0x1p64 + Double(UInt64(bitPattern: low))
        }
    }
}
