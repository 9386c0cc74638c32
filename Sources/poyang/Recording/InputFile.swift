// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A file or standard input (`-`), read in pieces.
final class InputFile {
    private let descriptor: Int32
    private let path: String
    /// How long the file is; `nil` for what has no length (a pipe).
    let length: Int64?

    /// - Throws: ``CommandFailure`` that says why it cannot be read.
    init(_ path: String) throws {
        self.path = path
        guard path != "-" else {
            self.descriptor = dup(STDIN_FILENO)
            self.length = nil
            return
        }
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
            throw CommandFailure("\(path) is a folder; name a file")
        }
        self.descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard self.descriptor >= 0 else {
            throw CommandFailure("cannot read \(path): \(String(cString: strerror(errno)))")
        }
        // A pipe cannot be sought in: it has no length.
        let end = lseek(self.descriptor, 0, SEEK_END)
        self.length = end >= 0 ? Int64(end) : nil
        lseek(self.descriptor, 0, SEEK_SET)
    }

    deinit { close(self.descriptor) }

    /// The next piece; empty at the end.
    func read() throws -> [UInt8] {
        let size = 1 << 18
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            repeat {
                count = Foundation.read(self.descriptor, buffer.baseAddress, size)
            } while count < 0 && errno == EINTR
            if count < 0 { count = 0 }
        }
        return bytes
    }

    static func readWhole(_ path: String) throws -> Data {
        let file = try InputFile(path)
        var whole = Data()
        while true {
            let piece = try file.read()
            if piece.isEmpty { return whole }
            whole.append(contentsOf: piece)
        }
    }
}

/// The lines of a file, one at a time, with `\n` or `\r\n` taken off.
final class LineReader {
    private let file: InputFile
    private var buffer: [UInt8] = []
    private var position = 0
    private var isAtEnd = false
    /// The number of the line that `next()` gave last, from 1.
    private(set) var line = 0
    /// Bytes taken so far.
    private(set) var consumed: Int64 = 0

    init(_ path: String) throws { self.file = try InputFile(path) }

    var length: Int64? { self.file.length }

    func next() throws -> ArraySlice<UInt8>? {
        while true {
            if let end = self.buffer[self.position...].firstIndex(of: UInt8(ascii: "\n")) {
                return self.take(through: end, breakLength: 1)
            }
            if self.isAtEnd {
                guard self.position < self.buffer.count else { return nil }
                return self.take(through: self.buffer.count, breakLength: 0)
            }
            let piece = try self.file.read()
            if piece.isEmpty { self.isAtEnd = true }
            self.buffer.removeSubrange(..<self.position)
            self.position = 0
            self.buffer += piece
        }
    }

    private func take(through end: Int, breakLength: Int) -> ArraySlice<UInt8> {
        var text = self.buffer[self.position..<end]
        if text.last == UInt8(ascii: "\r") { text = text.dropLast() }
        self.consumed += Int64(end - self.position + breakLength)
        self.position = min(end + breakLength, self.buffer.count)
        self.line += 1
        return text
    }
}
