// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
package import PayloadCodecs
package import SeriesStorage
package import Telemetry

/// How far a bulk import is.
package struct BulkProgress: Sendable {
    /// Of the input, committed.
    package var bytes: Int64 = 0
    /// Read since the start or the resumption.
    package var samples: Int64 = 0
    package var refused: Int64 = 0

    package init(bytes: Int64 = 0, samples: Int64 = 0, refused: Int64 = 0) {
        self.bytes = bytes
        self.samples = samples
        self.refused = refused
    }
}

/// What a bulk import brought.
package struct BulkSummary: Sendable {
    /// Samples of the lines that were read.
    package var samples: Int64 = 0
    /// Where they ended, with what an interrupted run before had brought.
    package var counts = ImportCounts()
    /// The first refused lines, by their numbers in the input.
    package var errors: [BulkLineError] = []
    /// Lines that were refused, those beyond ``errors`` too.
    package var refused: Int64 = 0
    /// Lines up to where reading ended.
    package var lines: Int64 = 0
    /// Bytes up to where reading ended.
    package var bytes: Int64 = 0
    /// Whether a refused line ended the import.
    package var isStopped = false
    /// Whether OpenMetrics's `# EOF` was seen.
    package var hasEnd = false

    package init() {}
}

/// Brings samples in bulk into the store, past the rules.
///
/// The calling thread cuts the input into units of whole lines; several threads parse and encode them; one commits them in
/// the order of the input. The number of units on their way is bounded, so memory does not grow with the input.
package struct BulkImport: Sendable {
    package struct Options: Sendable {
        package var format: BulkFormat
        /// Ends at the first refused line; what is before it is stored.
        package var isStrict = false
        /// Threads that parse.
        package var workers = 2
        /// Errors that are kept.
        package var errorLimit = 100
        /// Bytes of a unit; four and more of them are in memory, twice: as text and as samples.
        package var unitBytes = 4 << 20
        /// In row-wise formats series interleave: units are stored together once they have so many samples, so that
        /// chunks are not tiny.
        package var gatheredSamples = 2_000_000

        package init(format: BulkFormat) { self.format = format }
    }

    /// Where samples go; `SeriesStore` behind it, or a test.
    package struct Sink: Sendable {
        package var prepare: @Sendable ([SeriesSamples]) -> PreparedImport
        /// Stores, in one transaction with the mark.
        package var commit: @Sendable (PreparedImport, ImportMark?) throws -> ImportCounts
        /// What forbids storing a series; nil for nothing.
        package var objection: @Sendable (Labels) -> String?

        package init(
            prepare: @escaping @Sendable ([SeriesSamples]) -> PreparedImport,
            commit: @escaping @Sendable (PreparedImport, ImportMark?) throws -> ImportCounts,
            objection: @escaping @Sendable (Labels) -> String? = { _ in nil }
        ) {
            self.prepare = prepare
            self.commit = commit
            self.objection = objection
        }
    }

    private let options: Options
    private let sink: Sink

    package init(_ options: Options, sink: Sink) {
        self.options = options
        self.sink = sink
    }

    /// Reads `input` to its end; blocks the thread meanwhile.
    ///
    /// - Parameters:
    ///   - input: Read from its start, or from where `mark` stands.
    ///   - mark: The input's name under which the progress is saved, and how far it had come; nil saves nothing.
    ///   - seeks: Whether the input begins at its first byte, so that what `mark` counts has to be passed over.
    ///   - table: The columns of a CSV input whose header row is not part of it.
    ///   - progress: Called on another thread after each commit.
    /// - Returns: What was read and where it ended.
    /// - Throws: ``BulkLineError`` for a CSV header that cannot be used; what input and sink throw. What was committed
    ///   until then stays.
    package func run(
        _ input: any BulkInput,
        mark: ImportMark? = nil,
        seeks: Bool = true,
        table: CSVTable? = nil,
        progress: @escaping @Sendable (BulkProgress) -> Void = { _ in }
    ) throws -> BulkSummary {
        var reader = BulkUnitReader(input, format: self.options.format, size: self.options.unitBytes, table: table)
        let header = try reader.readHeader()
        var start = mark
        if seeks, let mark, mark.bytes > reader.offset {
            try reader.skip(to: mark.bytes)
        } else if header > 0 {
            start?.lines = Int64(header)
        }
        let base = seeks ? 0 : mark?.bytes ?? 0
        var committer = BulkCommitter(
            options: self.options,
            sink: self.sink,
            mark: start,
            lines: start?.lines ?? Int64(header),
            base: base,
            progress: progress
        )
        let step = BulkStep(
            reader: BulkReader(self.options.format, table: reader.table, errorLimit: self.options.errorLimit),
            sink: self.sink,
            isStrict: self.options.isStrict
        )
        guard let first = try reader.next() else { return committer.summary }
        if first.isLast {
            _ = try committer.take(step.parsed(first))
            try committer.finish()
            return committer.summary
        }
        let line = BulkAssemblyLine(workers: self.options.workers, step: step, committer: committer)
        return try line.run(first: first) { try reader.next() }
    }
}

