// poyang
// SPDX-License-Identifier: Apache-2.0

/// A column of 64-bit integers in the cheapest of five forms.
///
/// Differences wrap.
///
/// ```
/// mode 0 constant  the number, signed varint
/// mode 1 packed    base signed varint · width u8, 1...64 · bits: each number − base in `width` bits
/// mode 2 sparse    count of numbers that are not 0, varint · column of the gaps (how many zeros are before each)
///                  · column of the numbers; neither is sparse itself
/// mode 3 frame     base signed varint · low u8, 0...59 · TokenCoder of (number − base) >> low · bits: the `low` bits
///                  of each
/// mode 4 buckets   TokenCoder of the tokens of the zigzagged numbers · bits: the rest of each number
/// ```
/// Each begins with its mode, u8; a column of no numbers has no bytes. Bits come lowest first and end at a whole byte.
///
/// A zigzagged number below 16 is its own token. One with its first bit at position p ≥ 4 has the token 4p + the two
/// bits below that one; the p − 2 bits below those are the rest.
///
/// The writer estimates the bits of all modes from histograms and takes the cheapest (``IntegerColumnPlan``).
enum IntegerColumn {
    enum Mode: UInt8 {
        case constant = 0
        case packed = 1
        case sparse = 2
        case frame = 3
        case buckets = 4
    }

    @inline(__always)
    static func zigzag(_ number: Int64) -> UInt64 {
        UInt64(bitPattern: (number &<< 1) ^ (number &>> 63))
    }

    @inline(__always)
    static func unzigzag(_ number: UInt64) -> Int64 {
        Int64(bitPattern: number &>> 1) ^ (0 &- Int64(bitPattern: number & 1))
    }

    /// The token of a zigzagged number, and the width of its rest.
    @inline(__always)
    static func bucket(_ number: UInt64) -> (token: UInt8, width: Int) {
        guard number >= 16 else { return (UInt8(truncatingIfNeeded: number), 0) }
        let position = 63 &- number.leadingZeroBitCount
        let upper = number &>> UInt64(truncatingIfNeeded: position &- 2) & 3
        return (UInt8(truncatingIfNeeded: 4 &* position &+ Int(truncatingIfNeeded: upper)), position &- 2)
    }
}

// MARK: Writing

extension IntegerColumn {
    static func encode(_ numbers: UnsafeBufferPointer<Int64>, maySparse: Bool = true, to writer: inout ByteWriter) {
        guard let start = numbers.baseAddress, !numbers.isEmpty else { return }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 2 * numbers.count) { memory in
            guard let tokens = memory.baseAddress else { return }
            let plan = IntegerColumnPlan(numbers, tokens: tokens, buckets: tokens + numbers.count, maySparse: maySparse)
            writer.byte(plan.mode.rawValue)
            switch plan.mode {
            case .constant:
                writer.signed(start[0])
            case .packed:
                writer.signed(plan.minimum)
                writer.byte(UInt8(plan.width))
                self.writeBits(numbers, plan.minimum, width: plan.width, to: &writer)
            case .sparse:
                self.encodeSparse(numbers, to: &writer)
            case .frame:
                writer.signed(plan.minimum)
                writer.byte(UInt8(plan.low))
                plan.encodeTokens(tokens, numbers.count, to: &writer)
                if plan.low > 0 { self.writeBits(numbers, plan.minimum, width: plan.low, to: &writer) }
            case .buckets:
                plan.encodeTokens(tokens + numbers.count, numbers.count, to: &writer)
                self.writeRests(numbers, to: &writer)
            }
        }
    }

    /// The low `width` bits of each number − base.
    private static func writeBits(
        _ numbers: UnsafeBufferPointer<Int64>,
        _ base: Int64,
        width: Int,
        to writer: inout ByteWriter
    ) {
        let mask = width == 64 ? UInt64.max : 1 << UInt64(width) - 1
        withUnsafeTemporaryAllocation(byteCount: (numbers.count * width + 7) / 8 + 16, alignment: 8) { memory in
            guard let start = memory.baseAddress else { return }
            var bits = BitWriter(start)
            for number in numbers { bits.putWide(UInt64(bitPattern: number &- base) & mask, width) }
            writer.raw(bits.bytes)
        }
    }

    private static func writeRests(_ numbers: UnsafeBufferPointer<Int64>, to writer: inout ByteWriter) {
        withUnsafeTemporaryAllocation(byteCount: numbers.count * 8 + 16, alignment: 8) { memory in
            guard let start = memory.baseAddress else { return }
            var bits = BitWriter(start)
            for number in numbers {
                let value = self.zigzag(number)
                let width = self.bucket(value).width
                if width > 0 { bits.putWide(value & (1 &<< UInt64(width) &- 1), width) }
            }
            writer.raw(bits.bytes)
        }
    }

    private static func encodeSparse(_ numbers: UnsafeBufferPointer<Int64>, to writer: inout ByteWriter) {
        var gaps: [Int64] = []
        var others: [Int64] = []
        var last = -1
        for index in 0..<numbers.count where numbers[index] != 0 {
            gaps.append(Int64(index - last - 1))
            others.append(numbers[index])
            last = index
        }
        writer.count(others.count)
        gaps.withUnsafeBufferPointer { self.encode($0, maySparse: false, to: &writer) }
        others.withUnsafeBufferPointer { self.encode($0, maySparse: false, to: &writer) }
    }
}

