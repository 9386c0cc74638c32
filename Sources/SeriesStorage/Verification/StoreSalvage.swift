// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
package import Telemetry

/// What a salvage brought over, and what it could not.
package struct SalvageReport: Sendable, Hashable {
    /// Blocks copied as they were, and those that were packed anew without their damaged chunks.
    package var copied = 0
    package var repacked = 0
    /// Blocks of which nothing can be read.
    package var lost = 0
    /// Series whose labels are lost: they are called `poyang_salvaged{series="N"}` now.
    package var placeholders = 0
    package var journalEntries = 0
    /// Batches that cannot be read; empty ones keep their places.
    package var lostEntries = 0
    /// What the new file is like; clean unless the disk failed again.
    package var result = VerificationReport()

    package init() {}
}

/// Writes a new `samples.db` with everything that can be read of a damaged one.
package struct StoreSalvage {
    private let source: any DatabaseReader
    private let target: DatabaseQueue
    private let progress: (Double) -> Void
    private var report = SalvageReport()

    /// Salvages a file that no process writes.
    ///
    /// - Parameters:
    ///   - path: The damaged file; it is not changed.
    ///   - newPath: The file to be made; there must be none.
    ///   - processed: The position of `catalog.db`, which will be used with it; the journal reaches there at least.
    ///   - progress: Called with the share that is done, 0 to 1.
    /// - Returns: What was saved, and what the new file is like.
    /// - Throws: ``StorageError`` where nothing can be read, or the new file cannot be written.
    package static func run(
        from path: String,
        to newPath: String,
        processed: JournalPosition?,
        progress: @escaping (Double) -> Void = { _ in }
    ) throws -> SalvageReport {
        do {
            let source = try self.open(path)
            defer { try? source.close() }
            guard !FileManager.default.fileExists(atPath: newPath) else {
                throw StorageError(code: .cannotOpen, message: "\(newPath) is there already; name a new directory")
            }
            let target = try StoreSalvage.create(newPath)
            var salvage = StoreSalvage(source: source, target: target, progress: progress)
            do {
                try salvage.run(processed: processed)
                try target.close()
            } catch {
                try? target.close()
                throw error
            }
            salvage.report.result = try StoreVerification.run(path: newPath, processed: processed)
            return salvage.report
        } catch {
            throw StorageError(error, path: path)
        }
    }

    /// With the write-ahead log, or without it where it is damaged and the file alone is the better one.
    private static func open(_ path: String) throws -> DatabaseQueue {
        guard try WriteAheadLog.damage(of: path) != nil else { return try StoreFile.openForReading(path) }
        var best: (ignoresLog: Bool, report: VerificationReport)?
        for ignoresLog in [false, true] {
            let report: VerificationReport
            do { report = try StoreVerification.run(path: path, ignoresLog: ignoresLog) } catch { continue }
            guard let other = best?.report else {
                best = (ignoresLog, report)
                continue
            }
            // That the log is damaged is known, and is not to count against it.
            let isBetter = (report.damages.count, other.committed) < (other.damages.count - 1, report.committed)
            if isBetter { best = (ignoresLog, report) }
        }
        return try StoreFile.openForReading(path, ignoresLog: best?.ignoresLog ?? false)
    }

    private init(source: any DatabaseReader, target: DatabaseQueue, progress: @escaping (Double) -> Void) {
        self.source = source
        self.target = target
        self.progress = progress
    }

    private static func create(_ path: String) throws -> DatabaseQueue {
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL") }
        try Schema.migrator.migrate(queue)
        return queue
    }

    private mutating func run(processed: JournalPosition?) throws {
        let moment = try self.source.readDamaged { db in try FileMoment(db) }
        let count = try self.copySeries(moment)
        let newest = max(moment.report.committed, processed ?? .start)
        try self.copyBlocks(moment, newest: newest, seriesCount: count)
        try self.copyJournal(moment, processed: processed, seriesCount: count)
        try self.copyRows(seriesCount: count)
        try self.count(moment)
        self.progress(1)
    }

    // MARK: Series

    /// All series that anything names; without their labels if need be.
    private mutating func copySeries(_ moment: FileMoment) throws -> Int {
        var count = moment.seriesCount
        for row in moment.blocks { count = max(count, Int(row.summary.lastSeries.rawValue)) }
        for position in moment.journal {
            guard let entry = try self.readable({ db in try FileMoment.entry(db, position) }) else { continue }
            guard case .readings(let readings) = entry.content else { continue }
            count = max(count, Int(readings.map(\.series.rawValue).max() ?? 0))
        }
        let all = count
        let lost = moment.lostSeries
        var placeholders = 0
        var start = 1
        while start <= all {
            let end = min(start + 10_000, all + 1)
            let labels = try self.source.readDamaged { db in
                (start..<end)
                    .map { number in
                        number > moment.seriesCount || lost.contains(UInt32(number))
                            ? nil : try? FileMoment.labels(db, Int64(number))
                    }
            }
            try self.target.write { db in
                for (number, found) in zip(start..<end, labels) {
                    if found == nil { placeholders += 1 }
                    let labels = found ?? Labels(metric: "poyang_salvaged", ["series": "\(number)"])
                    try db.cachedStatement(sql: "INSERT INTO series (id, labels) VALUES (?, ?)")
                        .execute(arguments: [number, Data(LabelsCodec.row(of: LabelsCodec.encode(labels)))])
                }
            }
            start = end
        }
        self.report.placeholders = placeholders
        return count
    }

    // MARK: Blocks

    private mutating func copyBlocks(_ moment: FileMoment, newest: JournalPosition, seriesCount: Int) throws {
        let perShard = moment.seriesPerShard
        let orphans = try self.orphans(moment)
        let rows = moment.blocks + orphans
        for (index, named) in rows.enumerated() {
            let bytes = try self.source.readDamaged { db in try? BlockRow.fetchBytes(db, id: named.summary.id) }
            // Where the row is damaged and the directory is not, the directory says which shard it is of.
            let first = bytes.flatMap { try? Block($0) }?.entries.first?.series.rawValue
            let shard = first.map { (Int($0) - 1) / perShard } ?? named.shard
            let row = BlockRow(
                shard: shard,
                generation: index < moment.blocks.count
                    ? max(named.generation, 1) + Int64(orphans.count) : named.generation,
                position: min(named.position, newest),
                summary: named.summary
            )
            let examination = BlockExamination(
                row,
                bytes: bytes,
                seriesPerShard: perShard,
                seriesCount: seriesCount
            ) { _ in nil }
            try self.write(row, bytes, examination)
            self.progress(0.7 * Double(index + 1) / Double(rows.count))
        }
    }

    private mutating func write(_ row: BlockRow, _ bytes: [UInt8]?, _ examination: BlockExamination) throws {
        guard let bytes, let block = examination.block, !examination.readable.isEmpty else {
            self.report.lost += 1
            return
        }
        let isWhole = examination.damages.isEmpty
        let blocks: [SealedBlock]
        if isWhole {
            blocks = [SealedBlock(block, bytes)]
        } else {
            var limits = SeriesStore.Limits()
            limits.blockBytes = .max / 2
            var writer = ChunkWriter(limits: limits, shardOf: { _ in row.shard })
            for index in examination.readable { writer.copy(block.entries[index], of: block) }
            blocks = writer.finish().map(\.block)
        }
        try self.target.write { db in
            for sealed in blocks {
                let id = try BlockTable.insertBytes(db, sealed.bytes)
                try BlockTable.insert(
                    db,
                    BlockSummary(id: id, sealed),
                    shard: row.shard,
                    generation: row.generation,
                    position: row.position
                )
            }
        }
        if isWhole { self.report.copied += 1 } else { self.report.repacked += 1 }
    }

    /// Blocks whose row is lost; what they are is in their directory.
    ///
    /// Their generations come before all others, which are moved up by as many: what is known to be newer supersedes them.
    private func orphans(_ moment: FileMoment) throws -> [BlockRow] {
        guard moment.report.damages.contains(where: { $0.what == .block }) else { return [] }
        let named = Set(moment.blocks.map(\.summary.id))
        let position = JournalPosition(rawValue: moment.sealed)
        var result: [BlockRow] = []
        for id in moment.blockData where !named.contains(id) && !moment.retired.contains(id) {
            let bytes = try self.source.readDamaged { db in try? BlockRow.fetchBytes(db, id: id) }
            guard let bytes, let block = try? Block(bytes) else { continue }
            result.append(
                BlockRow(
                    shard: 0,
                    generation: Int64(result.count + 1),
                    position: position,
                    summary: BlockSummary(id: id, SealedBlock(block, bytes))
                )
            )
        }
        return result
    }

    // MARK: Journal

    private mutating func copyJournal(
        _ moment: FileMoment,
        processed: JournalPosition?,
        seriesCount: Int
    ) throws {
        var sealed = moment.sealed
        if moment.state["sealed_through"] == nil { sealed = (moment.journal.first ?? 1) - 1 }
        let last = max(moment.journal.last ?? 0, processed?.rawValue ?? 0, sealed)
        let known = Set(moment.journal)
        var position = sealed + 1
        while position <= last {
            let end = min(position + 256, last + 1)
            var entries: [JournalEntry] = []
            var received = Timestamp(milliseconds: 0)
            for number in position..<end {
                let entry = known.contains(number) ? try self.readable { try FileMoment.entry($0, number) } : nil
                if entry == nil { self.report.lostEntries += 1 } else { self.report.journalEntries += 1 }
                received = entry?.receivedAt ?? received
                let place = JournalPosition(rawValue: number)
                entries.append(entry ?? JournalEntry(position: place, receivedAt: received, content: .readings([])))
            }
            try self.target.write { db in
                for entry in entries { try JournalTable.insert(db, entry, Data(JournalCodec.encode(entry))) }
            }
            position = end
        }
        try self.target.write { db in
            let state = [("sealed_through", sealed), ("series_per_shard", Int64(moment.seriesPerShard))]
            for (name, value) in state {
                try db.execute(
                    sql: "INSERT OR REPLACE INTO state (name, value) VALUES (?, ?)",
                    arguments: [name, value]
                )
            }
            for (shard, position) in moment.shards {
                try BlockTable.noteSealed(db, shard: Int(shard), through: JournalPosition(rawValue: position))
            }
        }
        self.progress(0.8)
    }

    // MARK: The rest

    /// Copies the rows of the small tables that can be read.
    private func copyRows(seriesCount: Int) throws {
        let tables = [
            (RowScan(table: "quarantine"), 9), (RowScan(table: "delivery", key: "position"), 3),
            (RowScan(table: "revision", key: "series"), 7),
        ]
        for (scan, columns) in tables {
            let keys = try self.source.readDamaged { db in try scan.keys(db).keys }
            for start in stride(from: 0, to: keys.count, by: 500) {
                let rows = try self.source.readDamaged { db in
                    keys[start..<min(start + 500, keys.count)]
                        .flatMap { key in
                            let sql = "SELECT * FROM \(scan.table) WHERE \(scan.key) = ?"
                            return (try? Row.fetchAll(db, sql: sql, arguments: [key])) ?? []
                        }
                }
                try self.insert(rows.filter { self.isReadable($0, scan.table, seriesCount) }, into: scan.table, columns)
            }
        }
        for (table, columns) in [("counter", 2), ("bulk_import", 6)] {
            let rows = try self.source.readDamaged { db in
                (try? Row.fetchAll(db, sql: "SELECT * FROM \(table)")) ?? []
            }
            try self.insert(rows, into: table, columns)
        }
        try self.keepNumbers()
    }

    private func isReadable(_ row: Row, _ table: String, _ seriesCount: Int) -> Bool {
        switch table {
        case "quarantine":
            let bytes = Data.fromDatabaseValue(row["refusals"] ?? .null)
            return bytes.map { (try? RefusalCodec.decode($0.array)) != nil } ?? false
        case "delivery":
            let count = Int.fromDatabaseValue(row["count"] ?? .null) ?? -1
            return Data.fromDatabaseValue(row["data"] ?? .null)?.count == count * 10
        default:
            let mark = Int64.fromDatabaseValue(row["old_mark"] ?? .null) ?? -1
            let series = Int.fromDatabaseValue(row["series"] ?? .null) ?? 0
            return UInt8(exactly: mark) != nil && (1...max(seriesCount, 1)).contains(series)
        }
    }

    private func insert(_ rows: [Row], into table: String, _ columns: Int) throws {
        let marks = Array(repeating: "?", count: columns).joined(separator: ", ")
        try self.target.write { db in
            let statement = try db.cachedStatement(sql: "INSERT OR IGNORE INTO \(table) VALUES (\(marks))")
            // A row that the new table does not take was damaged.
            for row in rows { try? statement.execute(arguments: StatementArguments(row.databaseValues)) }
        }
    }

    /// Numbers that were given out are never given out again.
    private func keepNumbers() throws {
        let rows = try self.source.readDamaged { db in
            (try? Row.fetchAll(db, sql: "SELECT name, seq FROM sqlite_sequence")) ?? []
        }
        try self.target.write { db in
            for row in rows {
                guard let name = String.fromDatabaseValue(row[0]), let number = Int64.fromDatabaseValue(row[1]),
                    name == "quarantine"
                else { continue }
                try db.execute(
                    sql: "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?",
                    arguments: [number, name]
                )
            }
        }
    }

    /// Counts the distinct points anew.
    private func count(_ moment: FileMoment) throws {
        let points = try StoreVerification.points(in: self.target)
        try self.target.write { db in
            try db.execute(
                sql: "INSERT OR REPLACE INTO state (name, value) VALUES ('samples', ?)",
                arguments: [points]
            )
        }
    }

    private func readable<Value>(_ body: (Database) throws -> Value) throws -> Value? {
        try self.source.readDamaged { db in
            do { return try body(db) } catch {
                _ = try String(describingUnreadable: error)
                return nil
            }
        }
    }
}

extension SealedBlock {
    /// A block that was read.
    init(_ block: Block, _ bytes: [UInt8]) {
        let entries = block.entries
        self.init(
            firstSeries: entries.first?.series ?? SeriesID(rawValue: 0),
            lastSeries: entries.last?.series ?? SeriesID(rawValue: 0),
            firstTime: entries.map(\.statistics.firstTime).min() ?? .distantFuture,
            lastTime: entries.map(\.statistics.lastTime).max() ?? .distantPast,
            chunks: entries.count,
            samples: entries.reduce(0) { $0 + $1.statistics.count },
            bytes: bytes
        )
    }
}
