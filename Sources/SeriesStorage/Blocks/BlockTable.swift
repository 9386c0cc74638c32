// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Telemetry

/// The statements of the tables `block`, `block_data`, `retired` and `shard`.
enum BlockTable {
    /// Writes the bytes of a block and returns their row.
    static func insertBytes(_ db: Database, _ bytes: [UInt8]) throws -> Int64 {
        try db.cachedStatement(sql: "INSERT INTO block_data (data) VALUES (?)").execute(arguments: [Data(bytes)])
        return db.lastInsertedRowID
    }

    /// Names a block, so that it counts from now on.
    static func insert(
        _ db: Database,
        _ block: BlockSummary,
        shard: Int,
        generation: Int64,
        position: JournalPosition
    ) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO block (id, shard, generation, position, first_series, last_series, first_time, last_time,
                    chunks, samples, bytes)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        )
        try statement.execute(arguments: [
            block.id, shard, generation, position.rawValue, Int64(block.firstSeries.rawValue),
            Int64(block.lastSeries.rawValue), block.firstTime.milliseconds, block.lastTime.milliseconds, block.chunks,
            block.samples, block.bytes,
        ])
    }

    /// Blocks that count no more; their bytes stay until ``remove(_:retired:)``.
    static func retire(_ db: Database, _ blocks: [Int64]) throws {
        for id in blocks {
            try db.cachedStatement(sql: "DELETE FROM block WHERE id = ?").execute(arguments: [id])
            try self.markRetired(db, id)
        }
    }

    static func markRetired(_ db: Database, _ id: Int64) throws {
        try db.cachedStatement(sql: "INSERT INTO retired (id) VALUES (?)").execute(arguments: [id])
    }

    /// Bytes that no block named become those of a block.
    static func unmarkRetired(_ db: Database, _ id: Int64) throws {
        try db.cachedStatement(sql: "DELETE FROM retired WHERE id = ?").execute(arguments: [id])
    }

    static func remove(_ db: Database, retired ids: [Int64]) throws {
        for id in ids {
            try db.cachedStatement(sql: "DELETE FROM block_data WHERE id = ?").execute(arguments: [id])
            try db.cachedStatement(sql: "DELETE FROM retired WHERE id = ?").execute(arguments: [id])
        }
    }

    static func retired(_ db: Database) throws -> [Int64] {
        try Int64.fetchAll(db, sql: "SELECT id FROM retired ORDER BY id")
    }

    static func noteSealed(_ db: Database, shard: Int, through position: JournalPosition) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO shard (id, sealed_through) VALUES (?, ?)
                ON CONFLICT (id) DO UPDATE SET sealed_through = excluded.sealed_through
                """
        )
        .execute(arguments: [shard, position.rawValue])
    }

    /// Changes the number of distinct points in the blocks.
    static func countSamples(_ db: Database, _ change: Int) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO state (name, value) VALUES ('samples', ?)
                ON CONFLICT (name) DO UPDATE SET value = value + excluded.value
                """
        )
        .execute(arguments: [change])
    }

    /// Calls `body` with all segments, in order of shard and generation.
    static func forEachSegment(_ db: Database, _ body: (_ shard: Int, _ segment: Segment) throws -> Void) throws {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT shard, generation, position, id, first_series, last_series, first_time, last_time, chunks,
                    samples, bytes
                FROM block ORDER BY shard, generation, first_series, last_series, id
                """
        )
        var current: (shard: Int, generation: Int64, position: Int64)?
        var blocks: [BlockSummary] = []
        func finish() throws {
            guard let current, !blocks.isEmpty else { return }
            let position = JournalPosition(rawValue: current.position)
            try body(current.shard, Segment(generation: current.generation, position: position, blocks: blocks))
            blocks.removeAll()
        }
        while let row = try rows.next() {
            let key: (shard: Int, generation: Int64, position: Int64) = (row[0], row[1], row[2])
            if let now = current, now.shard != key.shard || now.generation != key.generation { try finish() }
            // A merge keeps the latest position of what it merged.
            current = (key.shard, key.generation, max(key.position, blocks.isEmpty ? .min : current?.position ?? .min))
            blocks.append(
                BlockSummary(
                    id: row[3],
                    firstSeries: SeriesID(rawValue: row[4]),
                    lastSeries: SeriesID(rawValue: row[5]),
                    firstTime: Timestamp(milliseconds: row[6]),
                    lastTime: Timestamp(milliseconds: row[7]),
                    chunks: row[8],
                    samples: row[9],
                    bytes: row[10]
                )
            )
        }
        try finish()
    }
}
