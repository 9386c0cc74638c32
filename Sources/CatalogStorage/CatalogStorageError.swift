// poyang
// SPDX-License-Identifier: Apache-2.0

/// Why the catalogue store refused or failed; what to do about it is in the message.
package struct CatalogStorageError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of failure; bounded, so it may be a metric label.
    package enum Code: String, Sendable {
        /// The processed position would go back.
        case positionBehind = "position_behind"
        /// The ledger's hash chain does not hold.
        case ledgerBroken = "ledger_broken"
        /// No row has this id.
        case notFound = "not_found"
        /// A row holds what this version cannot read.
        case unreadable
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { self.message }
}
