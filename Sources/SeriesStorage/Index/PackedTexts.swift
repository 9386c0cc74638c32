// poyang
// SPDX-License-Identifier: Apache-2.0

/// The texts of labels in their stored form, name and value in turn, found but not copied.
struct PackedTexts {
    private let bytes: UnsafeBufferPointer<UInt8>
    private let first: Int
    private let count: Int

    /// Looks through the stored form once.
    ///
    /// - Returns: nil where it is sound but must be read as `String`: bytes beyond ASCII may be no UTF-8, and an
    ///   empty value is no label.
    /// - Throws: Where ``LabelsCodec`` refuses it.
    init?(_ bytes: UnsafeBufferPointer<UInt8>) throws(DamagedBytes) {
        self.bytes = bytes
        var offset = 0
        let labels = try Self.length(bytes, &offset)
        guard labels <= (bytes.count - offset) / 2 else {
            throw DamagedBytes(message: "announces more than it holds", offset: offset)
        }
        self.first = offset
        self.count = 2 * labels
        var seen: UInt8 = 0
        var hasEmptyValue = false
        for index in 0..<self.count {
            let length = try Self.length(bytes, &offset)
            if length == 0, index % 2 == 1 { hasEmptyValue = true }
            for position in offset..<offset + length { seen |= bytes[position] }
            offset += length
        }
        if seen >= 0x80 || hasEmptyValue { return nil }
    }

    /// A varint that is not more than what follows.
    private static func length(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ offset: inout Int
    ) throws(DamagedBytes) -> Int {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while offset < bytes.count, shift < 64 {
            let next = bytes[offset]
            offset += 1
            value |= UInt64(next & 0x7F) << shift
            shift += 7
            if next >= 0x80 { continue }
            guard value <= UInt64(bytes.count - offset) else {
                throw DamagedBytes(message: "announces more than it holds", offset: offset)
            }
            return Int(value)
        }
        throw DamagedBytes(
            message: shift < 64 ? "ends too early" : "has a number of more than ten bytes",
            offset: offset
        )
    }

    func withTexts<Result>(_ body: (UnsafeBufferPointer<UnsafeBufferPointer<UInt8>>) -> Result) -> Result {
        withUnsafeTemporaryAllocation(of: UnsafeBufferPointer<UInt8>.self, capacity: self.count) { texts in
            var offset = self.first
            for index in 0..<self.count {
                var length = 0
                var shift = 0
                while self.bytes[offset] >= 0x80 {
                    length |= Int(self.bytes[offset] & 0x7F) << shift
                    shift += 7
                    offset += 1
                }
                length |= Int(self.bytes[offset]) << shift
                offset += 1
                texts.initializeElement(
                    at: index,
                    to: UnsafeBufferPointer(rebasing: self.bytes[offset..<offset + length])
                )
                offset += length
            }
            return body(UnsafeBufferPointer(texts))
        }
    }
}
