// poyang
// SPDX-License-Identifier: Apache-2.0

/// CRC-32 as in ISO-HDLC, PNG and gzip (polynomial 0xEDB88320): 0xCBF43926 for the ASCII digits 1 to 9.
///
/// Eight bytes a step by eight tables (Kounavis and Berry 2005, "slicing by 8").
enum CRC32 {
    /// Table k at 256 × k: the remainder of a byte that k more bytes follow.
    ///
    /// Unsafe in name only: nobody writes it after it is made.
    private nonisolated(unsafe) static let tables: UnsafePointer<UInt32> = {
        let tables = UnsafeMutablePointer<UInt32>.allocate(capacity: 8 * 256)
        for index in 0..<256 {
            var value = UInt32(index)
            for _ in 0..<8 { value = value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
            tables[index] = value
        }
        for index in 256..<8 * 256 {
            let before = tables[index - 256]
            tables[index] = tables[Int(before & 0xFF)] ^ (before >> 8)
        }
        return UnsafePointer(tables)
    }()

    static func checksum(_ bytes: Span<UInt8>) -> UInt32 {
        bytes.withUnsafeBytes { self.checksum($0) }
    }

    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        guard let start = bytes.baseAddress else { return 0 }
        let tables = self.tables
        var value: UInt32 = 0xFFFF_FFFF
        var offset = 0
        while offset &+ 8 <= bytes.count {
            let next = UInt64(littleEndian: start.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            let mixed = next ^ UInt64(value)
            var folded = tables[Int(mixed >> 56)]
            folded ^= tables[256 &+ Int((mixed >> 48) & 0xFF)]
            folded ^= tables[512 &+ Int((mixed >> 40) & 0xFF)]
            folded ^= tables[768 &+ Int((mixed >> 32) & 0xFF)]
            folded ^= tables[1024 &+ Int((mixed >> 24) & 0xFF)]
            folded ^= tables[1280 &+ Int((mixed >> 16) & 0xFF)]
            folded ^= tables[1536 &+ Int((mixed >> 8) & 0xFF)]
            folded ^= tables[1792 &+ Int(mixed & 0xFF)]
            value = folded
            offset &+= 8
        }
        while offset < bytes.count {
            let byte = start.load(fromByteOffset: offset, as: UInt8.self)
            value = tables[Int((value ^ UInt32(byte)) & 0xFF)] ^ (value >> 8)
            offset &+= 1
        }
        return value ^ 0xFFFF_FFFF
    }
}
