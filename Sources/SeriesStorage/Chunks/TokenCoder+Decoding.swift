// poyang
// SPDX-License-Identifier: Apache-2.0

extension TokenCoder {
    /// Reads the shape of what follows.
    init(from reader: inout RawReader) throws(DamagedBytes) {
        let shape = try reader.byte()
        self.log = Int(shape & 0x0F)
        self.size = Int(try reader.byte()) + 1
        guard let contexts = TokenContexts(rawValue: shape >> 4 & 0x03), Self.logs.contains(self.log),
            self.size * 2 <= 1 << self.log
        else { throw reader.damaged("has an impossible table of tokens") }
        self.contexts = contexts
        self.isFlat = shape & 0x40 != 0
        self.hasLanes = shape & 0x80 != 0
        self.centre = contexts == .none ? 0 : Int(try reader.byte())
    }

    /// Reads `count` tokens.
    func decode(
        _ count: Int,
        into tokens: UnsafeMutablePointer<UInt8>,
        from reader: inout RawReader
    ) throws(DamagedBytes) {
        var bits = reader.bits
        let entries = self.contexts.count << self.log
        let isWhole = withUnsafeTemporaryAllocation(of: UInt32.self, capacity: entries) { memory in
            guard let table = memory.baseAddress else { return false }
            self.fill(table, from: &bits)
            return self.decode(count, into: tokens, table, &bits)
        }
        guard isWhole else { throw reader.damaged("has tokens that do not end") }
        try reader.skip(bits)
    }

    /// An entry: token << 24 | bits of the next state << 16 | what they are added to, the next context's table included.
    private func fill(_ table: UnsafeMutablePointer<UInt32>, from bits: inout BitReader) {
        let size = self.size
        let log = self.log
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 2 * size) { memory in
            guard let frequencies = memory.baseAddress else { return }
            let starts = frequencies + size
            let spread = UnsafeMutablePointer<UInt8>.allocate(capacity: 1 << log)
            defer { spread.deallocate() }
            for context in 0..<self.contexts.count {
                if self.isFlat {
                    frequencies.update(repeating: 1, count: size)
                } else {
                    TokenFrequencies.read(&bits, size, precision: self.precision, into: frequencies)
                }
                TokenFrequencies.normalise(frequencies, size, log: log)
                for token in 0..<size where frequencies[token] > 0 {
                    let step = TokenContexts.step(token, centre: self.centre)
                    starts[token] = self.contexts.next(context, step: step) << log | token << 24
                }
                self.fill(table + context << log, frequencies, starts, spread)
            }
        }
    }

    /// One context's part; `spread` has room for a token of each state.
    private func fill(
        _ part: UnsafeMutablePointer<UInt32>,
        _ frequencies: UnsafeMutablePointer<Int>,
        _ starts: UnsafePointer<Int>,
        _ spread: UnsafeMutablePointer<UInt8>
    ) {
        let log = self.log
        TokenFrequencies.spread(frequencies, self.size, log: log, into: spread)
        for state in 0..<1 &<< log {
            let token = Int(spread[state])
            let number = frequencies[token]
            frequencies[token] = number &+ 1
            let width = log &- (Int.bitWidth &- 1 &- number.leadingZeroBitCount)
            let base = number &<< width &- (1 &<< log)
            part[state] = UInt32(truncatingIfNeeded: starts[token] &+ base | width &<< 16)
        }
    }

    /// False where the bits ran out or the states do not end as they should.
    private func decode(
        _ count: Int,
        into tokens: UnsafeMutablePointer<UInt8>,
        _ table: UnsafePointer<UInt32>,
        _ bits: inout BitReader
    ) -> Bool {
        let log = self.log
        let start = self.contexts.first &<< log
        guard self.hasLanes else {
            var state = start &+ Int(bits.take(log))
            for index in 0..<count {
                let entry = table[state]
                tokens[index] = UInt8(truncatingIfNeeded: entry &>> 24)
                state = Int(entry & 0xFFFF) &+ Int(bits.take(Int(entry &>> 16 & 0xFF)))
            }
            return state & (1 &<< log &- 1) == 0
        }
        let quarter = count / 4
        var (a, b, c, d) = (
            start &+ Int(bits.take(log)), start &+ Int(bits.take(log)), start &+ Int(bits.take(log)),
            start &+ Int(bits.take(log))
        )
        let (second, third, fourth) = (tokens + quarter, tokens + 2 * quarter, tokens + 3 * quarter)
        let lastInside = bits.lastInside
        var index = 0
        while index < quarter {
            let (ea, eb, ec, ed) = (table[a], table[b], table[c], table[d])
            var word = bits.position <= lastInside ? bits.peekInside() : bits.peek()
            tokens[index] = UInt8(truncatingIfNeeded: ea &>> 24)
            second[index] = UInt8(truncatingIfNeeded: eb &>> 24)
            third[index] = UInt8(truncatingIfNeeded: ec &>> 24)
            fourth[index] = UInt8(truncatingIfNeeded: ed &>> 24)
            let (wa, wb) = (UInt64(ea &>> 16 & 0xFF), UInt64(eb &>> 16 & 0xFF))
            let (wc, wd) = (UInt64(ec &>> 16 & 0xFF), UInt64(ed &>> 16 & 0xFF))
            a = Int(ea & 0xFFFF) &+ Int(truncatingIfNeeded: word & ((1 &<< wa) &- 1))
            word &>>= wa
            b = Int(eb & 0xFFFF) &+ Int(truncatingIfNeeded: word & ((1 &<< wb) &- 1))
            word &>>= wb
            c = Int(ec & 0xFFFF) &+ Int(truncatingIfNeeded: word & ((1 &<< wc) &- 1))
            word &>>= wc
            d = Int(ed & 0xFFFF) &+ Int(truncatingIfNeeded: word & ((1 &<< wd) &- 1))
            bits.position &+= Int(truncatingIfNeeded: wa &+ wb &+ wc &+ wd)
            index &+= 1
        }
        for index in 4 * quarter..<count {
            let entry = table[d]
            tokens[index] = UInt8(truncatingIfNeeded: entry &>> 24)
            d = Int(entry & 0xFFFF) &+ Int(bits.take(Int(entry &>> 16 & 0xFF)))
        }
        return (a | b | c | d) & (1 &<< log &- 1) == 0
    }
}
