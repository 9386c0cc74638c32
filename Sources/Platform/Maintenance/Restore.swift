// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import Foundation
import SeriesStorage
import Telemetry

/// Puts a backup into a data directory.
///
/// Everything is unpacked and checked beside the files first. While they are exchanged, a mark says so, and no service
/// starts on a directory with that mark: what it finds is the old data, the new data, or a refusal that says what to do.
package enum Restore {
    /// What was restored.
    package struct Report: Sendable {
        package let committed: Int64
        package let processed: Int64
        package let madeAt: String
        /// Where the files that were there before are now; nil where there were none.
        package let replaced: String?
    }

    private static let databases = ["samples.db", "catalog.db"]

    /// Restores a backup.
    ///
    /// - Parameters:
    ///   - file: The backup.
    ///   - directory: Where; made if need be. No service may use it.
    ///   - force: Put the files that are there aside.
    ///   - stamp: A name for what is put aside.
    ///   - progress: Called with the share that is done, 0 to 1.
    /// - Returns: What was restored.
    /// - Throws: ``PlatformError``; then the files are as they were, or the mark says that they are not.
    package static func run(
        _ file: String,
        into directory: DataDirectory,
        force: Bool,
        stamp: String,
        progress: @escaping @Sendable (Double) -> Void = { _ in }
    ) async throws -> Report {
        guard FileManager.default.isReadableFile(atPath: file) else {
            throw PlatformError(.input, "there is no backup \(file), or it cannot be read")
        }
        let lock = try directory.acquire()
        defer { withExtendedLifetime(lock) {} }
        let present = self.databases.filter { FileManager.default.fileExists(atPath: directory.path + "/" + $0) }
        guard force || (present.isEmpty && !FileManager.default.fileExists(atPath: directory.unfinishedRestore)) else {
            throw PlatformError(
                .input,
                "\(directory.path) holds data; --force puts it aside, or name another directory with --data"
            )
        }
        return try await onThread("poyang-restore") {
            let folder = directory.path + "/restore.part"
            try? FileManager.default.removeItem(atPath: folder)
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            try BackupArchive.unpack(file, into: folder)
            progress(0.3)
            let manifest = try BackupManifest.read(folder + "/manifest.json")
            try self.check(manifest, folder, progress: progress)
            let replaced = try self.exchange(folder, directory, stamp: stamp)
            progress(1)
            return Report(
                committed: manifest.committed,
                processed: manifest.processed,
                madeAt: manifest.madeAt,
                replaced: replaced
            )
        }
    }

    private static func check(
        _ manifest: BackupManifest,
        _ folder: String,
        progress: @escaping (Double) -> Void
    ) throws {
        let isKnown =
            manifest.format == BackupManifest.format && SeriesStore.schema.contains(manifest.samples.schema)
            && CatalogStore.schema.contains(manifest.catalog.schema)
        guard isKnown else {
            throw PlatformError(
                .input,
                "the backup was made by a newer version of poyang; restore it with that version"
            )
        }
        for (name, wanted) in [("catalog.db", manifest.catalog), ("samples.db", manifest.samples)] {
            let (bytes, hash) = try BackupManifest.fingerprint(folder + "/" + name)
            guard bytes == wanted.bytes, hash == wanted.sha256 else {
                throw PlatformError(
                    .input,
                    "\(name) in the backup is not what was written (its SHA-256 is another one); take another copy of "
                        + "the file, or an older backup"
                )
            }
        }
        progress(0.5)
        let catalog = CatalogVerification.run(path: folder + "/catalog.db")
        let samples = try StoreVerification.run(path: folder + "/samples.db", processed: catalog.processed) {
            progress(0.5 + 0.45 * $0)
        }
        let damages = samples.damages.map(\.message) + catalog.damages
        guard damages.isEmpty else {
            throw PlatformError(
                .input,
                "the backup holds data that were damaged when it was made (\(damages.count) damages, the first: "
                    + "\(damages[0])); unpack it with tar and let 'poyang verify --salvage' save the rest"
            )
        }
    }

    private static func exchange(_ folder: String, _ directory: DataDirectory, stamp: String) throws -> String? {
        let manager = FileManager.default
        try Data().write(to: URL(filePath: directory.unfinishedRestore))
        try BackupArchive.flush(directory.path)
        let aside = directory.path + "/replaced-" + stamp
        let old = self.databases.flatMap { [$0, $0 + "-wal", $0 + "-shm"] }
            .filter { manager.fileExists(atPath: directory.path + "/" + $0) }
        if !old.isEmpty {
            try manager.createDirectory(atPath: aside, withIntermediateDirectories: true)
            for name in old { try manager.moveItem(atPath: directory.path + "/" + name, toPath: aside + "/" + name) }
            try BackupArchive.flush(aside)
        }
        for name in self.databases {
            try? manager.removeItem(atPath: folder + "/" + name + "-wal")
            try manager.moveItem(atPath: folder + "/" + name, toPath: directory.path + "/" + name)
        }
        try BackupArchive.flush(directory.path)
        try manager.removeItem(atPath: directory.unfinishedRestore)
        try BackupArchive.flush(directory.path)
        return old.isEmpty ? nil : aside
    }
}
