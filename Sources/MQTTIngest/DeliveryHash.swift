// poyang
// SPDX-License-Identifier: Apache-2.0

/// A 64-bit hash of topic and payload that is the same in every process and release, since the journal keeps it.
///
/// MurmurHash64A (Austin Appleby, public domain) over little-endian words, topic first, its result seeding the payload.
/// It guards against confusion, not against an attacker: one who may publish could as well publish the same message twice.
enum DeliveryHash {
    /// Seeds the hash of the topic, which seeds the payload's.
    static let topicSeed: UInt64 = 0x706F_7961_6E67

    static func hash(_ bytes: Span<UInt8>, seed: UInt64) -> UInt64 {
        let factor: UInt64 = 0xC6A4_A793_5BD1_E995
        var hash = seed ^ (UInt64(bytes.count) &* factor)
        var index = 0
        while index + 8 <= bytes.count {
            var word = UInt64(
                littleEndian: unsafe bytes.bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            )
            word = word &* factor
            word ^= word >> 47
            word = word &* factor
            hash = (hash ^ word) &* factor
            index += 8
        }
        if index < bytes.count {
            var tail: UInt64 = 0
            for place in index..<bytes.count { tail |= UInt64(bytes[place]) << UInt64(8 * (place - index)) }
            hash = (hash ^ tail) &* factor
        }
        hash ^= hash >> 47
        hash = hash &* factor
        return hash ^ (hash >> 47)
    }
}
