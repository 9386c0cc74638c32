// poyang
// SPDX-License-Identifier: Apache-2.0

/// Numbers for byte strings in the order in which they are seen first: which series a piece of raw text means.
struct RawKeyTable {
    private var slots: [UInt32]
    private var hashes: [UInt64] = []
    private var ranges: [(start: Int, count: Int)] = []
    private var arena: [UInt8] = []
    private let seed: UInt64

    /// What differs from process to process, so that no file can be made in which all keys collide.
    private static let processSeed = UInt64(bitPattern: Int64(Hasher().finalize()))

    init() {
        self.slots = [UInt32](repeating: 0, count: 64)
        self.seed = Self.processSeed
    }

    /// The number of `key`; nil where it was never seen.
    func known(_ key: UnsafeRawBufferPointer) -> Int? {
        let hash = self.hash(key)
        let mask = self.slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while self.slots[slot] != 0 {
            let number = Int(self.slots[slot]) - 1
            if self.hashes[number] == hash, self.isSame(number, key) { return number }
            slot = (slot + 1) & mask
        }
        return nil
    }

    /// The number of `key`, which is given one if it is new.
    @discardableResult
    mutating func number(of key: UnsafeRawBufferPointer) -> Int {
        let hash = self.hash(key)
        let mask = self.slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while self.slots[slot] != 0 {
            let number = Int(self.slots[slot]) - 1
            if self.hashes[number] == hash, self.isSame(number, key) { return number }
            slot = (slot + 1) & mask
        }
        self.slots[slot] = UInt32(self.hashes.count + 1)
        self.ranges.append((self.arena.count, key.count))
        self.arena.append(contentsOf: key)
        self.hashes.append(hash)
        if self.hashes.count * 2 > self.slots.count { self.grow() }
        return self.hashes.count - 1
    }

    private func isSame(_ number: Int, _ key: UnsafeRawBufferPointer) -> Bool {
        let range = self.ranges[number]
        guard range.count == key.count, let other = key.baseAddress else { return range.count == key.count }
        return self.arena.withUnsafeBytes { arena in
            arena.baseAddress.map { ByteScan.equal($0 + range.start, other, range.count) } ?? true
        }
    }

    private mutating func grow() {
        let mask = self.slots.count * 2 - 1
        self.slots = [UInt32](repeating: 0, count: mask + 1)
        for (number, hash) in self.hashes.enumerated() {
            var slot = Int(truncatingIfNeeded: hash) & mask
            while self.slots[slot] != 0 { slot = (slot + 1) & mask }
            self.slots[slot] = UInt32(number + 1)
        }
    }

    private func hash(_ key: UnsafeRawBufferPointer) -> UInt64 {
        var state = self.seed ^ UInt64(key.count)
        var offset = 0
        while offset + 8 <= key.count {
            state = Self.mix(state ^ key.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
        }
        var tail: UInt64 = 0
        while offset < key.count {
            tail = tail << 8 | UInt64(key[offset])
            offset += 1
        }
        return Self.mix(state ^ tail ^ 0xA076_1D64_78BD_642F)
    }

    @inline(__always)
    private static func mix(_ value: UInt64) -> UInt64 {
        let product = value.multipliedFullWidth(by: 0xE703_7ED1_A0B4_28DB)
        return (product.high ^ product.low) &+ 0x9E37_79B9_7F4A_7C15
    }
}
