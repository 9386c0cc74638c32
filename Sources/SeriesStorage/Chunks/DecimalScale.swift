// poyang
// SPDX-License-Identifier: Apache-2.0

/// The power of ten that turns a sensor's decimals into integers and back, bit for bit.
enum DecimalScale {
    /// 10^0 … 10^9.
    static let powers: InlineArray<10, Double> = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]
    static let largestExponent = 9
    /// Below this, adding and taking away 1.5 × 2^52 rounds to the nearest integer.
    private static let limit = 0x1p51

    /// The integer that, divided by the power of ten, has exactly the bits of `value`.
    @inline(__always)
    static func integer(_ value: Double, power: Double) -> Int64? {
        let scaled = value * power
        guard scaled.magnitude < self.limit else { return nil }
        // The sum's low bits are the integer: no call and no check as a conversion would have.
        let integer = Int64(bitPattern: (scaled + 0x1.8p52).bitPattern) &- 0x4338_0000_0000_0000
        // By way of the integer, as it will be read: −0 has none.
        guard (Double(integer) / power).bitPattern == value.bitPattern else { return nil }
        return integer
    }
}
