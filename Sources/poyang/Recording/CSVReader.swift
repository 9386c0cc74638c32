// poyang
// SPDX-License-Identifier: Apache-2.0

/// The records of a CSV file (RFC 4180), one at a time.
///
/// Quoted fields may hold commas, doubled quotes and line breaks; a byte order mark and empty lines are skipped.
/// The separator is a comma, or a semicolon or tab where the header has more of those.
final class CSVReader {
    struct Record: Hashable {
        /// The line on which the record begins, from 1.
        let line: Int
        /// As many as the header has; short records are filled with blanks.
        let fields: [String]
    }

    let path: String
    /// The names in the header row, without blanks around them.
    private(set) var header: [String] = []
    private var lines: LineReader
    private var separator: UInt8 = UInt8(ascii: ",")

    /// Opens the file and reads its header.
    ///
    /// - Throws: ``CommandFailure`` when the file cannot be read or has no header.
    init(_ path: String) throws {
        self.path = path
        self.lines = try LineReader(path)
        guard var first = try self.lines.next() else {
            throw CommandFailure("\(path) is empty; a CSV file begins with a header row")
        }
        if first.starts(with: [0xEF, 0xBB, 0xBF]) { first = first.dropFirst(3) }
        let counts = [",", ";", "\t"].map { mark in first.count { $0 == mark.utf8.first } }
        if counts[1] > counts[0] { self.separator = UInt8(ascii: ";") }
        if counts[2] > max(counts[0], counts[1]) { self.separator = UInt8(ascii: "\t") }
        var fields: [String] = []
        guard self.split(first, into: &fields) else {
            throw CommandFailure("\(path):1: the header row has an open quote")
        }
        self.header = fields.map { $0.trimmingBlanks() }
    }

    var length: Int64? { self.lines.length }
    var consumed: Int64 { self.lines.consumed }

    /// - Throws: ``RowProblem`` for a record that cannot be used (the next call goes on behind it).
    func next() throws -> Record? {
        while let line = try self.lines.next() {
            if line.isEmpty { continue }
            let start = self.lines.line
            var text = Array(line)
            var fields: [String] = []
            while !self.split(text[...], into: &fields) {
                guard let more = try self.lines.next() else {
                    throw RowProblem(line: start, message: "a quote is opened here and never closed")
                }
                text.append(UInt8(ascii: "\n"))
                text += more
                fields.removeAll(keepingCapacity: true)
            }
            guard fields.count <= self.header.count else {
                throw RowProblem(
                    line: start,
                    message: "\(fields.count) fields where the header has \(self.header.count)"
                )
            }
            while fields.count < self.header.count { fields.append("") }
            return Record(line: start, fields: fields)
        }
        return nil
    }

    /// - Returns: `false` when the text ends inside quotes.
    private func split(_ text: ArraySlice<UInt8>, into fields: inout [String]) -> Bool {
        var field: [UInt8] = []
        var isQuoted = false
        var position = text.startIndex
        while position < text.endIndex {
            let byte = text[position]
            position += 1
            if isQuoted {
                guard byte == UInt8(ascii: "\"") else {
                    field.append(byte)
                    continue
                }
                if position < text.endIndex, text[position] == byte {
                    field.append(byte)
                    position += 1
                } else {
                    isQuoted = false
                }
            } else if byte == self.separator {
                fields.append(String(decoding: field, as: UTF8.self))
                field.removeAll(keepingCapacity: true)
            } else if byte == UInt8(ascii: "\""), field.isEmpty {
                isQuoted = true
            } else {
                field.append(byte)
            }
        }
        fields.append(String(decoding: field, as: UTF8.self))
        return !isQuoted
    }
}

/// Why one record of a file was left out.
struct RowProblem: Error, Hashable {
    /// From 1.
    let line: Int
    let message: String
}

extension StringProtocol {
    /// Without spaces and tabs at both ends.
    func trimmingBlanks() -> String {
        let start = self.drop { $0 == " " || $0 == "\t" }
        return String(start.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
}
