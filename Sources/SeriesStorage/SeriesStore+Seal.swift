// poyang
// SPDX-License-Identifier: Apache-2.0

import GRDB
import Synchronization
package import Telemetry

extension SeriesStore {
    /// Writes what was applied into chunks and trims the journal, if it has become long enough.
    ///
    /// The processor's thread. Some transactions with a few hundred series each, so that commits in between wait only
    /// shortly; the last one trims. A crash between them is harmless: each chunk row knows the position it covers.
    ///
    /// - Parameters:
    ///   - processed: The position that is saved in `catalog.db`. Sealing past it would hide readings from the
    ///     rules after a crash, so nothing happens while applied entries are beyond it: save the position first.
    ///   - force: Do it although the journal is short (before a backup, at the end of the process).
    /// - Returns: Whether anything was sealed.
    /// - Throws: ``StorageError``; what was sealed until then stays sealed, and the next call goes on.
    @discardableResult
    package func seal(through processed: JournalPosition, force: Bool = false) throws -> Bool {
        do {
            let sealed = try self.applying.withLock { state -> Bool in
                guard state.applied <= processed, force || self.isSealingDue else { return false }
                let revisions = state.revisions
                if !revisions.isEmpty { try self.pool.write { db in try Revision.write(revisions, to: db) } }
                state.revisions = []
                try self.sealHeads(at: state.applied)
                try self.trimJournal(through: state.applied)
                return true
            }
            if sealed { try self.checkpoint() }
            return sealed
        } catch {
            throw StorageError(error, path: self.path)
        }
    }

    /// Copies the WAL into the database file, beside running commits; at the end in a pause between two of them, so that
    /// the next one starts the WAL afresh.
    package func checkpoint() throws {
        do {
            try self.checkpointPassively()
            try self.writing.withLock { _ in try self.checkpointPassively() }
        } catch {
            throw StorageError(error, path: self.path)
        }
    }

    /// The last resort against a WAL without bound, on the committing thread: a failure is the next one's to report.
    func boundWAL(at position: JournalPosition) {
        guard position.rawValue % 256 == 0, SeriesStore.fileSize(self.path + "-wal") > self.limits.walBytes else {
            return
        }
        try? self.checkpointPassively()
    }

    private func checkpointPassively() throws {
        try self.checkpointer.writeWithoutTransaction { db in _ = try db.checkpoint(.passive) }
    }

    private var isSealingDue: Bool {
        self.journalSize.withLock { size in
            size.readings >= self.limits.journalReadings || size.bytes >= self.limits.journalBytes
        }
    }

    /// What becomes of the open samples of one series.
    private struct Plan {
        let series: SeriesID
        let closed: [ChunkRow]
        let open: ChunkRow?
        let oldOpenRow: Int64?
    }

    private func sealHeads(at position: JournalPosition) throws {
        let dirty = self.memory.withLock { memory in
            memory.heads.indices.filter { memory.heads[$0].isDirty }.map { SeriesID(rawValue: UInt32($0 + 1)) }
        }
        var start = 0
        while start < dirty.count {
            let end = min(start + self.limits.seriesPerTransaction, dirty.count)
            let plans = dirty[start..<end].map { self.plan($0, at: position) }
            let rows = try self.pool.write { db in
                try plans.map { plan -> (closed: [ChunkSummary], open: Int64?) in
                    if let row = plan.oldOpenRow {
                        try db.cachedStatement(sql: "DELETE FROM chunk WHERE id = ?").execute(arguments: [row])
                    }
                    let closed = try plan.closed.map { try $0.insert(into: db) }
                    return (closed, try plan.open?.insert(into: db).id)
                }
            }
            self.memory.withLock { memory in
                for (plan, row) in zip(plans, rows) {
                    memory[plan.series]
                        .seal(
                            closed: row.closed,
                            openRow: row.open,
                            at: position,
                            residents: self.limits.residentSamples
                        )
                }
            }
            start = end
        }
    }

    /// Full chunks are closed, the rest stays open; samples that supersede others never stay open, so that an open
    /// row holds none.
    private func plan(_ series: SeriesID, at position: JournalPosition) -> Plan {
        let (open, superseding, oldRow) = self.memory.withLock { memory in
            (memory[series].open, memory[series].superseding, memory[series].openChunk)
        }
        var closed: [ChunkRow] = []
        var start = 0
        var notFresh = superseding
        while start < open.count, open.count - start >= self.limits.chunkSamples || superseding > 0 {
            let part = open.slice(start, min(start + self.limits.chunkSamples, open.count))
            // The statistics of the series need the sum only, so the first chunk bears what all of them supersede.
            let row = ChunkRow(part, series: series, position: position, fresh: part.count - notFresh)
            notFresh = 0
            if let row { closed.append(row) }
            start += part.count
        }
        let rest = open.slice(start, open.count)
        let openRow = ChunkRow(rest, series: series, position: position, fresh: rest.count, isOpen: true)
        return Plan(series: series, closed: closed, open: openRow, oldOpenRow: oldRow)
    }

    private func trimJournal(through position: JournalPosition) throws {
        let trimmed = try self.pool.write { db -> (entries: Int, readings: Int, bytes: Int) in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT COUNT(*), COALESCE(SUM(readings), 0), COALESCE(SUM(LENGTH(data)), 0)
                    FROM journal WHERE position <= ?
                    """,
                arguments: [position.rawValue]
            )
            try db.execute(sql: "DELETE FROM journal WHERE position <= ?", arguments: [position.rawValue])
            try db.execute(
                sql: """
                    INSERT INTO state (name, value) VALUES ('sealed_through', ?)
                    ON CONFLICT (name) DO UPDATE SET value = excluded.value
                    """,
                arguments: [position.rawValue]
            )
            try JournalTable.pruneDeliveries(db, keeping: self.limits.deliveries)
            return (row?[0] ?? 0, row?[1] ?? 0, row?[2] ?? 0)
        }
        self.journalSize.withLock { size in
            size.entries -= trimmed.entries
            size.readings -= trimmed.readings
            size.bytes -= trimmed.bytes
        }
    }
}

extension Columns {
    /// The samples with these indices.
    func slice(_ start: Int, _ end: Int) -> Columns {
        var result = Columns()
        result.times = Array(self.times[start..<end])
        result.values = Array(self.values[start..<end])
        result.marks = Array(self.marks[start..<end])
        return result
    }
}
