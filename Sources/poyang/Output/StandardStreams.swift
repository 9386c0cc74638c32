// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Lines on standard error: progress, notes, errors.
enum StandardError {
    static func write(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }

    /// Whether a person looks at it.
    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Overwrites the present line of a terminal.
    static func overwrite(_ text: String) {
        FileHandle.standardError.write(Data("\r\u{1B}[K\(text)".utf8))
    }
}

/// What a command was asked for, on standard output.
///
/// Every write goes out at once, so that a pipe sees each line as it happens. A reader that has gone away
/// (`poyang … | head`) ends the process by SIGPIPE, as usual.
enum StandardOutput {
    static func write(_ line: String) {
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }
}
