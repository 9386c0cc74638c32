// poyang
// SPDX-License-Identifier: Apache-2.0

/// Why a command ended without doing what was asked, and what to do about it; exit code 1.
struct CommandFailure: Error, Hashable, CustomStringConvertible {
    /// What went wrong, where, and what to do; one or more lines, the first without `error:`.
    let message: String

    init(_ message: String) { self.message = message }

    var description: String { self.message }
}
