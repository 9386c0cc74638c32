// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import PayloadCodecs
import SeriesStorage

/// Commits parsed units in the order of the input and keeps the books.
struct BulkCommitter: Sendable {
    private let options: BulkImport.Options
    private let sink: BulkImport.Sink
    private var mark: ImportMark?
    /// The offset of the first byte that the units count from.
    private let base: Int64
    private let progress: @Sendable (BulkProgress) -> Void
    /// Series that wait until they are worth a commit.
    private var gathered: [SeriesSamples] = []
    private var gatheredCount = 0
    /// Whether something was read since the last commit.
    private var isAhead = false
    private(set) var summary = BulkSummary()

    init(
        options: BulkImport.Options,
        sink: BulkImport.Sink,
        mark: ImportMark?,
        lines: Int64,
        base: Int64,
        progress: @escaping @Sendable (BulkProgress) -> Void
    ) {
        self.options = options
        self.sink = sink
        self.mark = mark
        self.base = base
        self.progress = progress
        self.summary.lines = lines
        self.summary.bytes = mark?.bytes ?? 0
        self.summary.counts = mark?.counts ?? ImportCounts()
    }

    /// - Returns: False when nothing more is wanted.
    mutating func take(_ parsed: BulkStep.Parsed) throws -> Bool {
        let piece = parsed.piece
        let errors = parsed.stop.map { [$0] } ?? piece.errors
        for error in errors.prefix(self.options.errorLimit - self.summary.errors.count) {
            var moved = error
            moved.line += Int(self.summary.lines)
            self.summary.errors.append(moved)
        }
        self.summary.refused += Int64(parsed.stop == nil ? piece.refused : 1)
        self.summary.isStopped = parsed.stop != nil
        self.summary.lines += Int64(piece.lines)
        self.summary.samples += Int64(piece.samples)
        self.summary.bytes = self.base + parsed.end
        if piece.hasEnd { self.summary.hasEnd = true }
        if let prepared = parsed.prepared {
            try self.commit(prepared)
        } else {
            self.isAhead = true
            self.gathered += piece.series.map(SeriesSamples.init)
            self.gatheredCount += piece.samples
            if self.gatheredCount >= self.options.gatheredSamples { try self.commitGathered() }
        }
        let refused = self.summary.refused
        self.progress(BulkProgress(bytes: self.summary.bytes, samples: self.summary.samples, refused: refused))
        if self.summary.isStopped { try self.finish() }
        return !self.summary.isStopped
    }

    /// Commits what was gathered.
    mutating func finish() throws {
        if self.isAhead { try self.commitGathered() }
    }

    private mutating func commitGathered() throws {
        let series = self.gathered
        self.gathered = []
        self.gatheredCount = 0
        self.isAhead = false
        try self.commit(self.sink.prepare(series))
    }

    private mutating func commit(_ prepared: PreparedImport) throws {
        // The store adds what this commit brings.
        self.mark?.bytes = self.summary.bytes
        self.mark?.lines = self.summary.lines
        self.mark?.counts = self.summary.counts
        self.summary.counts += try self.sink.commit(prepared, self.mark)
    }
}
