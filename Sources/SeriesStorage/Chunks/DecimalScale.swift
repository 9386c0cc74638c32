// poyang
// SPDX-License-Identifier: Apache-2.0

/// The power of ten that turns a sensor's decimals into integers and back, bit for bit.
enum DecimalScale {
    /// 10^0 … 10^9.
    static let powers: InlineArray<10, Double> = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]
    static let largestExponent = 9
    /// Below this, doubles hold every integer.
    static let limit = 9_007_199_254_740_992.0

    /// The integer that, divided by the power of ten, has exactly the bits of `value`.
    @inline(__always)
    static func integer(_ value: Double, power: Double) -> Int64? {
        let scaled = (value * power).rounded(.toNearestOrEven)
        guard scaled.magnitude < self.limit else { return nil }
        let integer = Int64(scaled)
        // By way of the integer, as it will be read: −0 has none.
        guard (Double(integer) / power).bitPattern == value.bitPattern else { return nil }
        return integer
    }
}
