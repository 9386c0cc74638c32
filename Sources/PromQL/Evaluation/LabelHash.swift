// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

extension Labels {
    /// Where the hash of the labels lies among all hashes, from 0 to 1: the same as in Prometheus, so that `limit_ratio`
    /// chooses the same series.
    ///
    /// It hashes names and values in the order of the names, each with its length before it: one byte, or 255 and three.
    var placeAmongHashes: Double {
        var bytes: [UInt8] = []
        for label in self {
            for text in [label.name.utf8, label.value.utf8] {
                if text.count < 255 {
                    bytes.append(UInt8(text.count))
                } else {
                    bytes.append(255)
                    for shift in [0, 8, 16] { bytes.append(UInt8(truncatingIfNeeded: text.count >> shift)) }
                }
                bytes.append(contentsOf: text)
            }
        }
        return Double(XXH64.hash(bytes)) / 0x1p64
    }
}

/// The 64-bit hash of the xxHash family, with seed 0.
enum XXH64 {
    private static let primes: [UInt64] = [
        0x9E37_79B1_85EB_CA87, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9, 0x85EB_CA77_C2B2_AE63,
        0x27D4_EB2F_1656_67C5,
    ]

    static func hash(_ bytes: [UInt8]) -> UInt64 {
        var rest = bytes[...]
        var hash = self.primes[4]
        if rest.count >= 32 {
            var lanes = [self.primes[0] &+ self.primes[1], self.primes[1], 0, 0 &- self.primes[0]]
            while rest.count >= 32 {
                for lane in lanes.indices { lanes[lane] = self.mixed(lanes[lane], self.take(8, from: &rest)) }
            }
            hash = zip(lanes, [1, 7, 12, 18]).reduce(0) { $0 &+ self.rotated($1.0, by: $1.1) }
            for lane in lanes { hash = (hash ^ self.mixed(0, lane)) &* self.primes[0] &+ self.primes[3] }
        }
        hash &+= UInt64(bytes.count)
        while rest.count >= 8 {
            let word = self.mixed(0, self.take(8, from: &rest))
            hash = self.rotated(hash ^ word, by: 27) &* self.primes[0] &+ self.primes[3]
        }
        if rest.count >= 4 {
            let word = self.take(4, from: &rest) &* self.primes[0]
            hash = self.rotated(hash ^ word, by: 23) &* self.primes[1] &+ self.primes[2]
        }
        while !rest.isEmpty {
            let word = self.take(1, from: &rest) &* self.primes[4]
            hash = self.rotated(hash ^ word, by: 11) &* self.primes[0]
        }
        hash = (hash ^ hash >> 33) &* self.primes[1]
        hash = (hash ^ hash >> 29) &* self.primes[2]
        return hash ^ hash >> 32
    }

    private static func mixed(_ lane: UInt64, _ word: UInt64) -> UInt64 {
        self.rotated(lane &+ word &* self.primes[1], by: 31) &* self.primes[0]
    }

    private static func rotated(_ value: UInt64, by bits: UInt64) -> UInt64 { value << bits | value >> (64 - bits) }

    /// A little-endian number of so many bytes.
    private static func take(_ count: Int, from bytes: inout ArraySlice<UInt8>) -> UInt64 {
        defer { bytes = bytes.dropFirst(count) }
        return bytes.prefix(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
