// poyang
// SPDX-License-Identifier: Apache-2.0

/// The power of ten that turns a sensor's decimals into integers and back, bit for bit.
///
/// Public for the same reason as ``Timestamp``.
public enum DecimalScale {
    /// 10^0 … 10^9.
    public static let powers: InlineArray<10, Double> = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]
    package static let largestExponent = 9

    /// The integer that, divided by the power of ten, has exactly the bits of `value`.
    @inlinable
    @inline(__always)
    public static func integer(_ value: Double, power: Double) -> Int64? {
        let scaled = value * power
        // Below this, adding and taking away 1.5 × 2^52 rounds to the nearest integer.
        guard scaled.magnitude < 0x1p51 else { return nil }
        // The sum's low bits are the integer: no call and no check as a conversion would have.
        let integer = Int64(bitPattern: (scaled + 0x1.8p52).bitPattern) &- 0x4338_0000_0000_0000
        // By way of the integer, as it will be read: −0 has none.
        guard (Double(integer) / power).bitPattern == value.bitPattern else { return nil }
        return integer
    }

    /// The fewest places, 0 … 9, with which `value` is a decimal; nil where it is none.
    package static func places(of value: Double) -> Int? {
        (0...self.largestExponent).first { self.integer(value, power: self.powers[$0]) != nil }
    }
}
