// poyang
// SPDX-License-Identifier: Apache-2.0

/// The members of one JSON object that is meant to hold texts and numbers, in their order, as they are written.
package struct FlatObject {
    package enum Value: Hashable, Sendable {
        case text(String)
        /// The characters of a number, so that an address keeps its digits.
        case number(String)
        /// What is neither: `null`, `true`, `a list`.
        case other(String)
    }

    /// Where the bytes stop being one JSON object, from the first byte as 0, and what would have been right there.
    package struct Failure: Error {
        package let offset: Int
        package let message: String
    }

    /// Names may come twice.
    package private(set) var members: [(name: String, value: Value)] = []

    package init(_ body: [UInt8]) throws(Failure) {
        do {
            try self.read(body.span)
        } catch {
            throw Failure(offset: error.offset, message: error.message)
        }
    }

    private mutating func read(_ bytes: Span<UInt8>) throws(JSONError) {
        var scanner = JSONScanner()
        try scanner.expect(UInt8(ascii: "{"), "an object in braces", bytes)
        if !scanner.take(UInt8(ascii: "}"), bytes) {
            repeat {
                let name = try Self.text(&scanner, bytes)
                try scanner.expect(UInt8(ascii: ":"), "':' after the name", bytes)
                self.members.append((name, try Self.value(&scanner, bytes)))
            } while try scanner.hasNext(before: UInt8(ascii: "}"), bytes)
        }
        guard scanner.peek(bytes) == nil else { throw scanner.unexpected(bytes, expected: "nothing after the object") }
    }

    private static func text(_ scanner: inout JSONScanner, _ bytes: Span<UInt8>) throws(JSONError) -> String {
        let (range, _) = try scanner.string(bytes)
        if let text = JSONText.unescape(range, bytes) { return text }
        throw JSONError(offset: range.lowerBound, message: "the text is not UTF-8")
    }

    private static func value(_ scanner: inout JSONScanner, _ bytes: Span<UInt8>) throws(JSONError) -> Value {
        let first = scanner.peek(bytes) ?? 0
        let start = scanner.position
        switch first {
        case UInt8(ascii: "\""): return .text(try self.text(&scanner, bytes))
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            try scanner.skipValue(bytes, depth: 1)
            return .other(first == UInt8(ascii: "{") ? "an object" : "a list")
        default:
            try scanner.skipValue(bytes, depth: 1)
            let written = JSONText.unescape(start..<scanner.position, bytes) ?? ""
            let isNumber = first == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
            return isNumber ? .number(written) : .other(written)
        }
    }
}
