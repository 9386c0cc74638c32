// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The records of a CSV text (RFC 4180), each with the line on which it begins.
///
/// Quoted fields may hold delimiters, line breaks and doubled quotes. A byte-order mark and empty lines are skipped.
struct CSVRecords {
    struct Record: Hashable {
        /// From 1.
        let line: Int
        let fields: [String]
    }

    /// What makes the text no CSV; reading stops there.
    struct Failure: Error, Hashable {
        let line: Int
        let message: LocalizedName
    }

    let records: [Record]

    /// - Throws: ``Failure`` for a quote that is never closed, or text after a closing quote.
    init(_ text: some StringProtocol, delimiter: Unicode.Scalar) throws(Failure) {
        var records: [Record] = []
        var fields: [String] = []
        var field = String.UnicodeScalarView()
        var wasQuoted = false
        var line = 1
        var recordLine = 1
        var scalars = text.unicodeScalars.makeIterator()
        var pending: Unicode.Scalar?
        var isFirst = true
        while let scalar = pending ?? scalars.next() {
            pending = nil
            defer { isFirst = false }
            if isFirst, scalar == "\u{FEFF}" { continue }
            switch scalar {
            case "\"" where field.isEmpty && !wasQuoted:
                (pending, line) = try CSVRecords.quoted(&scalars, into: &field, line: line)
                wasQuoted = true
                if let next = pending, next != delimiter, next != "\n", next != "\r" {
                    throw Failure(
                        line: line,
                        message: LocalizedName(
                            zh: "右引号后还有文字；引号内的引号请写两个",
                            en: "text follows the closing quote; double quotes inside quotes"
                        )
                    )
                }
            case delimiter:
                fields.append(String(field))
                field = .init()
                wasQuoted = false
            case "\r": break
            case "\n":
                line += 1
                if !(fields.isEmpty && field.isEmpty && !wasQuoted) {
                    records.append(Record(line: recordLine, fields: fields + [String(field)]))
                }
                (fields, field, wasQuoted, recordLine) = ([], .init(), false, line)
            default: field.append(scalar)
            }
        }
        if !(fields.isEmpty && field.isEmpty && !wasQuoted) {
            records.append(Record(line: recordLine, fields: fields + [String(field)]))
        }
        self.records = records
    }

    /// Reads up to the closing quote.
    ///
    /// - Returns: The scalar after it, and the line reached.
    private static func quoted<Scalars: IteratorProtocol<Unicode.Scalar>>(
        _ scalars: inout Scalars,
        into field: inout String.UnicodeScalarView,
        line: Int
    ) throws(Failure) -> (next: Unicode.Scalar?, line: Int) {
        var reached = line
        while let scalar = scalars.next() {
            if scalar == "\n" { reached += 1 }
            guard scalar == "\"" else {
                field.append(scalar)
                continue
            }
            let next = scalars.next()
            guard next == "\"" else { return (next, reached) }
            field.append("\"")
        }
        throw Failure(
            line: line,
            message: LocalizedName(zh: "引号没有闭合", en: "a quote is opened and never closed")
        )
    }
}
