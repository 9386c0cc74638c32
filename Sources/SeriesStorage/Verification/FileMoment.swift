// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Telemetry

/// What all tables but the large ones held at one moment, with what could not be read of them.
struct FileMoment {
    /// Of the state table.
    private(set) var state: [String: Int64] = [:]
    /// Sealed positions by shard.
    private(set) var shards: [Int64: Int64] = [:]
    private(set) var blocks: [BlockRow] = []
    private(set) var blockData: [Int64] = []
    private(set) var retired: Set<Int64> = []
    /// Of the series table: the largest number.
    private(set) var seriesCount = 0
    /// Numbers without readable labels.
    private(set) var lostSeries: Set<UInt32> = []
    private(set) var journal: [Int64] = []
    private(set) var report = VerificationReport()

    var seriesPerShard: Int { Int(self.state["series_per_shard"] ?? Int64(SeriesStore.Limits().seriesPerShard)) }
    var sealed: Int64 { self.state["sealed_through"] ?? 0 }

    /// Reads all of it; damage is noted, and what is no damage is thrown.
    init(_ db: Database) throws {
        try self.readState(db)
        try self.readSeries(db)
        try self.readJournal(db)
        try self.readBlockRows(db)
    }

    // MARK: Reading

    /// The keys of a table; what cannot be reached is noted.
    private mutating func keys(_ db: Database, _ scan: RowScan, _ what: Damage.What) throws -> [Int64] {
        let (keys, unreadable) = try scan.keys(db)
        for gap in unreadable {
            let from = gap.after.map { "after \($0)" } ?? "from the first one on"
            let to = gap.before.map { ", before \($0)" } ?? ", to the end"
            let reason = gap.reason.replacing("is on", with: "are on")
            self.note(Damage(what, "rows of table '\(scan.table)' (\(from)\(to)) \(reason)"))
        }
        return keys
    }

    private mutating func readState(_ db: Database) throws {
        do {
            let rows = try Row.fetchCursor(db, sql: "SELECT name, value FROM state")
            while let row = try rows.next() {
                guard let name = String.fromDatabaseValue(row[0]), let value = Int64.fromDatabaseValue(row[1]) else {
                    self.note(Damage(.state, "a row of table 'state' holds no name and number"))
                    continue
                }
                self.state[name] = value
            }
        } catch { self.note(Damage(.state, "table 'state' \(try String(describingUnreadable: error))")) }
        for id in try self.keys(db, RowScan(table: "shard"), .state) {
            do {
                let sql = "SELECT sealed_through FROM shard WHERE id = ?"
                self.shards[id] = try Int64.fetchOne(db, sql: sql, arguments: [id])
            } catch {
                self.note(Damage(.state, "row \(id) of table 'shard' \(try String(describingUnreadable: error))"))
            }
        }
        if self.seriesPerShard < 1 {
            self.note(Damage(.state, "says that a shard has \(self.seriesPerShard) series"))
            self.state["series_per_shard"] = nil
        }
    }

    private mutating func readSeries(_ db: Database) throws {
        var expected: Int64 = 1
        for id in try self.keys(db, RowScan(table: "series"), .series) {
            guard id > 0, id <= Int64(UInt32.max) else {
                self.note(Damage(.series, "a series has the number \(id)"))
                continue
            }
            while expected < id {
                self.note(Damage(.series, "series \(expected) is not there: the numbers have a gap"))
                self.lostSeries.insert(UInt32(expected))
                expected += 1
            }
            expected = id + 1
            do {
                _ = try FileMoment.labels(db, id)
                self.report.series += 1
            } catch {
                self.note(Damage(.series, "series \(id) \(try String(describingUnreadable: error))"))
                self.lostSeries.insert(UInt32(id))
            }
        }
        self.seriesCount = Int(expected - 1)
    }

    /// The labels of a series.
    static func labels(_ db: Database, _ id: Int64) throws -> Labels {
        let row = try Data.fetchOne(
            db.cachedStatement(sql: "SELECT labels FROM series WHERE id = ?"),
            arguments: [id]
        )
        guard let row else { throw DamagedBytes(message: "has no labels", offset: 0) }
        let packed = try LabelsCodec.packed(inRow: row.array)
        let labels = try LabelsCodec.decode(packed)
        guard LabelsCodec.encode(labels) == packed, Labels(labels.map(\.self)) == labels, !labels.isEmpty else {
            throw DamagedBytes(message: "has labels that are not what was written", offset: 0)
        }
        return labels
    }

