// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Telemetry

/// The statements of the tables `journal` and `delivery`.
enum JournalTable {
    static func insert(_ db: Database, _ entry: JournalEntry, _ data: Data) throws {
        var readings = 0
        if case .readings(let list) = entry.content { readings = list.count }
        try db.cachedStatement(sql: "INSERT INTO journal (position, readings, data) VALUES (?, ?, ?)")
            .execute(arguments: [entry.position.rawValue, readings, data])
    }

    /// The entries after a position in order, each with the size of its blob.
    static func entries(
        _ db: Database,
        after: JournalPosition,
        limit: Int
    ) throws -> [(entry: JournalEntry, bytes: Int)] {
        let rows = try Row.fetchCursor(
            db.cachedStatement(sql: "SELECT position, data FROM journal WHERE position > ? ORDER BY position LIMIT ?"),
            arguments: [after.rawValue, limit]
        )
        var result: [(entry: JournalEntry, bytes: Int)] = []
        while let row = try rows.next() {
            let data: Data = row[1]
            let entry = try JournalCodec.decode(data.array, at: JournalPosition(rawValue: row[0]))
            result.append((entry, data.count))
        }
        return result
    }

    static func insert(_ db: Database, _ deliveries: [Delivery], at position: JournalPosition) throws {
        guard !deliveries.isEmpty else { return }
        var writer = ByteWriter(capacity: deliveries.count * 10)
        writer.appendUnchecked(atMost: deliveries.count * 10) { cursor in
            for delivery in deliveries {
                cursor.fixed(delivery.packetID)
                cursor.fixed(delivery.hash)
            }
        }
        try db.cachedStatement(sql: "INSERT INTO delivery (position, count, data) VALUES (?, ?, ?)")
            .execute(arguments: [position.rawValue, deliveries.count, Data(writer.bytes)])
    }

    /// The newest deliveries, oldest first.
    static func deliveries(_ db: Database, limit: Int) throws -> [Delivery] {
        var batches: [[Delivery]] = []
        var count = 0
        let rows = try Data.fetchCursor(db, sql: "SELECT data FROM delivery ORDER BY position DESC")
        while count < limit, let data = try rows.next() {
            var reader = ByteReader(data.array)
            var batch: [Delivery] = []
            while reader.remaining > 0 {
                let packetID = try reader.fixed16()
                batch.append(Delivery(packetID: packetID, hash: try reader.fixed64()))
            }
            count += batch.count
            batches.append(batch)
        }
        return Array(batches.reversed().joined().suffix(limit))
    }

    /// Removes the oldest rows while the newer ones hold `keeping` deliveries.
    static func pruneDeliveries(_ db: Database, keeping: Int) throws {
        try db.execute(
            sql: """
                DELETE FROM delivery WHERE position <= (
                    SELECT MAX(position) FROM (
                        SELECT position, SUM(count) OVER (ORDER BY position DESC) - count AS newer FROM delivery)
                    WHERE newer >= ?)
                """,
            arguments: [keeping]
        )
    }
}
