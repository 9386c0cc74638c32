// poyang
// SPDX-License-Identifier: Apache-2.0

/// Entropy coder of tokens below 256: table-driven asymmetric numeral systems (Duda 2013, "tANS").
///
/// ```
/// ┌───────┬────────────┬──────────────────┬────────────────────────────────────────────────────────────┐
/// │ shape │ tokens − 1 │ commonest token  │ bits, lowest first, to the next whole byte                 │
/// │ u8    │ u8         │ u8, if contexts  │ weights of each context, unless flat · first states · code │
/// └───────┴────────────┴──────────────────┴────────────────────────────────────────────────────────────┘
/// shape    0x0F log2 of the table size, 5...10; 0x30 contexts (TokenContexts); 0x40 flat: all tokens are as likely;
///          0x80 four lanes, otherwise one
/// weights  TokenFrequencies, with 2 bits of precision where there are contexts, otherwise 3
/// ```
/// Lane l of four has the tokens from l × (count / 4) on, the last one also the remainder; each has its own state of
/// log2 bits and its own context. The code has turn by turn the bits that each lane's token needs for its next state;
/// the last states are 0.
struct TokenCoder {
    let contexts: TokenContexts
    let isFlat: Bool
    /// Tokens are below this.
    let size: Int
    let centre: Int
    let log: Int
    let hasLanes: Bool

    static let lanesFrom = 512
    static let logs = 5...10

    var precision: Int { self.contexts == .none ? 3 : 2 }

    init(count: Int, size: Int, contexts: TokenContexts, centre: Int, isFlat: Bool) {
        self.contexts = contexts
        self.isFlat = isFlat
        self.size = size
        self.centre = centre
        self.hasLanes = count >= Self.lanesFrom
        let enough = Int.bitWidth - (2 * size - 1).leadingZeroBitCount
        let wanted = (Int.bitWidth - count.leadingZeroBitCount) - 3
        let most = contexts == .none ? 10 : 8
        self.log = max(min(max(wanted, 5), most), enough)
    }
}

// MARK: Writing

extension TokenCoder {
    /// Bytes that encoding may touch at most.
    static func room(_ count: Int) -> Int { count * 2 + 17 * 256 * 2 + 64 }

    /// Writes `count` tokens; `counts` says how often each occurs in each context.
    func encode(
        _ tokens: UnsafePointer<UInt8>,
        _ count: Int,
        counts: UnsafePointer<UInt32>,
        to writer: inout ByteWriter
    ) {
        writer.byte(
            UInt8(self.log) | self.contexts.rawValue << 4 | (self.isFlat ? 0x40 : 0) | (self.hasLanes ? 0x80 : 0)
        )
        writer.byte(UInt8(self.size - 1))
        if self.contexts != .none { writer.byte(UInt8(self.centre)) }
        withUnsafeTemporaryAllocation(byteCount: Self.room(count), alignment: 8) { memory in
            guard let start = memory.baseAddress else { return }
            var bits = BitWriter(start)
            let tables = EncodingTables(self, counts: counts, to: &bits)
            defer { tables.deallocate() }
            self.encode(tokens, count, tables, to: &bits)
            writer.raw(bits.bytes)
        }
    }

