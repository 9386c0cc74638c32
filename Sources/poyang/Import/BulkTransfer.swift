// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import PayloadCodecs
import Platform
import SeriesStorage
import Synchronization

/// Brings one file into the store: in this process where no service holds it, else piece by piece through the service.
struct BulkTransfer {
    let client: APIClient
    /// Nil where a service holds the data.
    let backend: PlatformBackend?
    let file: FileInput
    let format: BulkFormat
    let isStrict: Bool
    /// The name under which the progress is kept; nil for a pipe.
    let source: String?

    /// What one request carries; in row-wise formats more, so that its series get chunks of some length.
    private var pieceBytes: Int { self.format.isRowWise ? 32 << 20 : 8 << 20 }

    /// Where the last attempt broke off; nil where there was none.
    func mark() async throws -> ImportMark? {
        guard let source = self.source else { return nil }
        if let backend = self.backend { return try backend.importMark(of: source) }
        let answer = try await self.client.get("/api/v1/import/mark", query: [("source", source)])
        guard let mark = answer.elements.first, let offset = mark["offset"].integer, let line = mark["line"].integer
        else {
            return nil
        }
        return ImportMark(source: source, bytes: offset, lines: line, counts: ImportCounts(mark))
    }

    func run(from mark: ImportMark?, progress: ProgressLine) async throws -> BulkSummary {
        let start = mark ?? self.source.map { ImportMark(source: $0, bytes: 0, lines: 0, counts: ImportCounts()) }
        do {
            guard let backend = self.backend else { return try await self.post(from: start, progress: progress) }
            var options = BulkImport.Options(format: self.format)
            options.isStrict = self.isStrict
            let run = backend.bulkImport(options)
            let input = UncheckedInput(file: self.file)
            return try await onThread("poyang-read") {
                try run.run(input.file, mark: start) { progress.show($0) }
            }
        } catch let error as BulkLineError {
            throw CommandFailure("\(self.file.path):\(error)")
        }
    }

    /// Forgets the mark and merges what the import left in small pieces.
    ///
    /// `progress` gets the share that is done, 0 to 1, where that is known.
    func finish(progress: @escaping @Sendable (Double) -> Void) async throws {
        if let backend = self.backend {
            try await backend.finishImport(of: self.source, progress: progress)
        } else {
            let query: [(String, String?)] = [("source", self.source)]
            _ = try await self.client.post("/api/v1/import/finish", query: query)
        }
    }

    // MARK: Through the service

    private func post(from start: ImportMark?, progress: ProgressLine) async throws -> BulkSummary {
        var reader = BulkUnitReader(self.file, format: self.format, size: self.pieceBytes)
        var summary = BulkSummary()
        summary.lines = Int64(try reader.readHeader())
        if let start, start.bytes > reader.offset {
            try reader.skip(to: start.bytes)
            summary.lines = start.lines
            summary.counts = start.counts
        }
        let header = reader.table.map { String(decoding: $0.header, as: UTF8.self) }
        var offset = reader.offset
        while let unit = try reader.next() {
            if unit.isOversized {
                let message = "the line is longer than \(BulkFormat.maximumLine >> 20) MiB"
                summary.errors.append(BulkLineError(line: Int(summary.lines) + 1, column: 1, message: message))
                summary.refused += 1
                summary.lines += 1
            } else {
                let query: [(String, String?)] = [
                    ("format", self.format.rawValue), ("header", header), ("source", self.source),
                    ("offset", String(offset)), ("line", String(summary.lines)), ("strict", self.isStrict ? "1" : nil),
                ]
                let answer = try await self.client.post(
                    "/api/v1/import",
                    query: query,
                    body: Data(unit.bytes),
                    type: "application/octet-stream"
                )
                summary.add(answer)
            }
            offset = unit.end
            summary.bytes = offset
            if self.isStrict, summary.refused > 0 {
                summary.isStopped = true
                return summary
            }
            progress.show(BulkProgress(bytes: offset, samples: summary.samples, refused: summary.refused))
        }
        return summary
    }
}

/// Carries the input to the one thread that reads it.
private struct UncheckedInput: @unchecked Sendable {  // the file is used by that thread alone from then on
    let file: FileInput
}

extension BulkSummary {
    /// Adds what the service answered to one piece.
    fileprivate mutating func add(_ answer: JSONValue) {
        for error in answer["errors"].elements where self.errors.count < 100 {
            let line = Int(error["line"].integer ?? 0) + Int(self.lines)
            let column = Int(error["column"].integer ?? 1)
            self.errors.append(BulkLineError(line: line, column: column, message: error["message"].cellText))
        }
        self.refused += answer["refused"].integer ?? 0
        self.lines += answer["lines"].integer ?? 0
        self.samples += answer["samples"].integer ?? 0
        self.counts += ImportCounts(answer)
        if answer["has_end"] == .bool(true) { self.hasEnd = true }
    }
}

extension ImportCounts {
    fileprivate init(_ answer: JSONValue) {
        self.init()
        self.stored = Int(answer["stored"].integer ?? 0)
        self.duplicates = Int(answer["duplicates"].integer ?? 0)
        self.revised = Int(answer["revised"].integer ?? 0)
    }
}

/// A progress line that any thread may move.
final class ProgressLine: Sendable {
    private let progress: Mutex<Progress>
    private let start: Int64
    private let length: Int64?

    /// `start` is the offset at which reading begins, `length` that of the whole input, where known.
    init(unit: String, start: Int64 = 0, length: Int64? = nil) {
        self.progress = Mutex(Progress(total: nil, unit: unit))
        self.start = start
        self.length = length
    }

    func show(_ state: BulkProgress) {
        self.progress.withLock { progress in
            if let length = self.length, length > self.start {
                progress.fraction = Double(state.bytes - self.start) / Double(length - self.start)
            }
            progress.advance(by: state.samples - progress.done)
        }
    }

    func finish(saying text: String) { self.progress.withLock { $0.finish(saying: text) } }
}