    private mutating func readJournal(_ db: Database) throws {
        var expected: Int64?
        for position in try self.keys(db, RowScan(table: "journal", key: "position"), .journal) {
            let after = expected ?? self.sealed + 1
            if position < after {
                self.note(Damage(.state, "batch \(position) is in the journal, which is sealed through \(after - 1)"))
            }
            if position > after {
                let missing = position == after + 1 ? "batch \(after) is" : "batches \(after) to \(position - 1) are"
                self.note(Damage(.journal, "\(missing) not in the journal"))
            }
            expected = position + 1
            self.journal.append(position)
            do {
                let entry = try FileMoment.entry(db, position)
                self.report.journalEntries += 1
                if case .readings(let readings) = entry.content {
                    self.report.journalReadings += readings.count
                    if readings.contains(where: { $0.series.rawValue == 0 || $0.series.rawValue > self.seriesCount }) {
                        self.note(Damage(.journal, "batch \(position) names a series that is not known"))
                    }
                }
            } catch {
                self.note(Damage(.journal, "batch \(position) \(try String(describingUnreadable: error))"))
            }
        }
        self.report.sealed = JournalPosition(rawValue: self.sealed)
        self.report.committed = JournalPosition(rawValue: max(self.sealed, self.journal.last ?? 0))
    }

    /// One row of the journal.
    static func entry(_ db: Database, _ position: Int64) throws -> JournalEntry {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT readings, data FROM journal WHERE position = ?"),
            arguments: [position]
        )
        guard let data = row.flatMap({ Data.fromDatabaseValue($0[1]) }) else {
            throw DamagedBytes(message: "has no bytes", offset: 0)
        }
        let entry = try JournalCodec.decode(data.array, at: JournalPosition(rawValue: position))
        var readings = 0
        if case .readings(let list) = entry.content { readings = list.count }
        guard Int.fromDatabaseValue(row?[0] ?? .null) == readings else {
            throw DamagedBytes(message: "has another number of readings than its row says", offset: 0)
        }
        return entry
    }

    private mutating func readBlockRows(_ db: Database) throws {
        for id in try self.keys(db, RowScan(table: "block"), .block) {
            do { if let row = try BlockRow.fetch(db, id: id) { self.blocks.append(row) } } catch {
                self.note(
                    Damage(.block, "the row of block \(id) \(try String(describingUnreadable: error))", block: id)
                )
            }
        }
        self.blocks.sort {
            ($0.shard, $0.generation, $0.summary.firstSeries, $0.summary.lastSeries, $0.summary.id)
                < ($1.shard, $1.generation, $1.summary.firstSeries, $1.summary.lastSeries, $1.summary.id)
        }
        self.retired = Set(try self.keys(db, RowScan(table: "retired"), .state))
        self.blockData = try self.keys(db, RowScan(table: "block_data"), .block)
        let named = Set(self.blocks.map(\.summary.id))
        for id in self.blockData where !named.contains(id) && !self.retired.contains(id) {
            self.note(Damage(.block, "block \(id) has bytes, and no row names them", block: id))
        }
        for id in named.intersection(self.retired).sorted() {
            self.note(Damage(.block, "block \(id) is retired and in force at once", block: id))
        }
        for (row, next) in zip(self.blocks, self.blocks.dropFirst())
        where row.shard == next.shard && row.generation == next.generation {
            guard next.summary.firstSeries < row.summary.lastSeries else { continue }
            self.note(next, "is of one generation with block \(row.summary.id) and holds the same series")
        }
        for row in self.blocks {
            if row.generation < 1 { self.note(row, "has the generation \(row.generation)") }
            if row.position > self.report.committed {
                self.note(row, "covers the journal up to \(row.position.rawValue), which is not there")
            }
            let last = (self.seriesCount - 1) / self.seriesPerShard
            if row.shard < 0 || row.shard > last { self.note(row, "is of shard \(row.shard), which has no series") }
        }
    }

    // MARK: Notes

    private mutating func note(_ row: BlockRow, _ message: String) {
        self.note(Damage(.block, "block \(row.summary.id) \(message)", block: row.summary.id))
    }

    private mutating func note(_ damage: Damage) { self.report.damages.append(damage) }
}
