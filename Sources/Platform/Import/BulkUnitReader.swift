// poyang
// SPDX-License-Identifier: Apache-2.0

package import PayloadCodecs

/// Some whole lines of a bulk input.
package struct BulkUnit: Sendable {
    /// From 0, without gaps.
    package let index: Int
    package let bytes: [UInt8]
    /// The offset in the input of the byte behind it.
    package let end: Int64
    /// Whether it stands for one line that was too long to be kept.
    package let isOversized: Bool
    /// Whether nothing follows.
    package let isLast: Bool
}

/// Cuts an input into units of whole lines.
package struct BulkUnitReader {
    private let input: any BulkInput
    private let format: BulkFormat
    private let size: Int
    /// The columns of a CSV input.
    package private(set) var table: CSVTable?
    /// What was read behind the last unit.
    private var carry: [UInt8] = []
    private var isAtEnd = false
    private var index = 0
    /// The offset of the next unit.
    package private(set) var offset: Int64 = 0

    /// `size` is how many bytes a unit should have; a longer line gets a unit of its own.
    package init(_ input: any BulkInput, format: BulkFormat, size: Int, table: CSVTable? = nil) {
        self.input = input
        self.format = format
        self.size = max(size, 16)
        self.table = table
    }

    /// Reads the header row, where the format has one that is not known yet.
    ///
    /// - Returns: How many lines it has.
    /// - Throws: ``BulkLineError`` for a header that cannot be used; what the input throws.
    package mutating func readHeader() throws -> Int {
        guard self.format == .csv, self.table == nil else { return 0 }
        var bytes: [UInt8] = []
        while true {
            bytes = try self.filled(bytes, to: bytes.count + 4096)
            if let end = bytes.firstIndex(of: 0x0A) {
                self.table = try bytes[...end].withUnsafeBytes { try CSVTable(header: $0) }
                self.carry = Array(bytes[(end + 1)...])
                self.offset = Int64(end + 1)
                return 1
            }
            guard !self.isAtEnd, bytes.count < BulkFormat.maximumRecord else {
                self.table = try bytes.withUnsafeBytes { try CSVTable(header: $0) }
                self.offset = Int64(bytes.count)
                return 1
            }
        }
    }

    /// Goes on at an offset where a unit ended before.
    package mutating func skip(to offset: Int64) throws {
        guard offset != self.offset else { return }
        try self.input.seek(to: offset)
        self.carry = []
        self.isAtEnd = false
        self.offset = offset
    }

    /// The next unit; nil at the end.
    package mutating func next() throws -> BulkUnit? {
        var bytes = self.carry
        self.carry = []
        var size = self.size
        while true {
            bytes = try self.filled(bytes, to: size)
            if self.isAtEnd {
                if bytes.isEmpty { return nil }
                return self.unit(bytes)
            }
            let length = bytes.withUnsafeBytes { self.format.split($0, table: self.table) }
            if length > 0 {
                self.carry = Array(bytes[length...])
                bytes.removeLast(bytes.count - length)
                return self.unit(bytes)
            }
            if bytes.count > BulkFormat.maximumLine { return try self.skipLine(behind: bytes.count) }
            size = max(bytes.count, size) * 2
        }
    }

    private mutating func unit(_ bytes: [UInt8]) -> BulkUnit {
        self.offset += Int64(bytes.count)
        return self.unit(bytes, isOversized: false)
    }

    private mutating func unit(_ bytes: [UInt8], isOversized: Bool) -> BulkUnit {
        defer { self.index += 1 }
        return BulkUnit(
            index: self.index,
            bytes: bytes,
            end: self.offset,
            isOversized: isOversized,
            isLast: self.isAtEnd && self.carry.isEmpty
        )
    }

    /// Passes over the rest of a line of which `count` bytes have been read.
    private mutating func skipLine(behind count: Int) throws -> BulkUnit {
        self.offset += Int64(count)
        while !self.isAtEnd {
            let bytes = try self.filled([], to: 1 << 20)
            if let end = bytes.firstIndex(of: 0x0A) {
                self.offset += Int64(end + 1)
                self.carry = Array(bytes[(end + 1)...])
                break
            }
            self.offset += Int64(bytes.count)
        }
        return self.unit([], isOversized: true)
    }

    /// `bytes` and what follows them, until there are `size` or the input ends.
    private mutating func filled(_ bytes: [UInt8], to size: Int) throws -> [UInt8] {
        guard bytes.count < size else { return bytes }
        var isAtEnd = false
        defer { self.isAtEnd = isAtEnd }
        return try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            _ = buffer.update(fromContentsOf: bytes)
            count = bytes.count
            let raw = UnsafeMutableRawBufferPointer(buffer)
            while count < size {
                let read = try self.input.read(into: UnsafeMutableRawBufferPointer(rebasing: raw[count...]))
                if read == 0 {
                    isAtEnd = true
                    return
                }
                count += read
            }
        }
    }
}
