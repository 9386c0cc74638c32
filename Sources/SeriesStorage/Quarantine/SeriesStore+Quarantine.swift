// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
package import Telemetry

/// One refused payload as the store keeps it.
package struct QuarantineEntry: Hashable, Sendable {
    /// Rising with time; what `poyang quarantine show` takes.
    package let id: Int64
    /// The journal entry whose values were stored beside it.
    package let position: JournalPosition
    package let payload: QuarantinedPayload
}

/// Totals since the database was made; they outlive the rings.
package struct QuarantineCounts: Hashable, Sendable {
    package var payloads = 0
    /// Payloads that are counted but no longer kept.
    package var dropped = 0
    /// Refused values by reason.
    package var values: [QuarantineReason: Int] = [:]

    package init() {}
}

extension SeriesStore {
    /// The newest refused payloads, newest first.
    package func quarantine(limit: Int, device: String? = nil) throws -> [QuarantineEntry] {
        let condition = device == nil ? "" : "WHERE device = ?"
        return try self.quarantine(
            "\(condition) ORDER BY id DESC LIMIT ?",
            arguments: StatementArguments(device.map { [$0] } ?? []) + [limit]
        )
    }

    /// Refused values of a device by reason, of the payloads that are still kept.
    package func refusedValues(of device: String) throws -> [QuarantineReason: Int] {
        do {
            return try self.pool.read { db in
                var counts: [QuarantineReason: Int] = [:]
                let rows = try Row.fetchCursor(
                    db,
                    sql: "SELECT refusals FROM quarantine WHERE device = ?",
                    arguments: [device]
                )
                while let row = try rows.next() {
                    let refusals: Data = row[0]
                    for refusal in try RefusalCodec.decode(refusals.array) where refusal.values > 0 {
                        counts[refusal.reason, default: 0] += refusal.values
                    }
                }
                return counts
            }
        } catch {
            throw StorageError(error, path: self.path)
        }
    }

    package func quarantineEntry(_ id: Int64) throws -> QuarantineEntry? {
        try self.quarantine("WHERE id = ?", arguments: [id]).first
    }

    package func quarantineCounts() throws -> QuarantineCounts {
        do {
            let rows = try self.pool.read { db in try Row.fetchAll(db, sql: "SELECT name, value FROM counter") }
            var counts = QuarantineCounts()
            for row in rows {
                let name: String = row[0]
                let value: Int = row[1]
                switch name {
                case "quarantine.payloads": counts.payloads = value
                case "quarantine.dropped": counts.dropped = value
                default:
                    let reason = name.split(separator: ".").last.flatMap { QuarantineReason(rawValue: String($0)) }
                    if let reason { counts.values[reason] = value }
                }
            }
            return counts
        } catch {
            throw StorageError(error, path: self.path)
        }
    }

    private func quarantine(_ clauses: String, arguments: StatementArguments) throws -> [QuarantineEntry] {
        let sql = """
            SELECT id, position, received_at, topic, device, length, sha256, refusals, payload FROM quarantine
            """
        do {
            return try self.pool.read { db in
                try Row.fetchAll(db, sql: "\(sql) \(clauses)", arguments: arguments)
                    .map { row in
                        let refusals: Data = row[7]
                        let payload: Data = row[8]
                        return QuarantineEntry(
                            id: row[0],
                            position: JournalPosition(rawValue: row[1]),
                            payload: QuarantinedPayload(
                                topic: row[3],
                                device: row[4],
                                receivedAt: Timestamp(milliseconds: row[2]),
                                payload: payload.array,
                                length: row[5],
                                sha256: row[6],
                                refusals: try RefusalCodec.decode(refusals.array)
                            )
                        )
                    }
            }
        } catch {
            throw StorageError(error, path: self.path)
        }
    }
}
