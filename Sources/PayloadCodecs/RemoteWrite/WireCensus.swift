// poyang
// SPDX-License-Identifier: Apache-2.0

/// Counts the parts of a write request (series, and their labels, samples, exemplars and histograms) before any is made.
///
/// An empty part takes two bytes of a request, but some fifty of memory, so the bytes alone are no bound.
enum WireCensus {
    /// Counts until the end, or until bytes that are no message, where decoding stops as well.
    static func parts(of request: Span<UInt8>) -> Int {
        var count = 0
        var walk = Walk(at: 0, end: request.count)
        while let field = walk.next(request) {
            guard field.number == 1, let content = field.content else { continue }
            count += 1
            var inner = Walk(at: content.lowerBound, end: content.upperBound)
            while let part = inner.next(request) { count += part.content == nil ? 0 : 1 }
        }
        return count
    }

    /// How often the field `number` is in a message, not counting what is in its parts.
    static func count(of number: UInt64, in message: Span<UInt8>) -> Int {
        var count = 0
        var walk = Walk(at: 0, end: message.count)
        while let field = walk.next(message) { count += field.number == number ? 1 : 0 }
        return count
    }

    /// One field after the other of a message that lies from `at` to `end`.
    private struct Walk {
        var at: Int
        let end: Int

        /// The number of the next field, and where its content is if it is a text or a message.
        mutating func next(_ bytes: Span<UInt8>) -> (number: UInt64, content: Range<Int>?)? {
            guard let tag = self.varint(bytes) else { return nil }
            switch tag & 7 {
            case 0: return self.varint(bytes).map { _ in (tag >> 3, nil) }
            case 1: return self.skip(8).map { _ in (tag >> 3, nil) }
            case 2:
                guard let length = self.varint(bytes), let content = self.skip(length) else { return nil }
                return (tag >> 3, content)
            // A group is passed over field by field.
            case 3, 4: return (tag >> 3, nil)
            case 5: return self.skip(4).map { _ in (tag >> 3, nil) }
            default: return nil
            }
        }

        private mutating func skip(_ length: UInt64) -> Range<Int>? {
            guard length <= UInt64(self.end - self.at) else { return nil }
            let start = self.at
            self.at += Int(length)
            return start..<self.at
        }

        private mutating func varint(_ bytes: Span<UInt8>) -> UInt64? {
            var value: UInt64 = 0
            var shift: UInt64 = 0
            while self.at < self.end, shift < 64 {
                let byte = bytes[self.at]
                self.at += 1
                value |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { return value }
                shift += 7
            }
            return nil
        }
    }
}
