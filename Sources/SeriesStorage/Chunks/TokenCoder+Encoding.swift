// poyang
// SPDX-License-Identifier: Apache-2.0

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
