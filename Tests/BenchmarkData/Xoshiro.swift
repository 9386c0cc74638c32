// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Xoshiro256++ (Blackman, Vigna 2019), seeded by SplitMix64, with the distributions that the sensors need.
struct Xoshiro: RandomNumberGenerator {
    private var state: (UInt64, UInt64, UInt64, UInt64)
    private var spare: Double?

    init(seed: UInt64) {
        var mixer = seed
        func next() -> UInt64 {
            mixer &+= 0x9E37_79B9_7F4A_7C15
            var value = mixer
            value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
            return value ^ (value >> 31)
        }
        self.state = (next(), next(), next(), next())
    }

    mutating func next() -> UInt64 {
        func rotated(_ value: UInt64, _ shift: UInt64) -> UInt64 { (value << shift) | (value >> (64 - shift)) }
        let result = rotated(self.state.0 &+ self.state.3, 23) &+ self.state.0
        let mixed = self.state.1 << 17
        self.state.2 ^= self.state.0
        self.state.3 ^= self.state.1
        self.state.1 ^= self.state.2
        self.state.0 ^= self.state.3
        self.state.2 ^= mixed
        self.state.3 = rotated(self.state.3, 45)
        return result
    }

    /// Uniform in 0..<1.
    mutating func unit() -> Double {
        Double(self.next() >> 11) * 0x1p-53
    }

    mutating func uniform(_ range: ClosedRange<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * self.unit()
    }

    /// Uniform; the range is small against 2^32.
    mutating func integer(_ range: ClosedRange<Int64>) -> Int64 {
        range.lowerBound + Int64(self.unit() * Double(range.upperBound - range.lowerBound + 1))
    }

    /// Normal with mean 0 and standard deviation 1, by the polar method of Marsaglia.
    mutating func normal() -> Double {
        if let spare = self.spare {
            self.spare = nil
            return spare
        }
        while true {
            let x = 2 * self.unit() - 1
            let y = 2 * self.unit() - 1
            let square = x * x + y * y
            guard square > 0, square < 1 else { continue }
            let scale = (-2 * Foundation.log(square) / square).squareRoot()
            self.spare = y * scale
            return x * scale
        }
    }

    /// Poisson with a small mean, by Knuth's product.
    mutating func poisson(_ mean: Double) -> Int {
        let limit = Foundation.exp(-mean)
        var product = self.unit()
        var count = 0
        while product > limit {
            product *= self.unit()
            count += 1
        }
        return count
    }
}
