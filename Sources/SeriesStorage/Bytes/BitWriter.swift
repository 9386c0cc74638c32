// poyang
// SPDX-License-Identifier: Apache-2.0

/// Writes bits, lowest first, into memory that is large enough: eight bytes more than the bits need.
struct BitWriter {
    private let start: UnsafeMutableRawPointer
    private var pending: UInt64 = 0
    private var pendingCount: UInt64 = 0
    private var offset = 0

    init(_ start: UnsafeMutableRawPointer) {
        self.start = start
    }

    /// Appends the low `width` bits of a number that has no others, at most 56.
    @inline(__always)
    mutating func put(_ value: UInt64, _ width: Int) {
        self.pending |= value &<< self.pendingCount
        self.pendingCount &+= UInt64(truncatingIfNeeded: width)
        self.start.storeBytes(of: self.pending.littleEndian, toByteOffset: self.offset, as: UInt64.self)
        let whole = self.pendingCount & ~7
        self.offset &+= Int(truncatingIfNeeded: whole >> 3)
        self.pending = self.pending &>> whole
        self.pendingCount &= 7
    }

    /// Appends the low `width` bits of a number that has no others, at most 64.
    @inline(__always)
    mutating func putWide(_ value: UInt64, _ width: Int) {
        guard width > 32 else { return self.put(value, width) }
        self.put(value & 0xFFFF_FFFF, 32)
        self.put(value >> 32, width &- 32)
    }

    /// The bytes written, the last one filled up with zeros.
    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: self.start, count: self.offset + (self.pendingCount > 0 ? 1 : 0))
    }
}
