// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
package import Telemetry

/// Checks everything in `samples.db`, and never stops at the first damage.
///
/// All tables but the blocks are read at one moment. The blocks that were in force then are read one after the other
/// afterwards: they never change, and who checks a running store pins them. So no transaction is open for long, and the
/// write-ahead log does not grow.
package struct StoreVerification {
    private let reader: any DatabaseReader
    private let path: String
    private let progress: (Double) -> Void
    private var report = VerificationReport()
    private var moment: FileMoment?

    /// Checks a file that no process writes.
    ///
    /// - Parameters:
    ///   - path: The file; it is not changed.
    ///   - processed: The position of `catalog.db` beside it; nil where that is not known.
    ///   - progress: Called with the share that is done, 0 to 1.
    /// - Returns: What was looked at, and all that is damaged.
    /// - Throws: ``StorageError`` where the file cannot be opened at all, and nothing could be checked.
    package static func run(
        path: String,
        processed: JournalPosition? = nil,
        progress: @escaping (Double) -> Void = { _ in }
    ) throws -> VerificationReport {
        try self.run(path: path, processed: processed, ignoresLog: false, progress: progress)
    }

    static func run(
        path: String,
        processed: JournalPosition? = nil,
        ignoresLog: Bool,
        progress: @escaping (Double) -> Void = { _ in }
    ) throws -> VerificationReport {
        do {
            let queue = try StoreFile.openForReading(path, ignoresLog: ignoresLog)
            defer { try? queue.close() }
            var verification = StoreVerification(queue, path: path, progress: progress)
            if !ignoresLog, let damage = try WriteAheadLog.damage(of: path) {
                verification.report.damages.append(damage)
            }
            if let damage = try StoreFile.truncation(of: path) { verification.report.damages.append(damage) }
            try verification.run()
            if let processed, processed > verification.report.committed {
                verification.note(
                    Damage(
                        .journal,
                        "the rules have processed batch \(processed.rawValue), and the file ends at "
                            + "\(verification.report.committed.rawValue): what came between is lost"
                    )
                )
            }
            return verification.report
        } catch {
            throw StorageError(error, path: path)
        }
    }

    init(_ reader: any DatabaseReader, path: String, progress: @escaping (Double) -> Void) {
        self.reader = reader
        self.path = path
        self.progress = progress
    }

    /// Checks all that the reader shows.
    fileprivate mutating func run() throws {
        self.progress(0)
        let moment = try self.reader.readDamaged { db in try FileMoment(db) }
        self.moment = moment
        let found = self.report.damages
        self.report = moment.report
        self.report.damages = found + moment.report.damages
        try self.checkBlocks(moment)
        try self.reader.readDamaged { db in
            var rest = SmallTables(seriesCount: moment.seriesCount)
            try rest.check(db)
            self.report.quarantined = rest.quarantined
            self.report.revisions = rest.revisions
            self.report.deliveries = rest.deliveries
            self.report.damages += rest.damages
        }
        try self.checkPages()
        self.progress(1)
    }

    private mutating func checkPages() throws {
        do {
            let lines = try self.reader.readDamaged { db in try String.fetchAll(db, sql: "PRAGMA integrity_check") }
            for line in lines.flatMap({ $0.split(separator: "\n") }) where line != "ok" {
                self.note(Damage(.file, "SQLite: \(line)"))
            }
        } catch { self.note(Damage(.file, "SQLite's own check \(try String(describingUnreadable: error))")) }
    }

    /// Checks all blocks and returns the distinct points that they hold.
    @discardableResult
    private mutating func checkBlocks(_ moment: FileMoment) throws -> Int {
        let all = max(moment.blocks.reduce(0) { $0 + max($1.summary.bytes, 1) }, 1)
        var done = 0
        var points = 0
        var isWhole = moment.report.damages.allSatisfy { $0.what != .block }
        var chunks = ShardChunks()
        for (index, row) in moment.blocks.enumerated() {
            let examination = try self.examine(row, moment)
            self.report.damages += examination.damages
            self.report.blocks += 1
            if !examination.damages.isEmpty { isWhole = false }
            if let block = examination.block {
                for entry in examination.readable.map({ block.entries[$0] }) {
                    self.report.chunks += 1
                    self.report.samples += entry.statistics.count
                    chunks.add(entry, of: row)
                }
            }
            if index + 1 == moment.blocks.count || moment.blocks[index + 1].shard != row.shard {
                points += try self.finish(&chunks, isWhole: isWhole)
            }
            done += max(row.summary.bytes, 1)
            self.progress(0.95 * Double(done) / Double(all))
        }
        let stored = Int(moment.state["samples"] ?? 0)
        if isWhole, stored != points {
            self.note(Damage(.state, "the blocks hold \(points) points, and the file says \(stored)"))
        }
        return points
    }

    private func examine(_ row: BlockRow, _ moment: FileMoment) throws -> BlockExamination {
        try self.reader.readDamaged { db in
            var bytes: [UInt8]?
            var unreadable: String?
            do { bytes = try BlockRow.fetchBytes(db, id: row.summary.id) } catch {
                unreadable = try String(describingUnreadable: error)
            }
            return BlockExamination(
                row,
                bytes: bytes,
                reason: unreadable,
                seriesPerShard: moment.seriesPerShard,
                seriesCount: moment.seriesCount
            ) { try? FileMoment.labels(db, Int64($0.rawValue)) }
        }
    }

    /// The distinct points of a shard; notes where two blocks of one generation hold the same time.
    private mutating func finish(_ chunks: inout ShardChunks, isWhole: Bool) throws -> Int {
        defer { chunks = ShardChunks() }
        var points = 0
        for (series, list) in chunks.bySeries {
            for cluster in ShardChunks.clusters(list) {
                guard cluster.count > 1 else {
                    points += cluster[0].count
                    continue
                }
                if let twice = ShardChunks.sameGeneration(cluster) {
                    self.note(
                        Damage(
                            .block,
                            "blocks \(twice.0.block) and \(twice.1.block) of one generation hold the same time",
                            series: try self.reader.readDamaged { try? FileMoment.labels($0, Int64(series.rawValue)) },
                            from: twice.1.firstTime,
                            through: min(twice.0.lastTime, twice.1.lastTime),
                            block: twice.1.block
                        )
                    )
                }
                if isWhole { points += try self.distinctTimes(of: series, in: cluster) }
            }
        }
        return points
    }

    private func distinctTimes(of series: SeriesID, in cluster: [ShardChunks.Chunk]) throws -> Int {
        var times: [Timestamp] = []
        for id in Set(cluster.map(\.block)) {
            guard let bytes = try self.reader.readDamaged({ try BlockRow.fetchBytes($0, id: id) }) else { continue }
            let block = try Block(bytes)
            for index in block.entries(of: series) {
                let statistics = block.entries[index].statistics
                guard cluster.contains(where: { $0.block == id && $0.firstTime == statistics.firstTime }) else {
                    continue
                }
                var columns = Columns()
                try block.decode(block.entries[index], appendingTo: &columns)
                times += columns.times
            }
        }
        times.sort()
        return times.count - zip(times, times.dropFirst()).count { $0 == $1 }
    }

    private mutating func note(_ damage: Damage) { self.report.damages.append(damage) }
}

