// poyang
// SPDX-License-Identifier: Apache-2.0

/// Why the platform cannot start or go on.
package struct PlatformError: Error, Sendable, CustomStringConvertible {
    package struct Code: Hashable, Sendable {
        private enum Kind: Hashable, Sendable { case dataDirectoryInUse, dataDirectory, address, input, openFiles }
        private let kind: Kind
        private init(_ kind: Kind) { self.kind = kind }

        /// Another process owns the data directory.
        package static let dataDirectoryInUse = Code(.dataDirectoryInUse)
        /// The data directory cannot be made, read or written.
        package static let dataDirectory = Code(.dataDirectory)
        /// The listening address is taken or cannot be read.
        package static let address = Code(.address)
        /// A request that cannot be carried out as it stands.
        package static let input = Code(.input)
        /// Fewer files may be open than are needed.
        package static let openFiles = Code(.openFiles)
    }

    package let code: Code
    /// What went wrong and what to do about it.
    package let message: String
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String {
        self.cause.map { "\(self.message) (\($0))" } ?? self.message
    }
}
