// poyang
// SPDX-License-Identifier: Apache-2.0

/// Reads slices of a bulk file.
///
/// A slice is whole lines (``BulkFormat/split(_:table:)``), so that several threads can read one file. A line that
/// cannot be used is left out and named; it never stops the rest. No input traps.
///
/// ## Usage
/// ```swift
/// let reader = BulkReader(.vmJSONLines)
/// let piece = bytes.withUnsafeBytes { reader.read($0) }
/// ```
package struct BulkReader: Sendable {
    package let format: BulkFormat
    /// For CSV, the header row's columns; without it no row can be read.
    package let table: CSVTable?
    /// Errors that are kept per slice; the others are counted.
    package let errorLimit: Int

    package init(_ format: BulkFormat, table: CSVTable? = nil, errorLimit: Int = 100) {
        self.format = format
        self.table = table
        self.errorLimit = errorLimit
    }

    package func read(_ bytes: UnsafeRawBufferPointer) -> BulkPiece {
        var piece = BulkPiece()
        guard let start = bytes.bindMemory(to: UInt8.self).baseAddress else { return piece }
        let end = start + bytes.count
        switch self.format {
        case .vmJSONLines:
            var parser = JSONLinesParser()
            self.lines(start, end, &piece) { line, number, piece throws(LineProblem) in
                try parser.read(&line, number: number, into: &piece)
            }
        case .openMetrics, .prometheus:
            var parser = ExpositionParser(isInSeconds: self.format == .openMetrics)
            self.lines(start, end, &piece) { line, number, piece throws(LineProblem) in
                try parser.read(&line, number: number, into: &piece)
            }
        case .csv:
            guard let table = self.table else {
                self.refuse(&piece, BulkLineError(line: 1, column: 1, message: "the header row is not known"))
                return piece
            }
            var parser = CSVParser(table: table)
            self.records(start, end, table.separator, &piece) { line, number, piece throws(LineProblem) in
                try parser.read(&line, number: number, into: &piece)
            }
        }
        return piece
    }

    private typealias Step = (inout LineCursor, _ number: Int, inout BulkPiece) throws(LineProblem) -> Void

    private func lines(
        _ start: UnsafePointer<UInt8>,
        _ end: UnsafePointer<UInt8>,
        _ piece: inout BulkPiece,
        _ step: Step
    ) {
        var at = start
        while at < end {
            let lineEnd = ByteScan.first(0x0A, at, end)
            piece.lines += 1
            self.one(at, lineEnd, piece.lines, &piece, step)
            at = lineEnd < end ? lineEnd + 1 : end
        }
    }

    private func records(
        _ start: UnsafePointer<UInt8>,
        _ end: UnsafePointer<UInt8>,
        _ separator: UInt8,
        _ piece: inout BulkPiece,
        _ step: Step
    ) {
        var at = start
        while at < end {
            let number = piece.lines + 1
            switch CSVRecordEnd(at, end, separator: separator) {
            case .complete(let next):
                let recordEnd = next[-1] == 0x0A ? next - 1 : next
                piece.lines += Self.breaks(at, recordEnd) + 1
                self.one(at, recordEnd, number, &piece, step)
                at = next
            case .unclosed(let next):
                piece.lines += 1
                self.refuse(&piece, BulkLineError(line: number, column: 1, message: Self.openQuote))
                at = next
            case .open:
                // As where a quote is never closed: the lines behind it may be whole.
                let lineEnd = ByteScan.first(0x0A, at, end)
                piece.lines += 1
                self.refuse(&piece, BulkLineError(line: number, column: 1, message: Self.openQuote))
                at = lineEnd < end ? lineEnd + 1 : end
            }
        }
    }

    private static let openQuote = "a quote is opened here and never closed"

    private static func breaks(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Int {
        var count = 0
        var at = ByteScan.first(0x0A, start, end)
        while at < end {
            count += 1
            at = ByteScan.first(0x0A, at + 1, end)
        }
        return count
    }

    @inline(__always)
    private func one(
        _ start: UnsafePointer<UInt8>,
        _ end: UnsafePointer<UInt8>,
        _ number: Int,
        _ piece: inout BulkPiece,
        _ step: Step
    ) {
        guard end - start <= BulkFormat.maximumLine else {
            let message = "the line is longer than \(BulkFormat.maximumLine >> 20) MiB"
            self.refuse(&piece, BulkLineError(line: number, column: 1, message: message))
            return
        }
        var lineEnd = end
        if lineEnd > start, lineEnd[-1] == 0x0D { lineEnd -= 1 }
        var line = LineCursor(start, lineEnd)
        line.skipBlanks()
        guard !line.isAtEnd else { return }
        // A record's blanks belong to its first field; elsewhere they mean nothing.
        if self.format == .csv { line.at = start }
        do {
            try step(&line, number, &piece)
        } catch {
            self.refuse(
                &piece,
                BulkLineError(line: number, column: max(error.offset, 0) + 1, message: error.message)
            )
        }
    }

    private func refuse(_ piece: inout BulkPiece, _ error: @autoclosure () -> BulkLineError) {
        piece.refused += 1
        if piece.errors.count < self.errorLimit { piece.errors.append(error()) }
    }
}
