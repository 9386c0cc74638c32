// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import Foundation
package import HTTPAPI
import SeriesStorage
import Telemetry

/// Checks both databases of a data directory, and saves what can be read of a damaged one.
package enum DataVerification {
    /// Checks a directory that no service uses; it is not changed.
    ///
    /// - Throws: ``PlatformError`` where a service uses it; what ``SeriesStorage`` says where `samples.db` cannot be
    ///   opened at all.
    package static func run(
        _ directory: DataDirectory,
        progress: @escaping @Sendable (Double) -> Void = { _ in }
    ) async throws -> DataVerificationReport {
        let lock = try directory.acquire()
        defer { withExtendedLifetime(lock) {} }
        return try await onThread("poyang-verify") { try self.check(directory, progress: progress) }
    }

    /// Writes what can be read to a new data directory.
    ///
    /// - Returns: A sentence for each thing that was done, and the verification of the new directory.
    /// - Throws: ``PlatformError`` where a service uses the directory or the new one is not empty.
    package static func salvage(
        _ directory: DataDirectory,
        to path: String,
        progress: @escaping @Sendable (Double) -> Void = { _ in }
    ) async throws -> (notes: [String], report: DataVerificationReport) {
        let lock = try directory.acquire()
        defer { withExtendedLifetime(lock) {} }
        let target = DataDirectory(path: path)
        guard (try? FileManager.default.contentsOfDirectory(atPath: path))?.isEmpty ?? true else {
            throw PlatformError(.input, "\(path) is not empty; name a directory that does not exist")
        }
        let targetLock = try target.acquire()
        defer { withExtendedLifetime(targetLock) {} }
        return try await onThread("poyang-salvage") {
            var notes: [String] = []
            let catalog = CatalogVerification.run(path: directory.catalog)
            if FileManager.default.fileExists(atPath: directory.catalog) {
                do {
                    try CatalogVerification.copy(directory.catalog, to: target.catalog)
                    notes.append("catalog.db: copied as it is")
                } catch { notes.append("catalog.db: cannot be copied (\(error)); restore it from a backup") }
            }
            let saved = try StoreSalvage.run(
                from: directory.samples,
                to: target.samples,
                processed: catalog.processed,
                progress: progress
            )
            notes.append(
                "samples.db: \(saved.copied) blocks copied, \(saved.repacked) without their damaged chunks, "
                    + "\(saved.lost) lost; \(saved.journalEntries) batches of the journal copied, "
                    + "\(saved.lostEntries) lost"
            )
            if saved.placeholders > 0 {
                notes.append(
                    "\(saved.placeholders) series lost their labels; they are called poyang_salvaged{series=\"N\"} now"
                )
            }
            return (notes, try self.check(target, progress: { _ in }))
        }
    }

    private static func check(
        _ directory: DataDirectory,
        progress: @escaping (Double) -> Void
    ) throws -> DataVerificationReport {
        let catalog = CatalogVerification.run(path: directory.catalog)
        let samples = try StoreVerification.run(
            path: directory.samples,
            processed: catalog.processed,
            progress: progress
        )
        return DataVerificationReport(samples, catalog)
    }
}

extension DataVerificationReport {
    init(_ samples: VerificationReport, _ catalog: CatalogVerification) {
        self.init()
        self.series = samples.series
        self.journalEntries = samples.journalEntries
        self.blocks = samples.blocks
        self.chunks = samples.chunks
        self.samples = samples.samples
        self.revisions = samples.revisions
        self.quarantined = samples.quarantined
        self.deliveries = samples.deliveries
        self.ledgerFacts = catalog.facts
        self.damages = samples.damages.map { damage in
            Damage(
                what: damage.what.rawValue,
                series: damage.series?.description,
                from: damage.from?.shown,
                through: damage.through?.shown,
                block: damage.block,
                message: damage.message
            )
        }
        self.damages += catalog.damages.map {
            Damage(what: "catalog", series: nil, from: nil, through: nil, block: nil, message: $0)
        }
    }
}

extension Timestamp {
    /// RFC 3339, or nothing for what a damaged row made of it.
    fileprivate var shown: String? {
        (Timestamp(milliseconds: 0)...Timestamp(milliseconds: 32_503_680_000_000)).contains(self) ? self.rfc3339() : nil
    }
}

extension PlatformBackend {
    package func verify(progress: @escaping @Sendable (Double) -> Void) async throws -> DataVerificationReport {
        try await onThread("poyang-verify") {
            DataVerificationReport(try self.samples.verify(progress: progress), self.records.verify())
        }
    }
}
