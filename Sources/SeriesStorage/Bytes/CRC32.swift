// poyang
// SPDX-License-Identifier: Apache-2.0

/// CRC-32 as in ISO-HDLC, PNG and gzip (polynomial 0xEDB88320): 0xCBF43926 for the ASCII digits 1 to 9.
enum CRC32 {
    private static let table: [UInt32] = (0..<256)
        .map { (index: UInt32) -> UInt32 in
            var value = index
            for _ in 0..<8 { value = value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
            return value
        }

    static func checksum(_ bytes: Span<UInt8>) -> UInt32 {
        var value: UInt32 = 0xFFFF_FFFF
        self.table.withUnsafeBufferPointer { table in
            for index in bytes.indices {
                value = table[Int((value ^ UInt32(bytes[index])) & 0xFF)] ^ (value >> 8)
            }
        }
        return value ^ 0xFFFF_FFFF
    }
}
