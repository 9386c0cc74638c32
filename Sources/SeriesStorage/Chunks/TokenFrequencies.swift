// poyang
// SPDX-License-Identifier: Apache-2.0

/// How often each token occurs in a context, coarse enough to be cheap to store.
///
/// A weight has `precision` bits after its first one. The frequencies that the coder uses follow from the weights, for
/// writer and reader alike, and add up to 2^`log`.
enum TokenFrequencies {
    /// The number with `precision` significant bits after the first one that is nearest to `weight`, at least 1.
    static func coarse(_ weight: Int, precision: Int) -> Int {
        let weight = max(weight, 1)
        let drop = max(Int.bitWidth - weight.leadingZeroBitCount - 1 - precision, 0)
        return ((weight >> drop) + (drop > 0 ? (weight >> (drop - 1)) & 1 : 0)) << drop
    }

    /// The weights of tokens that occur `counts` times, for tables of 2^`log` entries.
    static func weigh(
        _ counts: UnsafePointer<UInt32>,
        _ size: Int,
        log: Int,
        precision: Int,
        into weights: UnsafeMutablePointer<Int>
    ) {
        var total = 0
        for token in 0..<size { total += Int(counts[token]) }
        for token in 0..<size {
            let count = Int(counts[token])
            weights[token] = count == 0 ? 0 : self.coarse(((count << log) + total / 2) / total, precision: precision)
        }
    }

    /// Bits: whether any token occurs; for each whether it does, then its weight: position of the first bit (4), and
    /// the bits after it, at most `precision`.
    static func write(_ weights: UnsafePointer<Int>, _ size: Int, precision: Int, to bits: inout BitWriter) {
        let isUsed = (0..<size).contains { weights[$0] > 0 }
        bits.put(isUsed ? 1 : 0, 1)
        guard isUsed else { return }
        for token in 0..<size {
            let weight = weights[token]
            guard weight > 0 else {
                bits.put(0, 1)
                continue
            }
            let octave = Int.bitWidth - weight.leadingZeroBitCount - 1
            let kept = min(octave, precision)
            bits.put(1 | UInt64(octave) << 1, 5)
            bits.put(UInt64(weight >> (octave - kept)) & (1 << UInt64(kept) - 1), kept)
        }
    }

    static func read(
        _ bits: inout BitReader,
        _ size: Int,
        precision: Int,
        into weights: UnsafeMutablePointer<Int>
    ) {
        weights.update(repeating: 0, count: size)
        guard bits.take(1) == 1 else { return }
        for token in 0..<size where bits.take(1) == 1 {
            let octave = Int(bits.take(4))
            let kept = min(octave, precision)
            weights[token] = (1 << kept | Int(bits.take(kept))) << (octave - kept)
        }
    }

    /// Turns weights into frequencies that add up to 2^`log`, at least 1 for each weight above 0.
    ///
    /// No weight at all gives all to token 0. There are at most half as many tokens as 2^`log`.
    static func normalise(_ weights: UnsafeMutablePointer<Int>, _ size: Int, log: Int) {
        var total = 0
        for token in 0..<size { total &+= weights[token] }
        guard total > 0 else {
            weights[0] = 1 << log
            return
        }
        var sum = 0
        var before = 0
        var missing = 0
        for token in 0..<size where weights[token] > 0 {
            sum &+= weights[token]
            let here = (sum << log) / total
            weights[token] = here &- before
            before = here
            if weights[token] == 0 {
                weights[token] = 1
                missing &+= 1
            }
        }
        while missing > 0 {
            var largest = 0
            for token in 1..<size where weights[token] > weights[largest] { largest = token }
            let given = min(missing, max(weights[largest] / 2, 1))
            weights[largest] -= given
            missing -= given
        }
    }

    /// Gives each of the 2^`log` states a token, each token as many as its frequency, far from one another.
    static func spread(
        _ frequencies: UnsafePointer<Int>,
        _ size: Int,
        log: Int,
        into tokens: UnsafeMutablePointer<UInt8>
    ) {
        let mask = 1 &<< log &- 1
        // Odd for all sizes from 16 on, so that each state is met once.
        let step = (1 &<< log) &>> 1 &+ (1 &<< log) &>> 3 &+ 3
        var state = 0
        for token in 0..<size {
            var left = frequencies[token]
            while left > 0 {
                tokens[state] = UInt8(truncatingIfNeeded: token)
                state = (state &+ step) & mask
                left &-= 1
            }
        }
    }
}