extension SeriesStore {
    /// Checks everything while the store is in use; commits, rules, sealing and merging go on.
    ///
    /// - Parameter progress: Called with the share that is done, 0 to 1.
    /// - Returns: What was looked at, and all that is damaged.
    /// - Throws: ``StorageError`` where the check itself cannot go on.
    package func verify(progress: @escaping (Double) -> Void = { _ in }) throws -> VerificationReport {
        do {
            let pin = self.blockFile.pin()
            defer { withExtendedLifetime(pin) {} }
            var verification = StoreVerification(self.pool, path: self.path, progress: progress)
            try verification.run()
            return verification.result
        } catch {
            throw StorageError(error, path: self.path)
        }
    }
}

extension StoreVerification {
    /// The distinct points in the blocks of a file.
    static func points(in reader: any DatabaseReader) throws -> Int {
        var verification = StoreVerification(reader, path: "", progress: { _ in })
        let moment = try reader.readDamaged { db in try FileMoment(db) }
        return try verification.checkBlocks(moment)
    }

    fileprivate var result: VerificationReport { self.report }
}

/// Where the chunks of one shard lie.
private struct ShardChunks {
    struct Chunk {
        let block: Int64
        let generation: Int64
        let firstTime: Timestamp
        let lastTime: Timestamp
        let count: Int
    }

    private(set) var bySeries: [SeriesID: [Chunk]] = [:]

    mutating func add(_ entry: BlockCodec.Entry, of row: BlockRow) {
        let statistics = entry.statistics
        self.bySeries[entry.series, default: []]
            .append(
                Chunk(
                    block: row.summary.id,
                    generation: row.generation,
                    firstTime: statistics.firstTime,
                    lastTime: statistics.lastTime,
                    count: statistics.count
                )
            )
    }

    /// Chunks that share time with one another, each group in order of its beginnings.
    static func clusters(_ chunks: [Chunk]) -> [[Chunk]] {
        var result: [[Chunk]] = []
        var end = Timestamp.distantPast
        for chunk in chunks.sorted(by: { $0.firstTime < $1.firstTime }) {
            if result.isEmpty || chunk.firstTime > end { result.append([]) }
            result[result.count - 1].append(chunk)
            end = max(end, chunk.lastTime)
        }
        return result
    }

    /// Two chunks of one generation that overlap.
    static func sameGeneration(_ cluster: [Chunk]) -> (Chunk, Chunk)? {
        for list in Dictionary(grouping: cluster, by: \.generation).values where list.count > 1 {
            for (left, right) in zip(list, list.dropFirst()) where right.firstTime <= left.lastTime {
                return (left, right)
            }
        }
        return nil
    }
}