/// What is done with a unit on any thread.
struct BulkStep: Sendable {
    let reader: BulkReader
    let sink: BulkImport.Sink
    /// Whether nothing from the first refused line on is wanted.
    let isStrict: Bool

    /// A unit that waits to be committed.
    struct Parsed: Sendable {
        let index: Int
        var end: Int64
        var piece: BulkPiece
        /// The line that ends a strict import; `piece` is what comes before it.
        var stop: BulkLineError?
        /// Nil where the units are to be gathered first.
        var prepared: PreparedImport?
    }

    func parsed(_ unit: BulkUnit) -> Parsed {
        var piece: BulkPiece
        if unit.isOversized {
            piece = BulkPiece()
            piece.lines = 1
            piece.refused = 1
            let limit = BulkFormat.maximumLine >> 20
            piece.errors = [BulkLineError(line: 1, column: 1, message: "the line is longer than \(limit) MiB")]
        } else {
            piece = unit.bytes.withUnsafeBytes { self.reader.read($0) }
        }
        self.refuseForbidden(&piece)
        var parsed = Parsed(index: unit.index, end: unit.end, piece: piece)
        if self.isStrict, let first = piece.errors.first {
            parsed.stop = first
            let length = Self.offset(ofLine: first.line, in: unit.bytes)
            parsed.end = unit.end - Int64(unit.bytes.count - length)
            parsed.piece = unit.bytes[..<length].withUnsafeBytes { self.reader.read($0) }
        }
        if !self.reader.format.isRowWise {
            parsed.prepared = self.sink.prepare(parsed.piece.series.map(SeriesSamples.init))
            parsed.piece.series = []
        }
        return parsed
    }

    /// Where a line, from 1, begins.
    private static func offset(ofLine line: Int, in bytes: [UInt8]) -> Int {
        var left = line - 1
        guard left > 0 else { return 0 }
        for (index, byte) in bytes.enumerated() where byte == 0x0A {
            left -= 1
            if left == 0 { return index + 1 }
        }
        return bytes.count
    }

    private func refuseForbidden(_ piece: inout BulkPiece) {
        var allowed: [BulkSeries] = []
        var objections: [BulkLineError] = []
        for series in piece.series {
            guard let objection = self.sink.objection(series.labels) else {
                allowed.append(series)
                continue
            }
            piece.refused += 1
            piece.samples -= series.times.count
            objections.append(BulkLineError(line: series.line, column: 1, message: objection))
        }
        guard !objections.isEmpty else { return }
        piece.series = allowed
        piece.errors = (piece.errors + objections).sorted { $0.line < $1.line }
    }
}

extension SeriesSamples {
    init(_ series: BulkSeries) {
        let marks =
            series.marks.isEmpty
            ? [UInt8](repeating: BulkSeries.defaultMark, count: series.times.count) : series.marks
        self.init(labels: series.labels, times: series.times, values: series.values, marks: marks)
    }
}
