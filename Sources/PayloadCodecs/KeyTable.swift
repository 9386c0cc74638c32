// poyang
// SPDX-License-Identifier: Apache-2.0

/// Gives the same text for the same bytes without allocating it again.
///
/// The names in payloads are few and repeat in every message. A direct-mapped table: a name that falls on another's place
/// replaces it, and a long one has none, so that the table stays small.
struct KeyTable: Sendable {
    /// Bytes of a name that is kept.
    private static let longest = 256

    private var names: [String]
    private let mask: Int

    /// - Parameter bits: The table has 2^bits places.
    init(bits: Int = 10) {
        self.names = Array(repeating: "", count: 1 << bits)
        self.mask = (1 << bits) - 1
    }

    /// The text of bytes `range`; nil when they are not UTF-8.
    mutating func text(of range: Range<Int>, in bytes: Span<UInt8>) -> String? {
        // FNV-1a; it only chooses the place, equality is decided on the bytes.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in range { hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01B3 }
        let place = Int(truncatingIfNeeded: hash ^ (hash >> 32)) & self.mask
        if Self.isSame(self.names[place], range, bytes) { return self.names[place] }
        var copy: [UInt8] = []
        copy.reserveCapacity(range.count)
        for index in range { copy.append(bytes[index]) }
        guard let text = String(validating: copy, as: UTF8.self) else { return nil }
        if range.count <= Self.longest { self.names[place] = text }
        return text
    }

    private static func isSame(_ name: String, _ range: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
        let known = name.utf8Span.span
        guard known.count == range.count else { return false }
        for index in known.indices where known[index] != bytes[range.lowerBound + index] { return false }
        return true
    }
}
