// poyang
// SPDX-License-Identifier: Apache-2.0

/// Why a query could not be parsed or answered.
package struct PromQLError: Error, Hashable, Sendable {
    /// The kind of failure: bounded, so it may be a metric label.
    package enum Code: String, Hashable, Sendable {
        /// The text is no PromQL, or its types do not fit.
        case syntax
        /// Samples could not be paired or named without ambiguity; confined to its match group by the rule engine.
        case matching
        /// Anything else that the data made impossible.
        case execution
        /// The query asks for more than the limits of its evaluation allow.
        case limit
        /// It took longer than it may.
        case timeout
        /// Nobody waits for the answer any more.
        case canceled
        /// Others take what there is for queries; the same query may succeed later.
        case busy
    }

    /// A place in the text of a query.
    package struct Position: Hashable, Sendable {
        /// Bytes of UTF-8 before it.
        package let offset: Int
        /// From 1.
        package let line: Int
        /// From 1, in characters.
        package let column: Int

        init(offset: Int, in text: [UInt8]) {
            let before = text.prefix(offset)
            self.offset = offset
            self.line = 1 + before.count { $0 == UInt8(ascii: "\n") }
            let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
            self.column = 1 + before[lineStart...].count { $0 & 0xC0 != 0x80 }
        }
    }

    package let code: Code
    package let message: String
    /// Where in the text; nil for what only the data show.
    package let position: Position?
    /// What to do about it.
    package let hint: String?

    init(_ code: Code, _ message: String, position: Position? = nil, hint: String? = nil) {
        self.code = code
        self.message = message
        self.position = position
        self.hint = hint
    }
}

extension PromQLError {
    /// What a rule says is more than its group allows.
    package static func limit(_ message: String) -> PromQLError { PromQLError(.limit, message) }
}

extension PromQLError: CustomStringConvertible {
    /// `1:14: unexpected ")": expected an expression (hint)`.
    package var description: String {
        let place = self.position.map { "\($0.line):\($0.column): " } ?? ""
        let advice = self.hint.map { " (\($0))" } ?? ""
        return place + self.message + advice
    }
}
