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
    private(set) var memory = SeriesMemory()
    private(set) var journalSize = JournalSize()

    static func load(
        from pool: DatabasePool,
        chunkFile: ChunkFile,
        processed: JournalPosition
    ) throws -> StoreLoader {
        var loader = StoreLoader(applying: ApplyState(applied: processed))
        try pool.read { db in
            try loader.checkPosition(db, processed)
            try loader.loadSeries(db)
            try loader.loadChunks(db)
            loader.writing.quarantine = try QuarantineRings(loading: db)
        }
        try loader.loadJournal(pool, chunkFile, processed)
        return loader
    }

    private init(applying: ApplyState) {
        self.applying = applying
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
        self.writing.next = max(sealed, newest, processed.rawValue) + 1
    }

    private mutating func loadSeries(_ db: Database) throws {
        let rows = try Row.fetchCursor(db, sql: "SELECT id, labels FROM series ORDER BY id")
        while let row = try rows.next() {
            let id: Int64 = row[0]
            let labels: Data = row[1]
            let key = SeriesKey(labels: try LabelsCodec.decode(labels.bytes))
            guard Int64(self.memory.index.nextID.rawValue) == id else {
                throw DamagedBytes(message: "(series \(id)) does not follow the series before it", offset: 0)
            }
            self.assigning.remember(key, as: self.memory.insert(key))
        }
        self.memory.savedSeries = self.memory.index.count
    }

    private mutating func loadChunks(_ db: Database) throws {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT id, series, is_open, is_import, position, first_time, last_time, count, fresh,
                    CASE WHEN is_open THEN data END FROM chunk ORDER BY id
                """
        )
        while let row = try rows.next() {
            let id: Int64 = row[0]
            let series = SeriesID(rawValue: row[1])
            guard self.memory.index.key(of: series) != nil else {
                throw DamagedBytes(message: "(chunk \(id)) belongs to no series", offset: 0)
            }
            let summary = ChunkSummary(
                id: id,
                position: JournalPosition(rawValue: row[4]),
                first: Timestamp(milliseconds: row[5]),
                last: Timestamp(milliseconds: row[6]),
                count: row[7]
            )
            self.memory.samples += row[8]
            self.memory.noteTime(summary.last)
            self.assigning.note(summary.last, in: series)
            if let open: Data = row[9] {
                self.memory[series]
                    .loadOpen(
                        try ChunkCodec.decode(open.bytes),
                        row: id,
                        position: summary.position
                    )
            } else {
                self.memory[series].load(summary, isImport: row[3])
            }
        }
    }

    /// Applies what was processed and takes note of the times of what was not.
    private mutating func loadJournal(
        _ pool: DatabasePool,
        _ chunkFile: ChunkFile,
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
                guard case .readings(let readings) = entry.content else { continue }
                self.journalSize.readings += readings.count
                if entry.position <= processed {
                    let outcome = try EntryApplication.apply(
                        readings,
                        at: entry.position,
                        to: &self.memory,
                        chunkFile: chunkFile
                    )
                    self.applying.revisions += outcome.revisions
                    for reading in readings { self.assigning.note(reading.sample.time, in: reading.series) }
                } else {
                    for reading in readings { self.assigning.take(reading.sample.time, in: reading.series) }
                }
            }
        }
    }
}
