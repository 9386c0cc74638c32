// poyang
// SPDX-License-Identifier: Apache-2.0

import GRDB
import Synchronization
package import Telemetry

extension SeriesStore {
    /// Writes what was applied into chunks and trims the journal, if it has become long enough.
    ///
    /// The processor's thread. A transaction per shard, so that commits in between wait only shortly; the last one trims.
    /// A crash between them is harmless: each shard knows the position that its blocks cover. What was written waits in the WAL for a
    /// ``checkpoint()``.
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
            return try self.applying.withLock { state -> Bool in
                guard state.applied <= processed, force || self.isSealingDue, !self.isMaintenancePaused else {
                    return false
                }
                let revisions = state.revisions
                if !revisions.isEmpty { try self.pool.write { db in try Revision.write(revisions, to: db) } }
                state.revisions = []
                try self.sealHeads(at: state.applied, &state)
                try self.trimJournal(through: state.applied)
                return true
            }
        } catch {
            throw StorageError(error, path: self.path)
        }
    }

    /// Whether the WAL has become long enough for a ``checkpoint()``.
    package var isCheckpointDue: Bool { self.walPages.bytes > self.limits.checkpointBytes }

    /// Copies the WAL into the database file, beside running commits; at the end in a pause between two of them, so that
    /// the next one starts the WAL afresh.
    package func checkpoint() throws {
        do {
            try self.checkpointPassively()
            try self.writing.withLock { _ in
                if try self.checkpointPassively() { self.walPages.noteEmpty() }
            }
        } catch {
            throw StorageError(error, path: self.path)
        }
    }

    /// Copies the WAL into the database file and empties it, as the last thing before the end; a reader that holds it
    /// leaves it as it is.
    package func truncateWAL() throws {
        do {
            try self.writing.withLock { _ in
                try self.checkpointer.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
            }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
            return
        } catch {
            throw StorageError(error, path: self.path)
        }
    }

    /// The last resort against a WAL without bound, on the committing thread: a failure is the next one's to report.
    func boundWAL(at position: JournalPosition) {
        guard position.rawValue % 256 == 0, self.walPages.bytes > self.limits.walBytes else { return }
        _ = try? self.checkpointPassively()
    }

    /// - Returns: Whether all of the WAL is in the database file now.
    @discardableResult
    private func checkpointPassively() throws -> Bool {
        try self.checkpointer.writeWithoutTransaction { db in
            let frames = try db.checkpoint(.passive)
            return frames.checkpointedFrameCount == frames.walFrameCount
        }
    }

    private var isSealingDue: Bool {
        self.journalSize.withLock { size in
            size.readings >= self.limits.journalReadings || size.bytes >= self.limits.journalBytes
        }
    }

    /// Writes what is open in blocks, a shard per transaction.
    private func sealHeads(at position: JournalPosition, _ state: inout ApplyState) throws {
        let dirty = self.memory.withLock { memory in
            memory.shards.indices.filter { shard in memory[shard: shard].heads.contains { $0.isDirty } }
        }
        let active = self.memory.withLock { memory in
            dirty.reduce(0) { $0 + memory[shard: $1].heads.count { $0.count > 0 } }
        }
        let residents = min(self.limits.residentSamples, self.limits.residentTotal / max(active, 1))
        for shard in dirty {
            let open = self.memory.withLock { memory in
                memory[shard: shard].heads.indices
                    .filter { memory[shard: shard].heads[$0].isDirty }
                    .map { head in
                        let series = memory[shard: shard].heads[head]
                        return (
                            id: memory.id(shard: shard, head: head), columns: series.open,
                            fresh: series.openCount - series.superseding
                        )
                    }
            }
            var writer = ChunkWriter(limits: self.limits, shardOf: { _ in shard })
            for series in open { writer.append(series.columns, of: series.id) }
            let blocks = writer.finish()
            let generation = state.nextGeneration
            state.nextGeneration += 1
            let segment = try self.pool.write { db in
                try BlockTable.countSamples(db, open.reduce(0) { $0 + $1.fresh })
                try BlockTable.noteSealed(db, shard: shard, through: position)
                return try self.insert(blocks.map(\.block), db, shard: shard, generation, position)
            }
            self.memory.withLock { memory in
                memory[shard: shard].segments.append(segment)
                memory[shard: shard].sealedThrough = position
                for head in memory[shard: shard].heads.indices {
                    memory[shard: shard].heads[head].seal(keeping: residents)
                }
            }
        }
        self.memory.withLock { memory in
            for shard in memory.shards.indices { memory[shard: shard].sealedThrough = position }
        }
        self.assigning.withLock { $0.forgetIdle() }
    }

    /// Writes blocks that count at once.
    func insert(
        _ blocks: [SealedBlock],
        _ db: Database,
        shard: Int,
        _ generation: Int64,
        _ position: JournalPosition
    ) throws -> Segment {
        let summaries = try blocks.map { block in
            let summary = BlockSummary(id: try BlockTable.insertBytes(db, block.bytes), block)
            try BlockTable.insert(db, summary, shard: shard, generation: generation, position: position)
            return summary
        }
        return Segment(generation: generation, position: position, blocks: summaries)
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
