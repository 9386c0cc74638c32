// poyang
// SPDX-License-Identifier: Apache-2.0

/// Writes into memory that is known to suffice, in the form of ``ByteWriter``.
struct ByteCursor: ~Copyable {
    private let start: UnsafeMutableRawPointer
    private var place: UnsafeMutableRawPointer

    fileprivate init(_ start: UnsafeMutableRawPointer) {
        self.start = start
        self.place = start
    }

    fileprivate var written: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: self.start, count: self.place - self.start)
    }

    /// Takes 1 byte.
    @inline(__always)
    mutating func byte(_ value: UInt8) {
        self.place.storeBytes(of: value, as: UInt8.self)
        self.place += 1
    }

    /// Takes up to 10 bytes.
    @inline(__always)
    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            self.byte(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        self.byte(UInt8(truncatingIfNeeded: rest))
    }

    /// Takes up to 10 bytes.
    @inline(__always)
    mutating func signed(_ value: Int64) {
        self.varint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    /// Takes 8 bytes.
    @inline(__always)
    mutating func fixed(_ value: UInt64) {
        self.place.storeBytes(of: value.littleEndian, as: UInt64.self)
        self.place += 8
    }

    /// Takes 2 bytes.
    @inline(__always)
    mutating func fixed(_ value: UInt16) {
        self.place.storeBytes(of: value.littleEndian, as: UInt16.self)
        self.place += 2
    }
}

extension ByteWriter {
    /// Appends what `body` writes, which is at most `count` bytes: spares a check for each of them.
    mutating func appendUnchecked(atMost count: Int, _ body: (inout ByteCursor) -> Void) {
        withUnsafeTemporaryAllocation(byteCount: max(count, 1), alignment: 8) { memory in
            guard let start = memory.baseAddress else { return }
            var cursor = ByteCursor(start)
            body(&cursor)
            self.append(cursor.written)
        }
    }
}
