// poyang
// SPDX-License-Identifier: Apache-2.0

import GRDB
import Synchronization
import Telemetry

/// Segments that take the place of others: written in several transactions, in force with the last one.
struct Rewriting {
    struct Replacement {
        /// Of one shard, next to each other in order of generation.
        let old: [Segment]
        /// Nil where nothing is left.
        let new: Segment?
    }

    let shard: Int
    var replacements: [Replacement] = []
    /// Blocks that are new, for thinned samples.
    var additions: [SealedBlock] = []
    /// Of the segment that they become.
    var generation: Int64 = 0
    var position = JournalPosition.start
    /// Distinct points that go, less those that are new.
    var removed = 0
}

extension SeriesStore {
    /// Writes what segments become, which counts for nobody until ``putInForce(_:)``.
    ///
    /// Only under the lock `merging`.
    func rewrite(_ segments: [Segment], removal: SpanRemoval? = nil) throws -> Rewriting.Replacement {
        guard let last = segments.last else { return Rewriting.Replacement(old: [], new: nil) }
        var merge = SegmentMerge(segments, in: self.blockFile, limits: self.limits, removal: removal)
        var waiting: [SealedBlock] = []
        var summaries: [BlockSummary] = []
        func write() throws {
            guard !waiting.isEmpty else { return }
            summaries += try self.pool.write { db in
                try waiting.map { block in
                    let id = try BlockTable.insertBytes(db, block.bytes)
                    try BlockTable.markRetired(db, id)
                    return BlockSummary(id: id, block)
                }
            }
            waiting.removeAll()
        }
        do {
            try merge.run { blocks in
                waiting += blocks
                if waiting.reduce(0, { $0 + $1.bytes.count }) >= self.limits.transactionBytes { try write() }
            }
            try write()
        } catch {
            // What was written is in no block; the rows go now, or at the next opening.
            let ids = summaries.map(\.id)
            try? self.pool.write { db in try BlockTable.remove(db, retired: ids) }
            throw error
        }
        guard !summaries.isEmpty else { return Rewriting.Replacement(old: segments, new: nil) }
        let position = segments.map(\.position).max() ?? last.position
        return Rewriting.Replacement(
            old: segments,
            new: Segment(generation: last.generation, position: position, blocks: summaries)
        )
    }

    /// Makes a rewriting count, on disk in one transaction and for readers at one moment, together with what `alongside`
    /// changes in the heads.
    func putInForce(_ rewriting: Rewriting, alongside: (inout SeriesMemory) -> Void = { _ in }) throws {
        guard !rewriting.replacements.isEmpty || !rewriting.additions.isEmpty else {
            self.memory.withLock { alongside(&$0) }
            return
        }
        let oldBlocks = rewriting.replacements.flatMap { $0.old.flatMap { $0.blocks.map(\.id) } }
        let added = try self.pool.write { db -> Segment? in
            for replacement in rewriting.replacements {
                guard let new = replacement.new else { continue }
                for block in new.blocks {
                    try BlockTable.unmarkRetired(db, block.id)
                    try BlockTable.insert(
                        db,
                        block,
                        shard: rewriting.shard,
                        generation: new.generation,
                        position: new.position
                    )
                }
            }
            try BlockTable.retire(db, oldBlocks)
            if rewriting.removed != 0 { try BlockTable.countSamples(db, -rewriting.removed) }
            guard !rewriting.additions.isEmpty else { return nil }
            return try self.insert(
                rewriting.additions,
                db,
                shard: rewriting.shard,
                rewriting.generation,
                rewriting.position
            )
        }
        self.memory.withLock { memory in
            let gone = Set(rewriting.replacements.flatMap { $0.old.map(\.generation) })
            var segments = memory[shard: rewriting.shard].segments.filter { !gone.contains($0.generation) }
            segments += rewriting.replacements.compactMap(\.new)
            if let added { segments.append(added) }
            segments.sort { $0.generation < $1.generation }
            memory[shard: rewriting.shard].segments = segments
            memory.samples -= rewriting.removed
            self.blockFile.retire(oldBlocks)
            alongside(&memory)
        }
    }

    /// Removes replaced blocks that nobody reads any more from the disk.
    func removeUnread() throws {
        let ids = self.blockFile.takeUnread()
        var start = 0
        while start < ids.count {
            let end = min(start + 256, ids.count)
            let part = Array(ids[start..<end])
            try self.pool.write { db in try BlockTable.remove(db, retired: part) }
            start = end
        }
    }
}
