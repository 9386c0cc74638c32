// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Lines on standard error: progress, notes, errors.
enum StandardError {
    static func write(_ line: String) {
        FileDescriptor.write(line + "\n", to: STDERR_FILENO)
    }

    /// Whether a person looks at it.
    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Overwrites the present line of a terminal.
    static func overwrite(_ text: String) {
        FileDescriptor.write("\r\u{1B}[K\(text)", to: STDERR_FILENO)
    }
}

/// What a command was asked for, on standard output.
///
/// Every write goes out at once, so that a pipe sees each line as it happens. A reader that has gone away
/// (`poyang … | head`) ends the process quietly.
enum StandardOutput {
    static func write(_ line: String) {
        guard !FileDescriptor.write(line + "\n", to: STDOUT_FILENO) else { return }
        exit(EXIT_SUCCESS)
    }
}

private enum FileDescriptor {
    /// Writes all of a text.
    ///
    /// The network library ignores SIGPIPE for the whole process, and `FileHandle` traps on a pipe without a reader.
    ///
    /// - Returns: False when nobody can read it any more.
    @discardableResult
    static func write(_ text: String, to descriptor: Int32) -> Bool {
        var bytes = ArraySlice(text.utf8)
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else { return false }
            bytes = bytes.dropFirst(count)
        }
        return true
    }
}
