// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Telemetry

/// What a commit needs and changes.
struct WriteState {
    /// The position that the next row gets.
    var next: Int64
    var quarantine = QuarantineRings()
}

/// What the processor needs and changes.
struct ApplyState {
    var applied: JournalPosition
    /// Not on disk yet; a restart finds them again in the journal.
    var revisions: [Revision] = []
    /// The number that the next segment gets.
    var nextGeneration: Int64 = 1
}

/// What merging has found out.
struct MergeState {
    /// Shards that cannot be merged until the file is repaired.
    var damagedShards: Set<Int> = []
}

/// How long the journal is.
struct JournalSize {
    var entries = 0
    var readings = 0
    var bytes = 0
}

/// Builds the memory of a store from its file.
struct StoreLoader {
    private(set) var writing = WriteState(next: 1)
    private(set) var applying: ApplyState
    private(set) var assigning = TimeAssignment()
    private(set) var memory: SeriesMemory
    private(set) var journalSize = JournalSize()
    /// As ``SeriesStore/lostBatches``.
    private(set) var lostBatches = 0

    static func load(
        from pool: DatabasePool,
        _ blockFile: BlockFile,
        _ limits: SeriesStore.Limits,
        processed: JournalPosition
    ) throws -> StoreLoader {
        let seriesPerShard = try self.prepare(pool, limits)
        var loader = StoreLoader(
            applying: ApplyState(applied: processed),
            memory: SeriesMemory(index: LabelIndex(), seriesPerShard: seriesPerShard)
        )
        try pool.read { db in
            try loader.checkPosition(db, processed)
            try loader.loadSeries(db)
            try loader.loadBlocks(db)
            loader.writing.quarantine = try QuarantineRings(loading: db)
        }
        try loader.loadJournal(pool, blockFile, processed)
        return loader
    }

    private init(applying: ApplyState, memory: SeriesMemory) {
        self.applying = applying
        self.memory = memory
    }

    /// Fixes the size of shards at the first opening and removes blocks that were replaced when the last process ended.
    private static func prepare(_ pool: DatabasePool, _ limits: SeriesStore.Limits) throws -> Int {
        let (size, retired) = try pool.read { db in
            (
                try Int.fetchOne(db, sql: "SELECT value FROM state WHERE name = 'series_per_shard'"),
                try BlockTable.retired(db)
            )
        }
        if size == nil || !retired.isEmpty {
            try pool.write { db in
                try db.execute(
                    sql: "INSERT OR IGNORE INTO state (name, value) VALUES ('series_per_shard', ?)",
                    arguments: [limits.seriesPerShard]
                )
                try BlockTable.remove(db, retired: retired)
            }
        }
        return size ?? limits.seriesPerShard
    }

    private mutating func checkPosition(_ db: Database, _ processed: JournalPosition) throws {
        let sealed = try Int64.fetchOne(db, sql: "SELECT value FROM state WHERE name = 'sealed_through'") ?? 0
        let newest = try Int64.fetchOne(db, sql: "SELECT MAX(position) FROM journal") ?? 0
        guard processed.rawValue >= sealed else {
            throw StorageError(
                code: .positionMismatch,
                message: "samples.db is ahead of catalog.db: its journal is sealed through \(sealed), the rules have "
                    + "processed \(processed.rawValue); restore both files from the same backup"
            )
        }
        self.lostBatches = Int(max(0, processed.rawValue - max(sealed, newest)))
        self.writing.next = max(sealed, newest, processed.rawValue) + 1
    }

    private mutating func loadSeries(_ db: Database) throws {
        let rows = try Row.fetchCursor(db, sql: "SELECT id, labels FROM series ORDER BY id")
        while let row = try rows.next() {
            let id: Int64 = row[0]
            let added = try row.withUnsafeData(atIndex: 1) { labels in
                try self.memory.index.insert(packed: LabelsCodec.packed(inRow: [UInt8](labels ?? Data())))
            }
            guard Int64(added.rawValue) == id else {
                throw DamagedBytes(message: "(series \(id)) does not follow the series before it", offset: 0)
            }
            self.memory.reserve(added)
        }
        self.memory.savedSeries = self.memory.count
    }

