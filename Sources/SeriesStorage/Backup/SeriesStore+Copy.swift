// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import GRDBSQLite
import Synchronization
package import Telemetry

/// A copy of `samples.db`, as it was at the end of the copying.
package struct StoreCopy: Sendable, Hashable {
    /// The newest batch that is in it.
    package let committed: JournalPosition
    /// Up to where the journal is in the blocks.
    package let sealed: JournalPosition
    package let bytes: Int
}

extension SeriesStore {
    /// Keeps sealing, merging and retention away for the time of `body`; commits and the rules go on.
    ///
    /// Inside, what was processed before stays at or beyond what is sealed: first copy `catalog.db`, then this file.
    package func pausingMaintenance<Result>(_ body: () throws -> Result) rethrows -> Result {
        self.maintenancePauses.add(1, ordering: .sequentiallyConsistent)
        defer { self.maintenancePauses.subtract(1, ordering: .sequentiallyConsistent) }
        // A sealing that is under way ends first.
        self.applying.withLock { _ in }
        return try body()
    }

    var isMaintenancePaused: Bool { self.maintenancePauses.load(ordering: .sequentiallyConsistent) > 0 }

    /// Copies the whole file to a new one while it is in use, flushed when it returns.
    ///
    /// Some megabytes at a time, each under the connection that commits: SQLite carries what is committed in between over
    /// into the copy, so that the copy is the file as of the last step, and no transaction is open between two steps: the
    /// write-ahead log does not grow for it. A commit waits for one step at most.
    ///
    /// - Parameters:
    ///   - path: There must be no file.
    ///   - progress: Called with the share that is done, 0 to 1; what it throws ends the copying.
    /// - Returns: What the copy holds.
    /// - Throws: ``StorageError``; then there is no copy.
    package func copy(to path: String, progress: (Double) throws -> Void = { _ in }) throws -> StoreCopy {
        guard !FileManager.default.fileExists(atPath: path) else {
            throw StorageError(code: .cannotOpen, message: "\(path) is there already; remove it, or name another file")
        }
        do {
            let target = try DatabaseQueue(path: path)
            do {
                try self.copyPages(to: target, progress: progress)
                let copy = try target.read { db in
                    let sealed = try Int64.fetchOne(db, sql: "SELECT value FROM state WHERE name = 'sealed_through'")
                    let newest = try Int64.fetchOne(db, sql: "SELECT MAX(position) FROM journal")
                    return (sealed: sealed ?? 0, committed: max(newest ?? 0, sealed ?? 0))
                }
                try target.close()
                try StoreFile.flush(path)
                return StoreCopy(
                    committed: JournalPosition(rawValue: copy.committed),
                    sealed: JournalPosition(rawValue: copy.sealed),
                    bytes: SeriesStore.fileSize(path)
                )
            } catch {
                try? target.close()
                try? FileManager.default.removeItem(atPath: path)
                throw error
            }
        } catch {
            throw StorageError(error, path: path)
        }
    }

    /// Pages of one step: 2 MB.
    private static let pagesPerStep: Int32 = 512

    private func copyPages(to target: DatabaseQueue, progress: (Double) throws -> Void) throws {
        let backup = try self.pool.writeWithoutTransaction { db in try PageCopy(from: db, to: target) }
        // Whatever happens, the handle is given back where the connection that it reads is not in use.
        defer { self.pool.writeWithoutTransaction { _ in backup.finish() } }
        while true {
            let isDone = try self.pool.writeWithoutTransaction { _ in try backup.step(Self.pagesPerStep) }
            if isDone { return }
            try progress(backup.share)
            // The upkeep may wait for the copy to end.
            if self.isCheckpointDue { try self.checkpoint() }
        }
    }
}

/// SQLite's online backup (https://sqlite.org/backup.html): used only while its source connection is held.
private final class PageCopy {
    private var handle: OpaquePointer?
    private let target: DatabaseQueue

    init(from source: Database, to target: DatabaseQueue) throws {
        self.target = target
        self.handle = try target.writeWithoutTransaction { db in
            let handle = sqlite3_backup_init(db.sqliteConnection, "main", source.sqliteConnection, "main")
            guard handle != nil else {
                throw DatabaseError(resultCode: ResultCode(rawValue: sqlite3_errcode(db.sqliteConnection)))
            }
            return handle
        }
    }

    /// Copies pages; true when the copy is complete.
    func step(_ pages: Int32) throws -> Bool {
        try self.target.writeWithoutTransaction { _ in
            let code = sqlite3_backup_step(self.handle, pages)
            switch code {
            case SQLITE_DONE: return true
            case SQLITE_OK, SQLITE_BUSY, SQLITE_LOCKED: return false
            default: throw DatabaseError(resultCode: ResultCode(rawValue: code))
            }
        }
    }

    var share: Double {
        let total = Double(max(sqlite3_backup_pagecount(self.handle), 1))
        return 1 - Double(sqlite3_backup_remaining(self.handle)) / total
    }

    func finish() {
        guard let handle else { return }
        // Its result repeats what the last step said.
        self.target.writeWithoutTransaction { _ in _ = sqlite3_backup_finish(handle) }
        self.handle = nil
    }
}

extension SeriesStore {
    /// The names of the schema's steps, oldest first.
    package static var schema: [String] { Schema.migrator.migrations }
}
