// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Telemetry

/// Checks the tables beside the journal and the blocks.
struct SmallTables {
    let seriesCount: Int
    private(set) var quarantined = 0
    private(set) var revisions = 0
    private(set) var deliveries = 0
    private(set) var damages: [Damage] = []

    init(seriesCount: Int) { self.seriesCount = seriesCount }

    mutating func check(_ db: Database) throws {
        for id in try self.keys(db, RowScan(table: "quarantine"), .quarantine) {
            do {
                let row = try Row.fetchOne(db, sql: "SELECT * FROM quarantine WHERE id = ?", arguments: [id])
                guard let refusals = Data.fromDatabaseValue(row?["refusals"] ?? .null) else {
                    throw DamagedBytes(message: "has no refusals", offset: 0)
                }
                _ = try RefusalCodec.decode(refusals.array)
                self.quarantined += 1
            } catch {
                self.damages.append(
                    Damage(.quarantine, "quarantined payload \(id) \(try String(describingUnreadable: error))")
                )
            }
        }
        for position in try self.keys(db, RowScan(table: "delivery", key: "position"), .delivery) {
            do { self.deliveries += try SmallTables.deliveries(db, position) } catch {
                self.damages.append(
                    Damage(.delivery, "deliveries of batch \(position) \(try String(describingUnreadable: error))")
                )
            }
        }
        for series in try self.keys(db, RowScan(table: "revision", key: "series"), .revision) {
            do { self.revisions += try self.checkRevisions(db, series) } catch {
                let labels = try? FileMoment.labels(db, series)
                self.damages.append(
                    Damage(
                        .revision,
                        "what values of series \(series) were before \(try String(describingUnreadable: error))",
                        series: labels
                    )
                )
            }
        }
        for table in ["counter", "bulk_import"] {
            do {
                let rows = try Row.fetchCursor(db, sql: "SELECT * FROM \(table)")
                while try rows.next() != nil {}
            } catch {
                self.damages.append(Damage(.state, "table '\(table)' \(try String(describingUnreadable: error))"))
            }
        }
    }

    /// How many deliveries the row of a batch holds.
    static func deliveries(_ db: Database, _ position: Int64) throws -> Int {
        let sql = "SELECT count, data FROM delivery WHERE position = ?"
        let row = try Row.fetchOne(db, sql: sql, arguments: [position])
        guard let row, let count = Int.fromDatabaseValue(row[0]), let data = Data.fromDatabaseValue(row[1]),
            data.count == count * 10
        else { throw DamagedBytes(message: "are not as many as their row says", offset: 0) }
        return count
    }

    private func checkRevisions(_ db: Database, _ series: Int64) throws -> Int {
        guard series > 0, series <= self.seriesCount else {
            throw DamagedBytes(message: "belong to no series", offset: 0)
        }
        var count = 0
        let rows = try Row.fetchCursor(db, sql: "SELECT * FROM revision WHERE series = ?", arguments: [series])
        while let row = try rows.next() {
            guard let mark = Int64.fromDatabaseValue(row["old_mark"]), UInt8(exactly: mark) != nil else {
                throw DamagedBytes(message: "have an impossible mark", offset: 0)
            }
            count += 1
        }
        return count
    }

    private mutating func keys(_ db: Database, _ scan: RowScan, _ what: Damage.What) throws -> [Int64] {
        let (keys, unreadable) = try scan.keys(db)
        for gap in unreadable {
            let place = gap.after.map { "after \($0)" } ?? "from the first one on"
            let reason = gap.reason.replacing("is on", with: "are on")
            self.damages.append(Damage(what, "rows of table '\(scan.table)' (\(place)) \(reason)"))
        }
        return keys
    }
}
