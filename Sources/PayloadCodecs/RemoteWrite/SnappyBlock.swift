// poyang
// SPDX-License-Identifier: Apache-2.0

import CSnappy

/// Snappy's block format: a varint with the length of the text, then literals and copies of what was before.
///
/// Not the framing format, which files have and which begins with `ff 06 00 00 73 4e 61 50 70 59`.
enum SnappyBlock {
    /// Decompresses a whole block of at most `limit` bytes of text, which is checked before memory is taken for them.
    static func decompressed(_ block: UnsafeRawBufferPointer, limit: Int) throws(RemoteWriteError) -> [UInt8] {
        let start = block.assumingMemoryBound(to: CChar.self).baseAddress
        var length = 0
        guard let start, snappy_uncompressed_length(start, block.count, &length) == SNAPPY_OK else {
            throw RemoteWriteError(.malformed, "the body does not begin like a snappy block, with its length")
        }
        guard length <= limit else {
            throw RemoteWriteError(
                .tooLarge,
                "the body has \(length) bytes decompressed, and \(limit) are taken; send fewer samples in a request"
            )
        }
        var status = SNAPPY_OK
        let text = [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            var written = buffer.count
            buffer.withMemoryRebound(to: CChar.self) { buffer in
                // An empty text has no place to be written to.
                guard let place = buffer.baseAddress else {
                    status = snappy_validate_compressed_buffer(start, block.count)
                    return
                }
                status = snappy_uncompress(start, block.count, place, &written)
            }
            count = status == SNAPPY_OK ? min(written, length) : 0
        }
        guard status == SNAPPY_OK, text.count == length else {
            throw RemoteWriteError(
                .malformed,
                "the body is no snappy block of \(length) bytes; it should have the block format, not the framing format"
            )
        }
        return text
    }
}
