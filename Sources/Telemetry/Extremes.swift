// poyang
// SPDX-License-Identifier: Apache-2.0

/// The least and the greatest of many values, four at a time.
package enum Extremes {
    /// The least of values that are not empty; NaN left out, and NaN where there is nothing else.
    package static func minimum(_ values: UnsafeBufferPointer<Double>) -> Double {
        let least = self.extreme(values, start: .infinity) { $0 .< $1 }
        return least == .infinity ? self.plain(values, least) : least
    }

    /// The greatest of values that are not empty; NaN left out, and NaN where there is nothing else.
    package static func maximum(_ values: UnsafeBufferPointer<Double>) -> Double {
        let most = self.extreme(values, start: -.infinity) { $0 .> $1 }
        return most == -.infinity ? self.plain(values, most) : most
    }

    @inline(__always)
    private static func extreme(
        _ values: UnsafeBufferPointer<Double>,
        start: Double,
        wins: (SIMD4<Double>, SIMD4<Double>) -> SIMDMask<SIMD4<Int64>>
    ) -> Double {
        var best = SIMD4<Double>(repeating: start)
        var index = 0
        let bytes = UnsafeRawBufferPointer(values)
        while index + 4 <= values.count {
            let next = bytes.loadUnaligned(fromByteOffset: index * 8, as: SIMD4<Double>.self)
            best.replace(with: next, where: wins(next, best))
            index += 4
        }
        while index < values.count {
            let next = SIMD4<Double>(repeating: values[index])
            best.replace(with: next, where: wins(next, best))
            index += 1
        }
        for lane in 1..<4 {
            let next = SIMD4<Double>(repeating: best[lane])
            best.replace(with: next, where: wins(next, best))
        }
        return best[0]
    }

    /// Nothing won: all values are NaN or `extreme` itself.
    private static func plain(_ values: UnsafeBufferPointer<Double>, _ extreme: Double) -> Double {
        values.contains(extreme) ? extreme : values[0]
    }
}
