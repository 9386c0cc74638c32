// poyang
// SPDX-License-Identifier: Apache-2.0

/// Memory that only grows and whose elements never move: they are named by their position.
///
/// Chunks of 65,536 elements hang in a directory of fixed place. What one `allocate` gave lies in one piece. So growing
/// copies nothing and needs no more than one chunk beyond what is used, and whoever knows a position that was
/// published to him reads it without a lock while others are added.
struct StableArena<Element: BitwiseCopyable>: ~Copyable, @unchecked Sendable {  // its memory has one owner
    private static var chunkBits: Int { 16 }
    /// Positions are 32 bits wide, so this many chunks is all there can be; untouched, the directory costs nothing.
    private static var slots: Int { 1 << (32 - Self.chunkBits) }
    private static var chunkSize: Int { 1 << Self.chunkBits }

    /// Reads elements by position.
    ///
    /// Lives no longer than its arena; a position must have been allocated and written before.
    struct Reader: @unchecked Sendable {  // published elements never change and never move
        fileprivate let directory: UnsafeMutablePointer<UnsafeMutablePointer<Element>>

        @inline(__always)
        subscript(position: UInt32) -> Element {
            self.pointer(to: position).pointee
        }

        @inline(__always)
        func pointer(to position: UInt32) -> UnsafePointer<Element> {
            UnsafePointer(self.directory[Int(position) >> 16] + (Int(position) & 0xFFFF))
        }
    }

    private let directory: UnsafeMutablePointer<UnsafeMutablePointer<Element>>
    /// One for each chunk; where a piece is longer than a chunk, one for all that it spans.
    private var allocations: [UnsafeMutablePointer<Element>] = []
    private var used = 0
    private var reserved = 0

    init() {
        self.directory = .allocate(capacity: Self.slots)
    }

    deinit {
        for allocation in self.allocations { allocation.deallocate() }
        self.directory.deallocate()
    }

    var reader: Reader { Reader(directory: self.directory) }

    /// Where the next single element goes.
    var count: Int { self.used }

    /// Room for `count` elements in one piece; they must be written before anybody reads them.
    @inline(__always)
    mutating func allocate(_ count: Int) -> UInt32 {
        if self.used + count > self.reserved { self.reserve(count) }
        defer { self.used += count }
        return UInt32(truncatingIfNeeded: self.used)
    }

    @inline(__always)
    mutating func append(_ element: Element) -> UInt32 {
        let position = self.allocate(1)
        self[position] = element
        return position
    }

    @inline(__always)
    subscript(position: UInt32) -> Element {
        get { self.directory[Int(position) >> 16][Int(position) & 0xFFFF] }
        set { self.directory[Int(position) >> 16][Int(position) & 0xFFFF] = newValue }
    }

    @inline(__always)
    func pointer(to position: UInt32) -> UnsafeMutablePointer<Element> {
        self.directory[Int(position) >> 16] + (Int(position) & 0xFFFF)
    }

    /// Begins a new piece of memory; what is left of the one before stays unused.
    private mutating func reserve(_ count: Int) {
        let chunks = max(1, (count + Self.chunkSize - 1) >> Self.chunkBits)
        let first = self.reserved >> Self.chunkBits
        precondition(first + chunks <= Self.slots, "the label index is full: its positions are 32 bits wide")
        let memory = UnsafeMutablePointer<Element>.allocate(capacity: chunks << Self.chunkBits)
        self.allocations.append(memory)
        for index in 0..<chunks {
            (self.directory + first + index).initialize(to: memory + (index << Self.chunkBits))
        }
        self.used = first << Self.chunkBits
        self.reserved = (first + chunks) << Self.chunkBits
    }
}
