// poyang
// SPDX-License-Identifier: Apache-2.0

/// Appends little-endian numbers and variable-length integers to a growing buffer.
///
/// A varint holds seven bits per byte, lowest first, the top bit set on all but the last (as in Protocol Buffers).
/// A signed number is zigzagged first: 0, −1, 1, −2 … become 0, 1, 2, 3 …
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int = 0) {
        self.bytes.reserveCapacity(capacity)
    }

    /// Goes on after the bytes that are there, and leaves none behind; ``take()`` gives all back.
    init(continuing bytes: inout [UInt8]) {
        swap(&self.bytes, &bytes)
    }

    /// All bytes, which the writer then no longer has.
    mutating func take() -> [UInt8] {
        var bytes: [UInt8] = []
        swap(&self.bytes, &bytes)
        return bytes
    }

    mutating func byte(_ value: UInt8) {
        self.bytes.append(value)
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        self.bytes.append(contentsOf: bytes)
    }

    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            self.bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        self.bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func count(_ value: Int) {
        self.varint(UInt64(value))
    }

    mutating func signed(_ value: Int64) {
        self.varint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    mutating func fixed(_ value: UInt64) {
        withUnsafeBytes(of: value.littleEndian) { self.bytes.append(contentsOf: $0) }
    }

    mutating func fixed(_ value: UInt32) {
        withUnsafeBytes(of: value.littleEndian) { self.bytes.append(contentsOf: $0) }
    }

    mutating func fixed(_ value: UInt16) {
        withUnsafeBytes(of: value.littleEndian) { self.bytes.append(contentsOf: $0) }
    }

    mutating func raw(_ bytes: UnsafeRawBufferPointer) {
        self.bytes.append(contentsOf: bytes)
    }

    mutating func text(_ value: String) {
        let utf8 = Array(value.utf8)
        self.count(utf8.count)
        self.bytes.append(contentsOf: utf8)
    }
}
