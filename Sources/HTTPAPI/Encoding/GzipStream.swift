// poyang
// SPDX-License-Identifier: Apache-2.0

import CZlib
import NIOCore
import Synchronization

/// Compresses the pieces of one body as gzip (RFC 1952).
final class GzipStream: @unchecked Sendable {  // every use of the stream holds `lock`
    private let lock = Mutex(())
    private var stream = z_stream()

    /// Quick rather than small: the network of an office is faster than its processor.
    private static let level: Int32 = 1

    /// Nil where zlib has no memory.
    init?() {
        guard poyang_deflate_init_gzip(&self.stream, Self.level) == Z_OK else { return nil }
    }

    deinit { deflateEnd(&self.stream) }

    /// What is ready of the compressed form after `piece`, all of it when the piece is the last.
    func compress(_ piece: ByteBuffer, isLast: Bool) -> ByteBuffer {
        self.lock.withLock { _ in
            var output: [UInt8] = []
            var input = Array(piece.readableBytesView)
            input.withUnsafeMutableBufferPointer { input in
                self.stream.next_in = input.baseAddress
                self.stream.avail_in = uInt(input.count)
                var chunk = [UInt8](repeating: 0, count: 64 << 10)
                repeat {
                    let written = chunk.withUnsafeMutableBufferPointer { chunk in
                        self.stream.next_out = chunk.baseAddress
                        self.stream.avail_out = uInt(chunk.count)
                        deflate(&self.stream, isLast ? Z_FINISH : Z_NO_FLUSH)
                        return chunk.count - Int(self.stream.avail_out)
                    }
                    output += chunk[..<written]
                } while self.stream.avail_out == 0
                self.stream.next_in = nil
            }
            return ByteBuffer(bytes: output)
        }
    }
}
