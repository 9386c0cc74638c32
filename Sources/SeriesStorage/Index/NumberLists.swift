// poyang
// SPDX-License-Identifier: Apache-2.0

/// Many rising lists of numbers in one arena; most of them hold a single number.
///
/// ```
/// handle   0                    an empty list
///          number               a list of that number alone (below 2³¹)
///          0x8000_0000 | list   a list in blocks
/// block    next block, numbers  of 4, 8, 16 … 1,024 words, the first of them the position of the next block
/// ```
struct NumberLists: ~Copyable, Sendable {
    /// A list as it was at some moment: it can be read without a lock while numbers are added.
    struct Snapshot: Sendable {
        static let empty = Snapshot(count: 0, first: 0)

        /// How many numbers it has.
        var count: UInt32
        /// The number itself where there is one alone, else the position of the first block.
        var first: UInt32
    }

    /// Reads snapshots; lives no longer than the lists.
    struct Reader: Sendable {
        fileprivate let words: StableArena<UInt32>.Reader

        /// Hands over the numbers, rising, until `body` says false.
        @inline(__always)
        func forEach(in list: Snapshot, _ body: (UInt32) -> Bool) {
            if list.count <= 1 {
                if list.count == 1 { _ = body(list.first) }
                return
            }
            var left = Int(list.count)
            var size = NumberLists.smallest
            var block = self.words.pointer(to: list.first)
            while true {
                let here = min(left, size - 1)
                for index in 1...here where !body(block[index]) { return }
                left -= here
                if left == 0 { return }
                block = self.words.pointer(to: block[0])
                size = min(size * 2, NumberLists.largest)
            }
        }
    }

    private static let smallest = 4
    private static let largest = 1024
    private static let inBlocks: UInt32 = 0x8000_0000

    private var words = StableArena<UInt32>()
    private var lists = StableArena<NumberList>()

    var reader: Reader { Reader(words: self.words.reader) }

    @inline(__always)
    func snapshot(_ handle: UInt32) -> Snapshot {
        guard handle & Self.inBlocks != 0 else { return Snapshot(count: handle == 0 ? 0 : 1, first: handle) }
        let list = self.lists[handle & ~Self.inBlocks]
        return Snapshot(count: list.count, first: list.first)
    }

    @inline(__always)
    func count(_ handle: UInt32) -> Int {
        guard handle & Self.inBlocks != 0 else { return handle == 0 ? 0 : 1 }
        return Int(self.lists[handle & ~Self.inBlocks].count)
    }

    /// Adds a number, larger than all before, to the list of a handle and gives its handle from now on.
    @inline(__always)
    mutating func append(_ number: UInt32, to handle: UInt32) -> UInt32 {
        if handle & Self.inBlocks != 0 {
            self.extend(handle & ~Self.inBlocks, by: number)
            return handle
        }
        if handle == 0 { return number }
        let block = self.words.allocate(Self.smallest)
        let pointer = self.words.pointer(to: block)
        pointer[0] = 0
        pointer[1] = handle
        pointer[2] = number
        let room = UInt16(Self.smallest - 3)
        let list = NumberList(count: 2, first: block, last: block, room: room, size: UInt16(Self.smallest))
        return Self.inBlocks | self.lists.append(list)
    }

    private mutating func extend(_ position: UInt32, by number: UInt32) {
        let list = self.lists.pointer(to: position)
        if list.pointee.room == 0 {
            let size = min(Int(list.pointee.size) * 2, Self.largest)
            let block = self.words.allocate(size)
            self.words.pointer(to: block)[0] = 0
            self.words.pointer(to: list.pointee.last)[0] = block
            list.pointee.last = block
            list.pointee.size = UInt16(size)
            list.pointee.room = UInt16(size - 1)
        }
        self.words.pointer(to: list.pointee.last)[Int(list.pointee.size - list.pointee.room)] = number
        list.pointee.room -= 1
        list.pointee.count += 1
    }
}

/// The head of a list in blocks.
struct NumberList: BitwiseCopyable {
    var count: UInt32
    /// The positions of its first and last block.
    var first: UInt32
    var last: UInt32
    /// What the last block still has room for, and its size in words.
    var room: UInt16
    var size: UInt16
}
