// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Foundation
package import HTTPAPI
package import Hummingbird
import NIOCore
import PayloadCodecs
package import SeriesStorage
package import Telemetry

extension PlatformBackend {
    /// An import into this platform's store; only series of `org` are taken, if one is given.
    package func bulkImport(_ options: BulkImport.Options, org: String? = nil) -> BulkImport {
        let (samples, processor) = (self.samples, self.processor)
        var sink = BulkImport.Sink(
            prepare: { samples.prepareImport($0) },
            commit: { try processor.commitImport($0, mark: $1) }
        )
        if let org {
            let catalog = self.resolver.catalog
            sink.objection = { catalog.objection(to: $0, writtenFor: org) }
        }
        return BulkImport(options, sink: sink)
    }

    package func importSamples(_ body: RequestBody, _ order: SampleImportOrder) async throws -> SampleImportReport {
        var options = BulkImport.Options(format: order.format)
        options.isStrict = order.isStrict
        let run = self.bulkImport(options, org: order.org)
        let input = StreamInput()
        let summary = try await withThrowingTaskGroup(of: BulkSummary?.self) { tasks in
            tasks.addTask {
                do {
                    for try await piece in body { await input.push(Array(piece.readableBytesView)) }
                    input.end()
                } catch {
                    input.end(error)
                }
                return nil
            }
            tasks.addTask {
                try await onThread("poyang-read") {
                    defer { input.abandon() }
                    let table = try order.header.map { try CSVTable(header: Array($0.utf8)) }
                    let plain: any BulkInput = order.isGzip ? try GunzipInput(input) : input
                    return try run.run(plain, mark: order.mark, seeks: false, table: table)
                }
            }
            do {
                var summary = BulkSummary()
                for try await result in tasks { if let result { summary = result } }
                return summary
            } catch let error as BulkLineError {
                throw APIProblem.badInput("line \(error)")
            } catch let error as PlatformError where error.code == .input {
                throw APIProblem.badInput(error.message)
            }
        }
        var counts = summary.counts
        // What earlier pieces brought was reported with them.
        if let before = order.mark?.counts {
            counts.stored -= before.stored
            counts.duplicates -= before.duplicates
            counts.revised -= before.revised
        }
        return SampleImportReport(
            counts: counts,
            samples: summary.samples,
            lines: summary.lines - (order.mark?.lines ?? 0),
            refused: summary.refused,
            hasEnd: summary.hasEnd,
            errors: summary.errors.map {
                .init(line: $0.line - Int(order.mark?.lines ?? 0), column: $0.column, message: $0.message)
            }
        )
    }

    package func importMark(of source: String) throws -> ImportMark? { try self.samples.importMark(of: source) }

    package func finishImport(of source: String?) async throws {
        try await self.finishImport(of: source) { _ in }
    }

    /// The same, saying how far the merging is, 0 to 1, on another thread.
    package func finishImport(of source: String?, progress: @escaping @Sendable (Double) -> Void) async throws {
        let samples = self.samples
        let now = self.now()
        // What is in the journal only is not merged.
        try await self.processor.perform { core in try core.sealAll(at: now) }
        try await onThread("poyang-compact") {
            if let source { try samples.finishImport(of: source) }
            try samples.compact(progress: progress)
        }
    }

    package func removeSamples(of series: [Labels], from: Timestamp, through: Timestamp) async throws -> Int {
        let before = self.samples.counts.samples
        try self.processor.commitRemoval(of: series, from: from, through: through)
        // Answered when they are gone.
        try await self.processor.perform { _ in }
        return before - self.samples.counts.samples
    }
}
