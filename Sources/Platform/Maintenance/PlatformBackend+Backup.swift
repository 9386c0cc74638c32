// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import Foundation
package import HTTPAPI
import SeriesStorage
import Telemetry

extension PlatformBackend {
    /// Writes a backup that is whole or not there: it is made beside its name, flushed, and renamed.
    ///
    /// Sealing, merging and retention pause; commits and rules go on. `catalog.db` is copied first: what the rules had
    /// processed by then is in `samples.db`, which is copied after it, and nothing beyond it is sealed there.
    package func backup(
        to file: String,
        replacing: Bool,
        progress: @escaping @Sendable (Double) -> Void
    ) async throws -> BackupReport {
        try await onThread("poyang-backup") {
            let manager = FileManager.default
            guard replacing || !manager.fileExists(atPath: file) else {
                throw PlatformError(.input, "\(file) is there already; --force replaces it")
            }
            let part = "\(file).\(ProcessInfo.processInfo.processIdentifier).part"
            let folder = part + ".d"
            try self.checkSpace(for: file)
            do {
                try manager.createDirectory(atPath: folder, withIntermediateDirectories: false)
            } catch {
                throw PlatformError(
                    .input,
                    "\(folder) cannot be made: is there a folder for \(file), may the service write to it, and is no "
                        + "other backup to it under way?",
                    cause: error
                )
            }
            defer {
                try? manager.removeItem(atPath: folder)
                try? manager.removeItem(atPath: part)
            }
            let manifest = try self.copyDatabases(into: folder, progress: progress)
            try BackupArchive.pack(folder, into: part, isCompressed: file.hasSuffix(".zst"))
            guard rename(part, file) == 0 else {
                throw PlatformError(.input, "\(file) cannot be put in place: \(String(cString: strerror(errno)))")
            }
            try BackupArchive.flush(URL(filePath: file).deletingLastPathComponent().path)
            progress(1)
            let size = (try manager.attributesOfItem(atPath: file)[.size] as? Int) ?? 0
            return BackupReport(
                file: file,
                bytes: size,
                committed: manifest.committed,
                processed: manifest.processed
            )
        }
    }

    private func copyDatabases(
        into folder: String,
        progress: @escaping @Sendable (Double) -> Void
    ) throws -> BackupManifest {
        let (samples, catalog) = (folder + "/samples.db", folder + "/catalog.db")
        let copy = try self.samples.pausingMaintenance {
            try self.records.backup(to: catalog)
            return try self.samples.copy(to: samples) { progress(0.5 * $0) }
        }
        guard let processed = CatalogVerification.run(path: catalog).processed else {
            throw PlatformError(.input, "the copy of catalog.db cannot be read; 'poyang verify' says what is damaged")
        }
        guard copy.sealed <= processed, processed <= copy.committed else {
            throw PlatformError(
                .input,
                "the copies do not belong together (sealed \(copy.sealed.rawValue), processed \(processed.rawValue), "
                    + "committed \(copy.committed.rawValue)); 'poyang verify' says whether something is damaged"
            )
        }
        let (catalogBytes, catalogHash) = try BackupManifest.fingerprint(catalog)
        let (bytes, hash) = try BackupManifest.fingerprint(samples) {
            progress(0.5 + 0.2 * Double($0) / Double(max(copy.bytes, 1)))
        }
        let manifest = BackupManifest(
            madeAt: self.now().rfc3339(),
            committed: copy.committed.rawValue,
            sealed: copy.sealed.rawValue,
            processed: processed.rawValue,
            samples: .init(schema: SeriesStore.schema.last ?? "", bytes: bytes, sha256: hash),
            catalog: .init(schema: CatalogStore.schema.last ?? "", bytes: catalogBytes, sha256: catalogHash)
        )
        try manifest.write(to: folder + "/manifest.json")
        return manifest
    }

    /// The copies and the archive of them lie beside each other for a while.
    private func checkSpace(for file: String) throws {
        let statistics = self.samples.statistics()
        let needed = 2 * (statistics.fileBytes + statistics.walBytes)
        var space = statvfs()
        guard statvfs(URL(filePath: file).deletingLastPathComponent().path, &space) == 0 else { return }
        let free = Int(space.f_bavail) * Int(space.f_frsize)
        guard free >= needed else {
            throw PlatformError(
                .input,
                "\(file) needs up to \(needed >> 20) MB while it is made, and \(free >> 20) MB are free; "
                    + "name a file on a larger disk"
            )
        }
    }
}
