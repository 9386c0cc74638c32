// poyang
// SPDX-License-Identifier: Apache-2.0

import CZlib

/// What another input holds compressed as gzip (RFC 1952), in one member or several.
///
/// Inflated into the buffer of whoever reads: however long the plain form is, no more of it is in memory.
final class GunzipInput: BulkInput {
    private let source: any BulkInput
    private var stream = z_stream()
    private let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 1)
    private var isBetweenMembers = true

    init(_ source: any BulkInput) throws {
        self.source = source
        guard poyang_inflate_init_gzip(&self.stream) == Z_OK else {
            throw PlatformError(.input, "there is no memory to decompress the input")
        }
    }

    deinit {
        inflateEnd(&self.stream)
        self.piece.deallocate()
    }

    /// - Throws: ``PlatformError`` for what is no gzip, is damaged or breaks off; what the source throws.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        self.stream.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
        self.stream.avail_out = uInt(buffer.count)
        while true {
            if self.isBetweenMembers, self.stream.avail_in > 0 {
                inflateReset(&self.stream)
                self.isBetweenMembers = false
            }
            // Without input it gives what it still holds.
            switch inflate(&self.stream, Z_NO_FLUSH) {
            case Z_OK, Z_BUF_ERROR: break
            case Z_STREAM_END: self.isBetweenMembers = true
            default: throw PlatformError(.input, "the input is no gzip, or damaged")
            }
            let count = buffer.count - Int(self.stream.avail_out)
            if count > 0 { return count }
            if self.stream.avail_in == 0, try !self.fetch() { return 0 }
        }
    }

    /// - Returns: Whether there was more.
    private func fetch() throws -> Bool {
        let count = try self.source.read(into: self.piece)
        guard count > 0 || self.isBetweenMembers else { throw PlatformError(.input, "the gzip input breaks off") }
        self.stream.next_in = self.piece.baseAddress?.assumingMemoryBound(to: UInt8.self)
        self.stream.avail_in = uInt(count)
        return count > 0
    }

    func seek(to offset: Int64) throws {
        throw PlatformError(.input, "what is compressed cannot be read from its middle")
    }
}
