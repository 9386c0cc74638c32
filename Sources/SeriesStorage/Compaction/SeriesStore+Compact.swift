// poyang
// SPDX-License-Identifier: Apache-2.0

import GRDB
import Synchronization
import Telemetry

extension SeriesStore {
    /// Merges neighbouring small segments of one shard into a large one, if any shard has enough of them.
    ///
    /// Any thread but the committing one; commits and readers go on meanwhile.
    ///
    /// - Returns: Whether something was merged, so that another call may find more.
    /// - Throws: ``StorageError``; then nothing was merged.
    @discardableResult
    package func compactOnce() throws -> Bool {
        guard !self.isMaintenancePaused else { return false }
        do {
            return try self.merging.withLock { _ in
                try self.removeUnread()
                let plan = self.memory.withLock { memory -> (Int, [Segment])? in
                    for shard in memory.shards.indices {
                        let run = CompactionPlan(self.limits).due(in: memory[shard: shard])
                        if let run { return (shard, run) }
                    }
                    return nil
                }
                guard let (shard, segments) = plan else { return false }
                try self.merge(segments, of: shard)
                return true
            }
        } catch {
            throw StorageError(error, path: self.path)
        }
    }

    /// Merges until no series has neighbouring chunks that would fit into one, and gives free space back to the disk.
    ///
    /// - Parameter progress: Called with the share that is done, 0 to 1.
    /// - Throws: ``StorageError``; what was merged until then stays merged.
    package func compact(progress: (Double) -> Void = { _ in }) throws {
        do {
            let shards = self.memory.withLock { $0.shards.indices }
            for shard in shards {
                progress(Double(shard) / Double(max(shards.count, 1)))
                try self.merging.withLock { _ in
                    let runs = self.memory.withLock { CompactionPlan(self.limits).all(in: $0[shard: shard]) }
                    for run in runs { try self.merge(run, of: shard) }
                    try self.removeUnread()
                }
            }
            try self.giveBackFreePages()
            try self.writing.withLock { _ in
                try self.checkpointer.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
            }
            progress(1)
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
            // A reader holds the WAL; the next checkpoint shortens it.
            progress(1)
        } catch {
            throw StorageError(error, path: self.path)
        }
    }

    private func merge(_ segments: [Segment], of shard: Int) throws {
        var rewriting = Rewriting(shard: shard)
        rewriting.replacements = [try self.rewrite(segments)]
        try self.putInForce(rewriting)
    }

    /// Shortens the file by the pages that nothing uses, if they are more than a fiftieth of it; some at a time, so that
    /// commits go on in between.
    private func giveBackFreePages() throws {
        while true {
            let free = try self.pool.writeWithoutTransaction { db -> Int in
                let free = try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
                let all = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
                guard free * 50 > all else { return 0 }
                // The pragma frees a page per step, so all of its rows are asked for.
                let rows = try Row.fetchCursor(db, sql: "PRAGMA incremental_vacuum(1024)")
                while try rows.next() != nil {}
                return try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
            }
            guard free > 0 else { return }
        }
    }
}

/// Which segments of a shard are worth merging.
///
/// A segment is full when its chunks hold half of what a chunk may hold on average. Segments that are not full and
/// follow each other are merged by tiers: ``SeriesStore/Limits/mergeFactor`` of one tier become one of the next, so that
/// each sample is written a logarithmic number of times. A segment beyond what its shard is sealed through stays alone: the
/// journal decides by its position which readings it supersedes.
struct CompactionPlan {
    private let limits: SeriesStore.Limits

    init(_ limits: SeriesStore.Limits) { self.limits = limits }

    /// The first run whose merge is due.
    func due(in shard: borrowing Shard) -> [Segment]? {
        let factor = max(2, self.limits.mergeFactor)
        for run in self.runs(in: shard) {
            if run.count >= 4 * factor { return run }
            var start = 0
            for index in run.indices {
                if self.tier(of: run[index]) != self.tier(of: run[start]) { start = index }
                if index - start + 1 >= factor { return Array(run[start...index]) }
            }
        }
        return nil
    }

    /// All runs that hold a series twice.
    func all(in shard: borrowing Shard) -> [[Segment]] {
        self.runs(in: shard).filter { $0.count > 1 && self.overlap($0) }
    }

    /// Neighbours that are not full and may be merged.
    private func runs(in shard: borrowing Shard) -> [[Segment]] {
        let sealed = shard.sealedThrough
        return shard.segments
            .split { $0.position > sealed || self.isFull($0) }
            .map(Array.init)
    }

    private func isFull(_ segment: Segment) -> Bool {
        segment.samples * 2 >= segment.chunks * min(self.limits.chunkSamples, ChunkCodec.largest)
    }

    private func tier(of segment: Segment) -> Int {
        var samples = segment.samples / max(segment.chunks, 1)
        var tier = 0
        while samples >= 16 {
            samples /= max(2, self.limits.mergeFactor)
            tier += 1
        }
        return tier
    }

    private func overlap(_ segments: [Segment]) -> Bool {
        let ranges = segments.flatMap { $0.blocks.map { ($0.firstSeries, $0.lastSeries) } }.sorted { $0 < $1 }
        var end = SeriesID(rawValue: 0)
        for (first, last) in ranges {
            if first <= end { return true }
            end = max(end, last)
        }
        return false
    }
}
