// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Which form a column of integers takes, by its estimated bits.
struct IntegerColumnPlan {
    private(set) var mode: IntegerColumn.Mode
    private(set) var minimum: Int64
    /// Bits of the largest difference from the minimum.
    let width: Int
    /// Bits of the frame that no token codes.
    private(set) var low = 0
    private(set) var estimate: Double
    private var coder: TokenCoder?

    /// Fewer numbers than this are never worth a table of frequencies.
    private static let leastForTokens = 12
    /// Wider tables would cost more than contexts give.
    private static let mostForContexts = 48

    /// Plans, and leaves the tokens of the two token modes in `tokens` and `buckets` if it chooses one of them.
    init(
        _ numbers: UnsafeBufferPointer<Int64>,
        tokens: UnsafeMutablePointer<UInt8>,
        buckets: UnsafeMutablePointer<UInt8>,
        maySparse: Bool
    ) {
        var minimum = Int64.max
        var maximum = Int64.min
        var used = 0
        for number in numbers {
            minimum = min(minimum, number)
            maximum = max(maximum, number)
            used &+= number == 0 ? 0 : 1
        }
        let count = numbers.count
        self.minimum = minimum
        self.width = 64 - UInt64(bitPattern: maximum &- minimum).leadingZeroBitCount
        guard self.width > 0 else {
            self.mode = .constant
            self.estimate = 16
            return
        }
        self.mode = .packed
        self.estimate = 32 + Double(count) * Double(self.width)
        if maySparse, used * 6 < count {
            let each = log2(Double(count) / Double(used)) + 2.5 + 0.6 * Double(self.width)
            self.consider(.sparse, 72 + Double(used) * each)
        }
        guard count >= Self.leastForTokens else { return }
        self.planFrame(numbers, tokens)
        if self.width > 7 { self.planBuckets(numbers, buckets) }
    }

    func encodeTokens(_ tokens: UnsafePointer<UInt8>, _ count: Int, to writer: inout ByteWriter) {
        guard let coder = self.coder else { return }
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: coder.contexts.count * coder.size) { counts in
            guard let start = counts.baseAddress else { return }
            coder.tally(tokens, count, into: start)
            coder.encode(tokens, count, counts: start, to: &writer)
        }
    }

    private mutating func consider(_ mode: IntegerColumn.Mode, _ bits: Double, _ coder: TokenCoder? = nil) {
        guard bits < self.estimate else { return }
        self.mode = mode
        self.estimate = bits
        self.coder = coder
    }

    private mutating func planFrame(_ numbers: UnsafeBufferPointer<Int64>, _ tokens: UnsafeMutablePointer<UInt8>) {
        let count = numbers.count
        // Few numbers cannot pay for many tokens.
        let fine = count >= 256 ? 7 : 5
        self.low = max(self.width - fine, 0)
        let shift = UInt64(self.low)
        let minimum = self.minimum
        var largest: UInt8 = 0
        for index in 0..<count {
            let token = UInt8(truncatingIfNeeded: UInt64(bitPattern: numbers[index] &- minimum) &>> shift)
            tokens[index] = token
            largest = max(largest, token)
        }
        let size = Int(largest) + 1
        let fixed = Double(count * self.low) + 56
        self.consider(
            .frame,
            fixed + Double(count) * (log2(Double(size)) + 0.002),
            TokenCoder(count: count, size: size, contexts: .none, centre: 0, isFlat: true)
        )
        let plain = TokenCoder(count: count, size: size, contexts: .none, centre: 0, isFlat: false)
        let (bits, centre) = plain.estimate(tokens, count)
        self.consider(.frame, fixed + bits, plain)
        guard self.low == 0, size <= Self.mostForContexts, count >= 96 else { return }
        for contexts in [TokenContexts.sign, .coarse, .fine] where contexts != .fine || count >= 1024 {
            let coder = TokenCoder(count: count, size: size, contexts: contexts, centre: centre, isFlat: false)
            self.consider(.frame, fixed + 8 + coder.estimate(tokens, count).bits, coder)
        }
    }

    private mutating func planBuckets(_ numbers: UnsafeBufferPointer<Int64>, _ buckets: UnsafeMutablePointer<UInt8>) {
        let count = numbers.count
        var rest = 0
        var largest: UInt8 = 0
        for index in 0..<count {
            let (token, width) = IntegerColumn.bucket(IntegerColumn.zigzag(numbers[index]))
            buckets[index] = token
            largest = max(largest, token)
            rest &+= width
        }
        let coder = TokenCoder(count: count, size: Int(largest) + 1, contexts: .none, centre: 0, isFlat: false)
        self.consider(.buckets, Double(rest) + 40 + coder.estimate(buckets, count).bits, coder)
    }
}

extension TokenCoder {
    /// How often each token occurs in each context.
    func tally(_ tokens: UnsafePointer<UInt8>, _ count: Int, into counts: UnsafeMutablePointer<UInt32>) {
        let size = self.size
        counts.update(repeating: 0, count: self.contexts.count * size)
        guard self.contexts != .none else {
            for index in 0..<count { counts[Int(tokens[index])] &+= 1 }
            return
        }
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: self.contexts.count * size) { next in
            for context in 0..<self.contexts.count {
                for token in 0..<size {
                    let step = TokenContexts.step(token, centre: self.centre)
                    next[context * size + token] = UInt16(self.contexts.next(context, step: step) * size)
                }
            }
            guard let next = next.baseAddress else { return }
            let lanes = self.hasLanes ? 4 : 1
            let quarter = count / lanes
            for lane in 0..<lanes {
                var start = self.contexts.first * size
                for index in lane * quarter..<(lane == lanes - 1 ? count : (lane + 1) * quarter) {
                    let place = start &+ Int(tokens[index])
                    counts[place] &+= 1
                    start = Int(next[place])
                }
            }
        }
    }

    /// The bits of the tokens with their table, and the commonest token.
    func estimate(_ tokens: UnsafePointer<UInt8>, _ count: Int) -> (bits: Double, centre: Int) {
        let size = self.size
        return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: self.contexts.count * size) { memory in
            guard let counts = memory.baseAddress else { return (.infinity, 0) }
            self.tally(tokens, count, into: counts)
            var bits = Double(self.log * (self.hasLanes ? 4 : 1))
            var centre = 0
            for context in 0..<self.contexts.count {
                let part = counts + context * size
                var total = 0.0
                var sum = 0.0
                for token in 0..<size where part[token] > 0 {
                    let occurrences = Double(part[token])
                    total += occurrences
                    sum += occurrences * log2(occurrences)
                    bits += 4 + Double(self.precision)
                    if part[token] > part[centre] { centre = token }
                }
                bits += 1
                guard total > 0 else { continue }
                // A token in nearly all places still costs the table's smallest step.
                bits += Double(size) + total * log2(total) - sum + 0.004 * total
            }
            return (bits, centre)
        }
    }
}
