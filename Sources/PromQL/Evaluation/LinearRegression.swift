// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The line of least squares through the samples of a window.
struct LinearRegression {
    /// Per second.
    let slope: Double
    /// At the origin.
    let intercept: Double

    /// Nil of fewer than two samples.
    init?(_ window: Window, origin: Timestamp) {
        guard window.count >= 2 else { return nil }
        self = window.columns.times.withUnsafeBufferPointer { times in
            window.columns.values.withUnsafeBufferPointer { values in
                Self.fit(
                    UnsafeBufferPointer(rebasing: times[window.first..<window.end]),
                    UnsafeBufferPointer(rebasing: values[window.first..<window.end]),
                    origin
                )
            }
        }
    }

    init(slope: Double, intercept: Double) {
        self.slope = slope
        self.intercept = intercept
    }

    /// The line through points that are known by their sums; `origin` is where the intercept lies.
    init(_ moments: DecimalMoments, origin: Timestamp) {
        let count = Int128(moments.count)
        var covariance = count * moments.xy - moments.x * moments.y
        let spread = count * moments.xx - moments.x * moments.x
        // In the fewest places, so that the same points give the same bits whatever unit they were counted in.
        var places = moments.places
        while places > 0, covariance % 10 == 0 {
            covariance /= 10
            places -= 1
        }
        let slope = Double(nearest: covariance) / Double(nearest: spread) * 1000 / DecimalScale.powers[places]
        let number = Double(moments.count)
        let meanX = (Double(nearest: moments.x) / number - Double(origin - moments.first.time)) / 1000
        let sum = moments.y + count * Int128(moments.first.height)
        let meanY = DecimalSum.value(of: sum, places: moments.places) / number
        self.init(slope: slope, intercept: meanY - slope * meanX)
    }

    /// Two samples at least, times rising.
    static func fit(
        _ times: UnsafeBufferPointer<Timestamp>,
        _ values: UnsafeBufferPointer<Double>,
        _ origin: Timestamp
    ) -> LinearRegression {
        let first = values[0]
        if values.allSatisfy({ $0 == first }) {
            return first.isInfinite
                ? LinearRegression(slope: .nan, intercept: .nan) : LinearRegression(slope: 0, intercept: first)
        }
        return self.decimal(times, values, origin) ?? self.compensated(times, values, origin)
    }

    private static func compensated(
        _ times: UnsafeBufferPointer<Timestamp>,
        _ values: UnsafeBufferPointer<Double>,
        _ origin: Timestamp
    ) -> LinearRegression {
        var sumX = CompensatedSum()
        var sumY = CompensatedSum()
        var sumXY = CompensatedSum()
        var sumXX = CompensatedSum()
        for (time, value) in zip(times, values) {
            let x = (time - origin).seconds
            sumX.add(x)
            sumY.add(value)
            sumXY.add(x * value)
            sumXX.add(x * x)
        }
        let count = Double(values.count)
        let covariance = sumXY.value - sumX.value * sumY.value / count
        let spread = sumXX.value - sumX.value * sumX.value / count
        let slope = covariance / spread
        return LinearRegression(slope: slope, intercept: sumY.value / count - slope * sumX.value / count)
    }

    /// Of decimals, by exact integers: milliseconds from the first sample, and values of a power of ten, less the first.
    ///
    /// Nil where a value is no decimal, or where products would not fit.
    private static func decimal(
        _ times: UnsafeBufferPointer<Timestamp>,
        _ values: UnsafeBufferPointer<Double>,
        _ origin: Timestamp
    ) -> LinearRegression? {
        guard let (places, largest) = self.scale(values) else { return nil }
        let power = DecimalScale.powers[places]
        let span = times[times.count - 1] - times[0]
        let countBits = Int64.bitWidth - values.count.leadingZeroBitCount
        let spanBits = Int64.bitWidth - span.leadingZeroBitCount
        // Of a difference of two.
        let valueBits = Int64.bitWidth - largest.leadingZeroBitCount + 1
        guard countBits <= 20, spanBits <= 40, valueBits <= 44 else { return nil }
        let fits = spanBits + max(spanBits, valueBits) + countBits <= 62
        let sums = fits ? self.sums(times, values, power, Int64.self) : self.sums(times, values, power, Int128.self)
        let moments = DecimalMoments(
            count: values.count,
            first: (times[0], DecimalScale.integer(values[0], power: power) ?? 0),
            x: sums.x,
            y: sums.y,
            xy: sums.xy,
            xx: sums.xx,
            places: places
        )
        return LinearRegression(moments, origin: origin)
    }

    /// The places of the decimals, and the largest magnitude of their integers; nil where one is no decimal.
    private static func scale(_ values: UnsafeBufferPointer<Double>) -> (places: Int, largest: UInt64)? {
        var places = 0
        var power = 1.0
        var largest: UInt64 = 0
        var index = 0
        while index < values.count {
            let value = values[index]
            if let integer = DecimalScale.integer(value, power: power) {
                largest = max(largest, integer.magnitude)
                index += 1
            } else if value == 0 {
                index += 1
            } else {
                guard let needed = DecimalScale.places(of: value), needed > places else { return nil }
                places = needed
                power = DecimalScale.powers[places]
                (largest, index) = (0, 0)
            }
        }
        return (places, largest)
    }

    @inline(__always)
    private static func sums<Product: FixedWidthInteger & SignedInteger>(
        _ times: UnsafeBufferPointer<Timestamp>,
        _ values: UnsafeBufferPointer<Double>,
        _ power: Double,
        _ type: Product.Type
    ) -> (x: Int128, y: Int128, xy: Int128, xx: Int128) {
        let start = times[0]
        let first = DecimalScale.integer(values[0], power: power) ?? 0
        var x = Product.zero
        var y = Product.zero
        var xy = Product.zero
        var xx = Product.zero
        for (time, value) in zip(times, values) {
            let distance = Product(truncatingIfNeeded: time - start)
            let height = Product(truncatingIfNeeded: (DecimalScale.integer(value, power: power) ?? 0) &- first)
            x &+= distance
            y &+= height
            xy &+= distance &* height
            xx &+= distance &* distance
        }
        return (Int128(x), Int128(y), Int128(xy), Int128(xx))
    }
}

/// Sums over points: times in ms, and values as integers of 10^−places, both counted from the first point.
struct DecimalMoments {
    var count: Int
    var first: (time: Timestamp, height: Int64)
    var x: Int128
    var y: Int128
    var xy: Int128
    var xx: Int128
    var places: Int
}
