// poyang
// SPDX-License-Identifier: Apache-2.0

/// Reads numbers and bits from bytes that someone else keeps alive; damaged input throws and never traps.
///
/// The forms of numbers are those of ``ByteWriter``; bits come lowest first.
struct RawReader {
    private let start: UnsafeRawPointer
    /// One past the last byte that may be read.
    let end: Int
    private(set) var offset = 0

    /// Nil where there are no bytes.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return nil }
        self.start = start
        self.end = bytes.count
    }

    var remaining: Int { self.end - self.offset }

    mutating func byte() throws(DamagedBytes) -> UInt8 {
        guard self.offset < self.end else { throw self.damaged("ends too early") }
        defer { self.offset += 1 }
        return self.start.load(fromByteOffset: self.offset, as: UInt8.self)
    }

    mutating func varint() throws(DamagedBytes) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 64 {
            let next = try self.byte()
            value |= UInt64(next & 0x7F) << shift
            if next < 0x80 { return value }
            shift += 7
        }
        throw self.damaged("has a number of more than ten bytes")
    }

    mutating func signed() throws(DamagedBytes) -> Int64 {
        let value = try self.varint()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    mutating func fixed64() throws(DamagedBytes) -> UInt64 {
        guard self.remaining >= 8 else { throw self.damaged("ends too early") }
        defer { self.offset += 8 }
        return UInt64(littleEndian: self.start.loadUnaligned(fromByteOffset: self.offset, as: UInt64.self))
    }

    /// A number of things in `0...limit`.
    mutating func count(upTo limit: Int) throws(DamagedBytes) -> Int {
        guard let count = Int(exactly: try self.varint()), count <= limit else {
            throw self.damaged("announces more than it holds")
        }
        return count
    }

    /// The bits from here on.
    var bits: BitReader { BitReader(self.start, bit: self.offset * 8, end: self.end) }

    /// Goes on at the next whole byte after `bits`.
    mutating func skip(_ bits: BitReader) throws(DamagedBytes) {
        let offset = (bits.position + 7) / 8
        guard offset <= self.end else { throw self.damaged("ends too early") }
        self.offset = offset
    }

    func damaged(_ message: String) -> DamagedBytes {
        DamagedBytes(message: message, offset: self.offset)
    }
}

/// Bits of a byte string, lowest first; zeros follow its end, and who cares compares ``position`` afterwards.
struct BitReader {
    private let start: UnsafeRawPointer
    private let end: Int
    /// The next bit, from the beginning of the bytes.
    var position: Int

    init(_ start: UnsafeRawPointer, bit: Int, end: Int) {
        self.start = start
        self.position = bit
        self.end = end
    }

    /// The last position at which ``peekInside()`` may look.
    var lastInside: Int { (self.end - 8) * 8 + 7 }

    /// At least 57 bits from the position on, which is at most ``lastInside``.
    @inline(__always)
    func peekInside() -> UInt64 {
        UInt64(littleEndian: self.start.loadUnaligned(fromByteOffset: self.position >> 3, as: UInt64.self))
            >> UInt64(truncatingIfNeeded: self.position & 7)
    }

    /// At least 57 bits from the position on.
    @inline(__always)
    func peek() -> UInt64 {
        if self.position <= self.lastInside { return self.peekInside() }
        return self.peekNearEnd()
    }

    @inline(never)
    private func peekNearEnd() -> UInt64 {
        var value: UInt64 = 0
        let first = self.position >> 3
        var index = 0
        while index < 8, first + index < self.end {
            value |= UInt64(self.start.load(fromByteOffset: first + index, as: UInt8.self)) << UInt64(8 * index)
            index += 1
        }
        return value >> UInt64(self.position & 7)
    }

    /// The next `width` bits, at most 57.
    @inline(__always)
    mutating func take(_ width: Int) -> UInt64 {
        let value = self.peek() & ((1 &<< UInt64(truncatingIfNeeded: width)) &- 1)
        self.position &+= width
        return value
    }

    /// The next `width` bits, at most 64.
    @inline(__always)
    mutating func takeWide(_ width: Int) -> UInt64 {
        guard width > 32 else { return self.take(width) }
        let low = self.take(32)
        return low | self.take(width &- 32) << 32
    }
}