// MARK: Reading

extension IntegerColumn {
    /// What all numbers of the column are, where it says so in one; otherwise nil, and nothing is read.
    static func constant(from reader: inout RawReader) throws(DamagedBytes) -> Int64? {
        var ahead = reader
        guard try ahead.byte() == Mode.constant.rawValue else { return nil }
        let number = try ahead.signed()
        reader = ahead
        return number
    }

    static func decode(
        _ count: Int,
        into numbers: UnsafeMutablePointer<Int64>,
        maySparse: Bool = true,
        from reader: inout RawReader
    ) throws(DamagedBytes) {
        guard count > 0 else { return }
        guard let mode = Mode(rawValue: try reader.byte()), maySparse || mode != .sparse else {
            throw reader.damaged("has an unknown mode of integers")
        }
        switch mode {
        case .constant:
            numbers.update(repeating: try reader.signed(), count: count)
        case .packed:
            let base = try reader.signed()
            let width = Int(try reader.byte())
            guard (1...64).contains(width) else { throw reader.damaged("has an impossible width") }
            numbers.update(repeating: base, count: count)
            try self.addBits(count, width: width, to: numbers, from: &reader)
        case .sparse:
            try self.decodeSparse(count, into: numbers, from: &reader)
        case .frame:
            let base = try reader.signed()
            let low = Int(try reader.byte())
            guard low <= 59 else { throw reader.damaged("has an impossible width") }
            try self.withTokens(count, &reader) { tokens in
                for index in 0..<count { numbers[index] = base &+ Int64(tokens[index]) &<< Int64(low) }
            }
            if low > 0 { try self.addBits(count, width: low, to: numbers, from: &reader) }
        case .buckets:
            try self.withTokens(count, &reader) { tokens in
                for index in 0..<count { numbers[index] = Int64(tokens[index]) }
            }
            try self.addRests(count, to: numbers, from: &reader)
        }
    }

    private static func withTokens(
        _ count: Int,
        _ reader: inout RawReader,
        _ body: (UnsafePointer<UInt8>) -> Void
    ) throws(DamagedBytes) {
        let coder = try TokenCoder(from: &reader)
        let tokens = UnsafeMutablePointer<UInt8>.allocate(capacity: count)
        defer { tokens.deallocate() }
        try coder.decode(count, into: tokens, from: &reader)
        body(tokens)
    }

    private static func addBits(
        _ count: Int,
        width: Int,
        to numbers: UnsafeMutablePointer<Int64>,
        from reader: inout RawReader
    ) throws(DamagedBytes) {
        guard (count * width + 7) / 8 <= reader.remaining else { throw reader.damaged("ends too early") }
        var bits = reader.bits
        var index = 0
        if width <= 57 {
            let lastInside = bits.lastInside
            let mask = 1 &<< UInt64(width) &- 1
            while index < count, bits.position <= lastInside {
                numbers[index] &+= Int64(bitPattern: bits.peekInside() & mask)
                bits.position &+= width
                index &+= 1
            }
        }
        while index < count {
            numbers[index] &+= Int64(bitPattern: bits.takeWide(width))
            index &+= 1
        }
        try reader.skip(bits)
    }

    /// Turns tokens into the numbers.
    private static func addRests(
        _ count: Int,
        to numbers: UnsafeMutablePointer<Int64>,
        from reader: inout RawReader
    ) throws(DamagedBytes) {
        var bits = reader.bits
        for index in 0..<count {
            var value = UInt64(bitPattern: numbers[index])
            if value >= 16 {
                let position = Int(value >> 2)
                value = (4 | value & 3) &<< UInt64(truncatingIfNeeded: position &- 2)
                value |= bits.takeWide(position &- 2)
            }
            numbers[index] = self.unzigzag(value)
        }
        try reader.skip(bits)
    }

    private static func decodeSparse(
        _ count: Int,
        into numbers: UnsafeMutablePointer<Int64>,
        from reader: inout RawReader
    ) throws(DamagedBytes) {
        let used = try reader.count(upTo: count)
        let memory = UnsafeMutablePointer<Int64>.allocate(capacity: 2 * used + 1)
        defer { memory.deallocate() }
        try self.decode(used, into: memory, maySparse: false, from: &reader)
        try self.decode(used, into: memory + used, maySparse: false, from: &reader)
        numbers.update(repeating: 0, count: count)
        var index = 0
        for number in 0..<used {
            let gap = memory[number]
            guard gap >= 0, gap < Int64(count - index) else { throw reader.damaged("has a number outside its column") }
            index += Int(gap)
            numbers[index] = memory[used + number]
            index += 1
        }
    }
}
