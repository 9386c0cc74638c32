// poyang
// SPDX-License-Identifier: Apache-2.0

/// A hash table that holds nothing but numbers from 1; what they stand for, and its hash, the caller knows.
///
/// Open addressing with linear probing, at most three quarters full, in 256 sections that grow each for itself by half:
/// no growth moves more than the 256th part, and little memory waits unused. Beside each number lies a byte of its
/// hash, so that hardly ever a wrong number is looked at. Five bytes a slot.
struct NumberTable: ~Copyable, @unchecked Sendable {  // its memory has one owner
    private struct Section {
        var numbers: UnsafeMutablePointer<UInt32>
        var tags: UnsafeMutablePointer<UInt8>
        var capacity: UInt32
        var count: UInt32
    }

    private let sections: UnsafeMutablePointer<Section>

    init() {
        self.sections = .allocate(capacity: 256)
        for index in 0..<256 {
            (self.sections + index).initialize(to: Self.section(capacity: 4))
        }
    }

    deinit {
        for index in 0..<256 {
            self.sections[index].numbers.deallocate()
            self.sections[index].tags.deallocate()
        }
        self.sections.deallocate()
    }

    /// The number with that hash that `isIt`; zero where there is none.
    @inline(__always)
    func find(_ hash: UInt64, where isIt: (UInt32) -> Bool) -> UInt32 {
        let section = self.sections[Int(hash >> 56)]
        let tag = UInt8(truncatingIfNeeded: hash)
        var slot = Self.home(hash, section.capacity)
        while true {
            let number = section.numbers[slot]
            if number == 0 { return 0 }
            if section.tags[slot] == tag, isIt(number) { return number }
            slot += 1
            if slot == Int(section.capacity) { slot = 0 }
        }
    }

    /// Adds a number that is not there; `rehash` gives the hash of each number that was added before.
    mutating func insert(_ number: UInt32, hash: UInt64, rehash: (UInt32) -> UInt64) {
        let index = Int(hash >> 56)
        if self.sections[index].count * 4 >= self.sections[index].capacity * 3 {
            let old = self.sections[index]
            var larger = Self.section(capacity: old.capacity + max(4, old.capacity / 2))
            for slot in 0..<Int(old.capacity) where old.numbers[slot] != 0 {
                Self.place(old.numbers[slot], hash: rehash(old.numbers[slot]), in: &larger)
            }
            old.numbers.deallocate()
            old.tags.deallocate()
            self.sections[index] = larger
        }
        Self.place(number, hash: hash, in: &self.sections[index])
    }

    private static func section(capacity: UInt32) -> Section {
        let section = Section(
            numbers: .allocate(capacity: Int(capacity)),
            tags: .allocate(capacity: Int(capacity)),
            capacity: capacity,
            count: 0
        )
        section.numbers.initialize(repeating: 0, count: Int(capacity))
        section.tags.initialize(repeating: 0, count: Int(capacity))
        return section
    }

    /// From the bits that neither the section nor the tag uses.
    @inline(__always)
    private static func home(_ hash: UInt64, _ capacity: UInt32) -> Int {
        Int((((hash >> 16) & 0xFFFF_FFFF) * UInt64(capacity)) >> 32)
    }

    private static func place(_ number: UInt32, hash: UInt64, in section: inout Section) {
        var slot = self.home(hash, section.capacity)
        while section.numbers[slot] != 0 {
            slot += 1
            if slot == Int(section.capacity) { slot = 0 }
        }
        section.numbers[slot] = number
        section.tags[slot] = UInt8(truncatingIfNeeded: hash)
        section.count += 1
    }
}
