// poyang
// SPDX-License-Identifier: Apache-2.0

/// Why the store could not do what it was asked.
package struct StorageError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure: bounded, so it may be a metric label.
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String {
            case full
            case readOnly = "read_only"
            case corrupt
            case busy
            case cannotOpen = "cannot_open"
            case inputOutput = "input_output"
            case newerSchema = "newer_schema"
            case olderSchema = "older_schema"
            case positionMismatch = "position_mismatch"
            case other
        }

        private let kind: Kind

        /// No space left on the device or quota.
        package static let full = Code(kind: .full)
        package static let readOnly = Code(kind: .readOnly)
        /// The file, or a blob in it, is not what was written.
        package static let corrupt = Code(kind: .corrupt)
        /// Another process holds the database.
        package static let busy = Code(kind: .busy)
        package static let cannotOpen = Code(kind: .cannotOpen)
        package static let inputOutput = Code(kind: .inputOutput)
        /// The file was written by a newer version of the program.
        package static let newerSchema = Code(kind: .newerSchema)
        /// The file has a form from before the first release.
        package static let olderSchema = Code(kind: .olderSchema)
        /// `samples.db` and `catalog.db` do not belong to the same moment, or an entry came out of order.
        package static let positionMismatch = Code(kind: .positionMismatch)
        package static let other = Code(kind: .other)

        package var description: String { self.kind.rawValue }
    }

    package let code: Code
    /// What went wrong and what to do about it.
    package let message: String
    package let cause: (any Error)?

    package init(code: Code, message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String {
        guard let cause = self.cause else { return self.message }
        return "\(self.message) (\(cause))"
    }
}
