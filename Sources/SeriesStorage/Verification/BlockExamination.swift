// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Telemetry

/// A row of the table `block`.
struct BlockRow: Sendable {
    let shard: Int
    let generation: Int64
    let position: JournalPosition
    let summary: BlockSummary

    static func fetch(_ db: Database, id: Int64) throws -> BlockRow? {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT shard, generation, position, first_series, last_series, first_time, last_time, chunks, samples,
                    bytes
                FROM block WHERE id = ?
                """,
            arguments: [id]
        )
        guard let row else { return nil }
        // Damaged cells may hold anything: what is no number in range becomes one that fits nothing.
        func number(_ column: Int) -> Int64 { Int64.fromDatabaseValue(row[column]) ?? -1 }
        func series(_ column: Int) -> SeriesID { SeriesID(rawValue: UInt32(exactly: number(column)) ?? 0) }
        return BlockRow(
            shard: Int(number(0)),
            generation: number(1),
            position: JournalPosition(rawValue: number(2)),
            summary: BlockSummary(
                id: id,
                firstSeries: series(3),
                lastSeries: series(4),
                firstTime: Timestamp(milliseconds: number(5)),
                lastTime: Timestamp(milliseconds: number(6)),
                chunks: Int(number(7)),
                samples: Int(number(8)),
                bytes: Int(number(9))
            )
        )
    }

    static func fetchBytes(_ db: Database, id: Int64) throws -> [UInt8]? {
        try Data.fetchOne(
            db.cachedStatement(sql: "SELECT data FROM block_data WHERE id = ?"),
            arguments: [id]
        )
        .map(\.array)
    }
}

/// Looks at everything in one block.
struct BlockExamination {
    let row: BlockRow
    /// Nil where the directory cannot be read.
    private(set) var block: Block?
    /// The entries whose chunk is whole.
    private(set) var readable: [Int] = []
    private(set) var damages: [Damage] = []

    /// Examines a block.
    ///
    /// - Parameters:
    ///   - row: Its row.
    ///   - bytes: Nil where there are none.
    ///   - reason: Why there are none; nil where they are simply not there.
    ///   - seriesPerShard: As the file says.
    ///   - seriesCount: Series that are known.
    ///   - labels: Those of a series; nil where they cannot be read.
    init(
        _ row: BlockRow,
        bytes: [UInt8]?,
        reason: String? = nil,
        seriesPerShard: Int,
        seriesCount: Int,
        labels: (SeriesID) -> Labels?
    ) {
        self.row = row
        guard let bytes else {
            self.note(reason ?? "is gone: its row is there, its bytes are not", labels)
            return
        }
        let block: Block
        do { block = try Block(bytes) } catch {
            self.note("\(error.message), at byte \(error.offset)", labels)
            return
        }
        self.block = block
        self.compare(block, labels)
        for index in block.entries.indices {
            let entry = block.entries[index]
            let series = Int(entry.series.rawValue)
            let shard = series > 0 ? (series - 1) / max(seriesPerShard, 1) : -1
            if shard != row.shard {
                self.note("holds series \(series), which is not of its shard \(row.shard)", entry, labels)
                continue
            }
            if series > seriesCount {
                self.note("holds series \(series), which is not known", entry, labels)
                continue
            }
            if let problem = self.problem(of: index, in: block) {
                self.note(problem, entry, labels)
            } else {
                self.readable.append(index)
            }
        }
    }

    /// What is wrong with a chunk; nil when nothing is.
    private func problem(of index: Int, in block: Block) -> String? {
        let entry = block.entries[index]
        if index > 0 {
            let before = block.entries[index - 1]
            if entry.series < before.series { return "is out of order" }
            if entry.series == before.series, entry.statistics.firstTime <= before.statistics.lastTime {
                return "begins before the chunk before it ends"
            }
        }
        var columns = Columns()
        do { try block.decode(entry, appendingTo: &columns) } catch {
            return "\(error.message), at byte \(error.offset) of the chunk"
        }
        guard zip(columns.times, columns.times.dropFirst()).allSatisfy({ $0 < $1 }) else {
            return "has times that do not rise"
        }
        var bytes: [UInt8] = []
        guard ChunkCodec.encode(columns, into: &bytes) == entry.statistics else {
            return "has other samples than its statistics say"
        }
        return nil
    }

    /// Compares the row with the directory.
    private mutating func compare(_ block: Block, _ labels: (SeriesID) -> Labels?) {
        let (row, entries) = (self.row.summary, block.entries)
        func check(_ name: String, _ isSame: Bool) {
            if !isSame { self.note("has another \(name) than its row says", labels) }
        }
        check("size", row.bytes == block.bytes.count)
        check("number of chunks", row.chunks == entries.count)
        check("number of samples", row.samples == entries.reduce(0) { $0 + $1.statistics.count })
        check("first series", row.firstSeries == entries.first?.series)
        check("last series", row.lastSeries == entries.last?.series)
        check("first time", row.firstTime == entries.map(\.statistics.firstTime).min())
        check("last time", row.lastTime == entries.map(\.statistics.lastTime).max())
    }

    private mutating func note(_ message: String, _ labels: (SeriesID) -> Labels?) {
        let summary = self.row.summary
        let (first, last) = (labels(summary.firstSeries), labels(summary.lastSeries))
        let isOne = summary.firstSeries == summary.lastSeries
        func name(_ id: SeriesID, _ labels: Labels?) -> String { labels?.description ?? "series \(id.rawValue)" }
        let series =
            isOne
            ? name(summary.firstSeries, first)
            : "\(Int(summary.lastSeries.rawValue) - Int(summary.firstSeries.rawValue) + 1) series, "
                + "\(name(summary.firstSeries, first)) to \(name(summary.lastSeries, last))"
        self.damages.append(
            Damage(
                .block,
                "block \(summary.id) (\(series)) \(message)",
                series: isOne ? first : nil,
                from: summary.firstTime,
                through: summary.lastTime,
                block: summary.id
            )
        )
    }

    private mutating func note(_ message: String, _ entry: BlockCodec.Entry, _ labels: (SeriesID) -> Labels?) {
        self.damages.append(
            Damage(
                .chunk,
                "a chunk of \(entry.statistics.count) samples in block \(self.row.summary.id) \(message)",
                series: labels(entry.series),
                from: entry.statistics.firstTime,
                through: entry.statistics.lastTime,
                block: self.row.summary.id
            )
        )
    }
}
