// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Walks through the members of JSON objects whose names are known beforehand.
extension JSONScanner {
    /// The name of the next member of an object, its colon taken; nil behind the last.
    ///
    /// `isFirst` is true before the opening brace is taken, false afterwards.
    mutating func nextName(
        _ isFirst: inout Bool,
        _ keys: inout KeyTable,
        _ bytes: Span<UInt8>
    ) throws(JSONError) -> String? {
        if isFirst {
            isFirst = false
            try self.expect(UInt8(ascii: "{"), "'{'", bytes)
            if self.take(UInt8(ascii: "}"), bytes) { return nil }
        } else if try !self.hasNext(before: UInt8(ascii: "}"), bytes) {
            return nil
        }
        return try self.name(&keys, bytes)
    }

    /// A name and its colon; at most 256 bytes.
    mutating func name(_ keys: inout KeyTable, _ bytes: Span<UInt8>) throws(JSONError) -> String {
        let (range, isEscaped) = try self.string(bytes)
        let name = isEscaped ? JSONText.unescape(range, bytes) : keys.text(of: range, in: bytes)
        guard let name else {
            throw JSONError(offset: range.lowerBound, message: "the name is not UTF-8")
        }
        guard range.count <= 256 else {
            throw JSONError(offset: range.lowerBound, message: "a name of \(range.count) bytes; at most 256")
        }
        try self.expect(UInt8(ascii: ":"), "':' after the name", bytes)
        return name
    }

    /// The text that stands here; nil, and passed over, where it is anything else or no UTF-8.
    mutating func textValue(_ keys: inout KeyTable, _ bytes: Span<UInt8>) throws(JSONError) -> String? {
        guard self.peek(bytes) == UInt8(ascii: "\"") else {
            try self.skipValue(bytes, depth: 3)
            return nil
        }
        let (range, isEscaped) = try self.string(bytes)
        return isEscaped ? JSONText.unescape(range, bytes) : keys.text(of: range, in: bytes)
    }

    /// The RFC 3339 time that stands here as a text; nil where there is none.
    mutating func timeValue(_ bytes: Span<UInt8>) throws(JSONError) -> Timestamp? {
        guard self.peek(bytes) == UInt8(ascii: "\"") else {
            try self.skipValue(bytes, depth: 3)
            return nil
        }
        let (range, isEscaped) = try self.string(bytes)
        guard range.count <= 64, !isEscaped, let text = JSONText.unescape(range, bytes) else { return nil }
        return Timestamp(rfc3339: text)
    }

    /// The number that stands here, or the text of one; nil, and passed over, where it is neither.
    ///
    /// JSON that was made of protobuf writes 64-bit numbers, and some codecs all numbers, as texts. `true` and `false` are 1
    /// and 0.
    mutating func looseNumber(_ bytes: Span<UInt8>, depth: Int) throws(JSONError) -> Double? {
        switch self.peek(bytes) ?? 0 {
        case UInt8(ascii: "\""):
            let (range, isEscaped) = try self.string(bytes)
            guard !isEscaped, (1...32).contains(range.count) else { return nil }
            var inner = JSONScanner(at: range.lowerBound)
            guard bytes[range.lowerBound] == UInt8(ascii: "-") || bytes[range.lowerBound] &- UInt8(ascii: "0") <= 9
            else { return nil }
            guard let number = try? inner.number(bytes), inner.position == range.upperBound else { return nil }
            return number.isFinite ? number : nil
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            try self.skipValue(bytes, depth: depth)
            return nil
        default:
            guard case .number(let number) = try NativeValue(&self, bytes, depth: depth) else { return nil }
            return number
        }
    }

    /// A whole number in a range; nil where it is none.
    mutating func wholeNumber(in range: ClosedRange<Int>, _ bytes: Span<UInt8>) throws(JSONError) -> Int? {
        guard let number = try self.looseNumber(bytes, depth: 3), let whole = Int(exactly: number),
            range.contains(whole)
        else { return nil }
        return whole
    }
}