    private mutating func loadBlocks(_ db: Database) throws {
        try BlockTable.forEachSegment(db) { shard, segment in
            guard self.memory.shards.indices.contains(shard) else {
                throw DamagedBytes(message: "(a block of shard \(shard)) belongs to no series", offset: 0)
            }
            self.memory[shard: shard].segments.append(segment)
            self.memory.noteTime(segment.lastTime)
            self.applying.nextGeneration = max(self.applying.nextGeneration, segment.generation + 1)
            for block in segment.blocks {
                guard block.firstSeries.rawValue > 0, Int(block.lastSeries.rawValue) <= self.memory.count,
                    self.memory.shardIndex(of: block.firstSeries) == shard,
                    self.memory.shardIndex(of: block.lastSeries) == shard, block.firstSeries <= block.lastSeries
                else { throw DamagedBytes(message: "(block \(block.id)) belongs to no series", offset: 0) }
                for number in block.firstSeries.rawValue...block.lastSeries.rawValue {
                    self.memory[SeriesID(rawValue: number)].noteBlocks(through: block.lastTime)
                }
            }
        }
        let sealed = try Int64.fetchOne(db, sql: "SELECT value FROM state WHERE name = 'sealed_through'") ?? 0
        for shard in self.memory.shards.indices {
            self.memory[shard: shard].sealedThrough = JournalPosition(rawValue: sealed)
        }
        let rows = try Row.fetchCursor(db, sql: "SELECT id, sealed_through FROM shard")
        while let row = try rows.next() {
            let shard: Int = row[0]
            guard self.memory.shards.indices.contains(shard) else { continue }
            let position = JournalPosition(rawValue: max(sealed, row[1]))
            self.memory[shard: shard].sealedThrough = position
        }
        self.memory.samples = try Int.fetchOne(db, sql: "SELECT value FROM state WHERE name = 'samples'") ?? 0
    }

    /// Applies what was processed and takes note of the times of what was not.
    private mutating func loadJournal(
        _ pool: DatabasePool,
        _ blockFile: BlockFile,
        _ processed: JournalPosition
    ) throws {
        var after = JournalPosition.start
        while true {
            let entries = try pool.read { db in try JournalTable.entries(db, after: after, limit: 256) }
            guard let last = entries.last else { break }
            after = last.entry.position
            for (entry, bytes) in entries {
                self.journalSize.entries += 1
                self.journalSize.bytes += bytes
                switch entry.content {
                case .readings(let readings):
                    self.journalSize.readings += readings.count
                    if entry.position <= processed {
                        try self.apply(readings, at: entry.position, blockFile)
                    } else {
                        for reading in readings {
                            let newest = self.memory[reading.series].newestBound
                            self.assigning.take(reading.sample.time, in: reading.series, newest: newest)
                        }
                    }
                case .removal(let series, let from, let through):
                    // What blocks held was removed before the position was saved.
                    guard entry.position <= processed, from <= through else { continue }
                    for id in series where entry.position > self.memory[shardOf: id].sealedThrough {
                        self.memory.samples -= self.memory[id]
                            .remove(from...through) { _ in false }
                    }
                case .clockAdvance, .invalidation: break
                }
            }
        }
    }

    private mutating func apply(
        _ readings: [JournalReading],
        at position: JournalPosition,
        _ blockFile: BlockFile
    ) throws {
        for reading in readings where Int(reading.series.rawValue) > self.memory.count || reading.series.rawValue == 0 {
            throw DamagedBytes(message: "(entry \(position.rawValue)) names an unknown series", offset: 0)
        }
        let places = EntryApplication.placesToAsk(readings, self.memory)
        let older = try EntryApplication.older(readings, at: places, in: blockFile)
        let outcome = EntryApplication.apply(readings, at: position, to: &self.memory, older: older)
        self.applying.revisions += outcome.revisions
    }
}
