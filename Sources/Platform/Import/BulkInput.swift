// poyang
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import Telemetry

/// Where the bytes of a bulk import come from; one thread reads.
package protocol BulkInput: AnyObject {
    /// Fills the start of `buffer`, waiting if need be.
    ///
    /// - Returns: How many bytes; 0 only at the end.
    /// - Throws: When the source cannot be read.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int

    /// Goes on at a byte of the source, where that is possible.
    func seek(to offset: Int64) throws
}

/// A file or a pipe.
package final class FileInput: BulkInput {
    /// As it was named.
    package let path: String
    /// Nil for what has no length, such as a pipe.
    package let length: Int64?
    private let descriptor: Int32

    /// Opens `path`; `-` is standard input.
    ///
    /// - Throws: ``PlatformError`` that says why it cannot be read.
    package init(_ path: String) throws {
        self.path = path
        if path == "-" {
            self.descriptor = dup(STDIN_FILENO)
        } else {
            self.descriptor = open(path, O_RDONLY | O_CLOEXEC)
        }
        guard self.descriptor >= 0 else { throw FileInput.failure(path) }
        var status = stat()
        guard fstat(self.descriptor, &status) == 0 else { throw FileInput.failure(path) }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            throw PlatformError(.input, "\(path) is a folder; name a file")
        }
        self.length = status.st_mode & S_IFMT == S_IFREG ? Int64(status.st_size) : nil
    }

    deinit { close(self.descriptor) }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            let count = Foundation.read(self.descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            guard errno == EINTR else { throw FileInput.failure(self.path) }
        }
    }

    package func seek(to offset: Int64) throws {
        guard lseek(self.descriptor, off_t(offset), SEEK_SET) >= 0 else { throw FileInput.failure(self.path) }
    }

    /// What this input is called when it is read again: absolute path, size, a hash of its first 64 KiB, and `format`.
    ///
    /// Nil for what cannot be read again.
    package func identity(format: String) throws -> String? {
        guard let length = self.length, self.path != "-" else { return nil }
        var start = [UInt8](repeating: 0, count: 64 << 10)
        let count = pread(self.descriptor, &start, start.count, 0)
        guard count >= 0 else { throw FileInput.failure(self.path) }
        let hash = SHA256.hash(data: start.prefix(count)).hexadecimal()
        let absolute = URL(fileURLWithPath: self.path).standardizedFileURL.path
        return "\(format) \(length) \(hash) \(absolute)"
    }

    private static func failure(_ path: String) -> PlatformError {
        PlatformError(.input, "cannot read \(path): \(String(cString: strerror(errno)))")
    }
}

/// Bytes that arrive in pieces from asynchronous code, such as the body of a request.
///
/// A few MB wait at most: ``push(_:)`` returns when there is room for more.
package final class StreamInput: BulkInput, @unchecked Sendable {  // every access to the state holds `condition`
    private static let capacity = 4 << 20

    private let condition = NSCondition()
    private var pieces: [[UInt8]] = []
    private var start = 0
    private var waitingBytes = 0
    private var isEnded = false
    private var failure: (any Error)?
    private var isAbandoned = false
    private var waiter: CheckedContinuation<Void, Never>?

    package init() {}

    package func push(_ bytes: [UInt8]) async {
        guard !bytes.isEmpty else { return }
        await withCheckedContinuation { continuation in
            self.condition.lock()
            if !self.isAbandoned {
                self.pieces.append(bytes)
                self.waitingBytes += bytes.count
            }
            let mayGoOn = self.waitingBytes < Self.capacity || self.isAbandoned
            if !mayGoOn { self.waiter = continuation }
            self.condition.signal()
            self.condition.unlock()
            if mayGoOn { continuation.resume() }
        }
    }

    /// No more comes: because it was all, or because of an error.
    package func end(_ error: (any Error)? = nil) {
        self.condition.lock()
        self.isEnded = true
        self.failure = error
        self.condition.signal()
        self.condition.unlock()
    }

    /// Nobody reads any more: whoever pushes is let go.
    package func abandon() {
        self.condition.lock()
        self.isAbandoned = true
        let waiter = self.waiter.take()
        self.condition.unlock()
        waiter?.resume()
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        self.condition.lock()
        while self.pieces.isEmpty, !self.isEnded { self.condition.wait() }
        guard let first = self.pieces.first else {
            defer { self.condition.unlock() }
            if let failure = self.failure { throw failure }
            return 0
        }
        let count = min(first.count - self.start, buffer.count)
        buffer.copyBytes(from: first[self.start..<self.start + count])
        self.start += count
        if self.start == first.count {
            self.pieces.removeFirst()
            self.start = 0
        }
        self.waitingBytes -= count
        let waiter = self.waitingBytes < Self.capacity ? self.waiter.take() : nil
        self.condition.unlock()
        waiter?.resume()
        return count
    }

    package func seek(to offset: Int64) throws {
        throw PlatformError(.input, "what is streamed cannot be read from its middle")
    }
}
