// poyang
// SPDX-License-Identifier: Apache-2.0

/// Why bytes are no frame of SL 651.
package struct SL651Error: Error, Hashable, Sendable {
    /// The kind of defect.
    package enum Code: Hashable, Sendable {
        /// The frame goes on behind the bytes that are there; a stream waits for more.
        case truncated
        /// The check at its end is not that of its bytes.
        case checksum
        /// Its bytes stand where no frame has them.
        case malformed
    }

    package let code: Code
    /// What is wrong and, where it is known, what would be right.
    package let message: String
    /// Offset of the first byte that could not be used.
    package let offset: Int
}
