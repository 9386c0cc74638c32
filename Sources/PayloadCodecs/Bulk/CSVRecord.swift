// poyang
// SPDX-License-Identifier: Apache-2.0

/// Where a CSV record ends (RFC 4180: not at a line break inside quotes).
enum CSVRecordEnd {
    /// Behind the line end, or the end of the input.
    case complete(next: UnsafePointer<UInt8>)
    /// A quote is not closed within ``BulkFormat/maximumRecord``: reading goes on behind the record's first line.
    case unclosed(next: UnsafePointer<UInt8>)
    /// The input ends inside quotes.
    case open

    init(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, separator: UInt8) {
        let lineEnd = ByteScan.first(0x0A, start, end)
        let next = lineEnd < end ? lineEnd + 1 : end
        guard ByteScan.first(0x22, start, lineEnd) < lineEnd else {
            self = .complete(next: next)
            return
        }
        let limit = end - start > BulkFormat.maximumRecord ? start + BulkFormat.maximumRecord : end
        var at = start
        var isQuoted = false
        var isFieldStart = true
        while at < limit {
            let byte = at.pointee
            if isQuoted {
                if byte == 0x22 {
                    if at + 1 < end, at[1] == 0x22 { at += 1 } else { isQuoted = false }
                }
            } else if byte == 0x0A {
                self = .complete(next: at + 1)
                return
            } else if byte == 0x22, isFieldStart {
                isQuoted = true
                isFieldStart = false
            } else {
                isFieldStart = byte == separator
            }
            at += 1
        }
        if !isQuoted, limit < end {
            // A long record without an open quote: its line end is the end.
            let far = ByteScan.first(0x0A, at, end)
            self = .complete(next: far < end ? far + 1 : end)
        } else if !isQuoted {
            self = .complete(next: end)
        } else {
            self = limit < end ? .unclosed(next: next) : .open
        }
    }
}

/// One field of a record.
struct CSVField {
    var start: UnsafePointer<UInt8>
    var end: UnsafePointer<UInt8>
    /// Whether it stood in quotes; `start` and `end` are inside of them.
    var isQuoted: Bool
    /// Whether a doubled quote, or text behind the closing quote, is in it.
    var isUnusual: Bool

    var isEmpty: Bool { self.start == self.end }

    /// Without blanks at both ends, where it is not quoted.
    func trimmed(evenQuoted: Bool = false) -> CSVField {
        guard !self.isQuoted || evenQuoted else { return self }
        var field = self
        while field.start < field.end, Self.isBlank(field.start.pointee) { field.start += 1 }
        while field.start < field.end, Self.isBlank(field.end[-1]) { field.end -= 1 }
        return field
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }

    var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: self.start, count: self.end - self.start) }

    func isText(_ text: StaticString) -> Bool {
        self.end - self.start == text.utf8CodeUnitCount
            && ByteScan.equal(self.start, text.utf8Start, text.utf8CodeUnitCount)
    }

    var text: String {
        guard self.isUnusual else { return String(decoding: self.bytes, as: UTF8.self) }
        var text: [UInt8] = []
        var at = self.start
        while at < self.end {
            if at.pointee == 0x22 {
                // A doubled quote is one; the closing one, with text behind it, is none.
                if at + 1 < self.end, at[1] == 0x22 {
                    text.append(0x22)
                    at += 1
                }
            } else {
                text.append(at.pointee)
            }
            at += 1
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Splits a record into its fields, at most one more than `maximum`.
    ///
    /// - Returns: False when it ends inside quotes.
    static func split(_ line: LineCursor, _ separator: UInt8, maximum: Int, into fields: inout [CSVField]) -> Bool {
        fields.removeAll(keepingCapacity: true)
        var at = line.at
        while true {
            var field = CSVField(start: at, end: at, isQuoted: false, isUnusual: false)
            if at < line.end, at.pointee == 0x22 {
                at += 1
                field.start = at
                field.isQuoted = true
                while true {
                    guard at < line.end else { return false }
                    if at.pointee == 0x22 {
                        guard at + 1 < line.end, at[1] == 0x22 else { break }
                        field.isUnusual = true
                        at += 1
                    }
                    at += 1
                }
                field.end = at
                at += 1
                let behind = at
                while at < line.end, at.pointee != separator { at += 1 }
                if at > behind {
                    field.end = at
                    field.isUnusual = true
                }
            } else {
                while at < line.end, at.pointee != separator { at += 1 }
                field.end = at
            }
            fields.append(field)
            guard at < line.end, fields.count <= maximum else { return true }
            at += 1
        }
    }
}