    private func encode(
        _ tokens: UnsafePointer<UInt8>,
        _ count: Int,
        _ tables: EncodingTables,
        to bits: inout BitWriter
    ) {
        let lanes = self.hasLanes ? 4 : 1
        let quarter = count / lanes
        let log = self.log
        let size = self.size
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 2 * count) { memory in
            guard let code = memory.baseAddress else { return }
            let places = code + count
            // Where in the tables each token is: its context follows from those before it.
            var context = 0
            for index in 0..<count {
                if index % quarter == 0, index < lanes * quarter { context = self.contexts.first }
                let place = context &* size &+ Int(tokens[index])
                places[index] = UInt32(truncatingIfNeeded: place)
                context = Int(tables.next[place])
            }
            // Backwards, as the decoder goes forwards.
            var states: InlineArray<4, UInt32> = .init(repeating: 1 << UInt32(log))
            var turn = count
            func push(_ lane: Int, _ index: Int) {
                let symbol = tables.symbols[Int(places[index])]
                let state = states[lane]
                let width = (state &+ symbol.widths) >> 16
                turn &-= 1
                code[turn] = width << 16 | (state & ((1 &<< width) &- 1))
                states[lane] = UInt32(tables.states[Int(Int32(bitPattern: state &>> width) &+ symbol.shift)])
            }
            for index in stride(from: count - 1, through: lanes * quarter, by: -1) { push(lanes - 1, index) }
            for index in stride(from: quarter - 1, through: 0, by: -1) {
                for lane in stride(from: lanes - 1, through: 0, by: -1) { push(lane, lane &* quarter &+ index) }
            }
            for lane in 0..<lanes { bits.put(UInt64(states[lane]) & (1 << UInt64(log) - 1), log) }
            for turn in 0..<count {
                bits.put(UInt64(code[turn] & 0xFFFF), Int(truncatingIfNeeded: code[turn] >> 16))
            }
        }
    }
}

/// What the encoder looks up, by context × size + token.
private struct EncodingTables {
    struct Symbol {
        /// Added to a state, the number of its bits to write, above the lowest sixteen.
        var widths: UInt32
        /// Added to what is left of the state, the place of the next one.
        var shift: Int32
    }

    let symbols: UnsafeMutablePointer<Symbol>
    let states: UnsafeMutablePointer<UInt16>
    let next: UnsafeMutablePointer<UInt8>

    init(_ coder: TokenCoder, counts: UnsafePointer<UInt32>, to bits: inout BitWriter) {
        let size = coder.size
        let contexts = coder.contexts.count
        let tableSize = 1 << coder.log
        let symbols = UnsafeMutablePointer<Symbol>.allocate(capacity: contexts * size)
        let states = UnsafeMutablePointer<UInt16>.allocate(capacity: contexts * tableSize)
        let next = UnsafeMutablePointer<UInt8>.allocate(capacity: contexts * size)
        self.symbols = symbols
        self.states = states
        self.next = next
        let spread = UnsafeMutablePointer<UInt8>.allocate(capacity: tableSize)
        defer { spread.deallocate() }
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 2 * size) { memory in
            guard let frequencies = memory.baseAddress else { return }
            let places = frequencies + size
            for context in 0..<contexts {
                if coder.isFlat {
                    frequencies.update(repeating: 1, count: size)
                } else {
                    TokenFrequencies.weigh(
                        counts + context * size,
                        size,
                        log: coder.log,
                        precision: coder.precision,
                        into: frequencies
                    )
                    TokenFrequencies.write(frequencies, size, precision: coder.precision, to: &bits)
                }
                TokenFrequencies.normalise(frequencies, size, log: coder.log)
                var total = 0
                for token in 0..<size {
                    let frequency = frequencies[token]
                    places[token] = context * tableSize + total
                    let step = TokenContexts.step(token, centre: coder.centre)
                    next[context * size + token] = UInt8(coder.contexts.next(context, step: step))
                    // A token of frequency f keeps states f..<2f: the bits above are written.
                    let most = coder.log - (Int.bitWidth - max(frequency - 1, 0).leadingZeroBitCount) + 1
                    let least = frequency == 1 ? coder.log : most
                    symbols[context * size + token] = Symbol(
                        widths: UInt32(truncatingIfNeeded: least << 16 - frequency << least),
                        shift: Int32(context * tableSize + total - frequency)
                    )
                    total += frequency
                }
                TokenFrequencies.spread(frequencies, size, log: coder.log, into: spread)
                for state in 0..<tableSize {
                    let token = Int(spread[state])
                    states[places[token]] = UInt16(truncatingIfNeeded: tableSize &+ state)
                    places[token] &+= 1
                }
            }
        }
    }

    func deallocate() {
        self.symbols.deallocate()
        self.states.deallocate()
        self.next.deallocate()
    }
}

// MARK: Reading

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
