// poyang
// SPDX-License-Identifier: Apache-2.0

/// Stored bytes that do not have the form they should have.
package struct DamagedBytes: Error {
    package let message: String
    /// Of the first byte that could not be used.
    package let offset: Int
}

/// Reads what ``ByteWriter`` wrote; damaged input throws and never traps.
struct ByteReader {
    private let bytes: [UInt8]
    private let end: Int
    private(set) var offset = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        self.end = bytes.count
    }

    /// Of a blob that ends with the CRC-32 of all before it and begins with its format's version: the bytes between.
    init(checking bytes: [UInt8], version: UInt8) throws(DamagedBytes) {
        guard bytes.count > 5 else { throw DamagedBytes(message: "is too short", offset: bytes.count) }
        guard bytes[0] == version else {
            throw DamagedBytes(message: "has the unknown format version \(bytes[0])", offset: 0)
        }
        let end = bytes.count - 4
        var stored: UInt32 = 0
        for index in 0..<4 { stored |= UInt32(bytes[end + index]) << UInt32(8 * index) }
        guard CRC32.checksum(bytes.span.extracting(0..<end)) == stored else {
            throw DamagedBytes(message: "fails its checksum", offset: end)
        }
        self.bytes = bytes
        self.end = end
        self.offset = 1
    }

    var remaining: Int { self.end - self.offset }

    mutating func byte() throws(DamagedBytes) -> UInt8 {
        guard self.offset < self.end else { throw self.damaged("ends too early") }
        defer { self.offset += 1 }
        return self.bytes[self.offset]
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

    /// A number of things of which each takes at least `size` bytes: never more than the rest could hold.
    mutating func count(ofSize size: Int) throws(DamagedBytes) -> Int {
        guard let count = Int(exactly: try self.varint()), count <= self.remaining / max(size, 1) else {
            throw self.damaged("announces more than it holds")
        }
        return count
    }

    mutating func signed() throws(DamagedBytes) -> Int64 {
        let value = try self.varint()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    mutating func fixed64() throws(DamagedBytes) -> UInt64 {
        guard self.remaining >= 8 else { throw self.damaged("ends too early") }
        var value: UInt64 = 0
        for index in 0..<8 { value |= UInt64(self.bytes[self.offset + index]) << UInt64(8 * index) }
        self.offset += 8
        return value
    }

    mutating func fixed32() throws(DamagedBytes) -> UInt32 {
        var value: UInt32 = 0
        for index in 0..<4 { value |= UInt32(try self.byte()) << UInt32(8 * index) }
        return value
    }

    mutating func fixed16() throws(DamagedBytes) -> UInt16 {
        UInt16(try self.byte()) | UInt16(try self.byte()) << 8
    }

    mutating func text() throws(DamagedBytes) -> String {
        let count = try self.count(ofSize: 1)
        var utf8: [UInt8] = []
        utf8.reserveCapacity(count)
        for _ in 0..<count { utf8.append(try self.byte()) }
        return String(decoding: utf8, as: UTF8.self)
    }

    func damaged(_ message: String) -> DamagedBytes {
        DamagedBytes(message: message, offset: self.offset)
    }
}
