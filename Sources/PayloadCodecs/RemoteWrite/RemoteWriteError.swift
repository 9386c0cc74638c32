// poyang
// SPDX-License-Identifier: Apache-2.0

/// Why a pushed body cannot be used as a whole; the same bytes will never be usable.
package struct RemoteWriteError: Error, Hashable, Sendable, CustomStringConvertible {
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String {
            case tooLarge = "too_large"
            case malformed
        }

        private let kind: Kind

        /// It would take more memory than one request may.
        package static let tooLarge = Code(kind: .tooLarge)
        /// It is not the compression or not the message that it should be.
        package static let malformed = Code(kind: .malformed)

        package var description: String { self.kind.rawValue }
    }

    package let code: Code
    /// What is wrong, and what would be right.
    package let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { self.message }
}
