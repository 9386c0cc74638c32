// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Synchronization
package import Telemetry

/// What a bulk import brought: each sample in exactly one of the three.
package struct ImportCounts: Hashable, Sendable {
    package var stored = 0
    package var duplicates = 0
    package var revised = 0

    package init() {}

    package static func += (left: inout ImportCounts, right: ImportCounts) {
        left.stored += right.stored
        left.duplicates += right.duplicates
        left.revised += right.revised
    }
}

/// Samples of one series on their way into the store, in columns of equal length.
package struct SeriesSamples: Sendable {
    package var labels: Labels
    /// In any order; of those with the same time the last counts.
    package var times: [Timestamp]
    package var values: [Double]
    /// Raw ``SampleMark`` bytes.
    package var marks: [UInt8]

    package init(labels: Labels, times: [Timestamp], values: [Double], marks: [UInt8]) {
        self.labels = labels
        self.times = times
        self.values = values
        self.marks = marks
    }
}

/// Samples in order and encoded, ready to be written.
package struct PreparedImport: Sendable {
    struct Series: Sendable {
        let labels: Labels
        let columns: Columns
        let chunks: [EncodedChunk]
    }

    let series: [Series]
    /// Samples given whose time another one of the same call has.
    let repeated: Int

    /// Distinct points.
    package var samples: Int { self.series.reduce(0) { $0 + $1.columns.count } }
}

/// How far an import has come, saved together with what it brought.
package struct ImportMark: Hashable, Sendable {
    /// The name of the input, which stays the same when it is read again.
    package var source: String
    /// Everything before this byte is stored.
    package var bytes: Int64
    package var lines: Int64
    package var counts: ImportCounts

    package init(source: String, bytes: Int64, lines: Int64, counts: ImportCounts) {
        self.source = source
        self.bytes = bytes
        self.lines = lines
        self.counts = counts
    }
}

extension SeriesStore {
    /// Sorts and encodes samples for ``commitImport(_:mark:at:handOver:)``; any thread, without a lock.
    package func prepareImport(_ series: [SeriesSamples]) -> PreparedImport {
        var order: [Labels] = []
        var all: [Labels: SeriesSamples] = [:]
        for part in series {
            if all[part.labels] == nil {
                order.append(part.labels)
                all[part.labels] = part
            } else {
                all[part.labels]?.times += part.times
                all[part.labels]?.values += part.values
                all[part.labels]?.marks += part.marks
            }
        }
        var given = 0
        let prepared = order.compactMap { labels -> PreparedImport.Series? in
            guard let part = all.removeValue(forKey: labels), !part.times.isEmpty else { return nil }
            given += part.times.count
            let columns = Columns(inOrder: part)
            let chunks = ChunkWriter.chunks(of: columns, limits: self.limits)
            return PreparedImport.Series(labels: labels, columns: columns, chunks: chunks)
        }
        return PreparedImport(series: prepared, repeated: given - prepared.reduce(0) { $0 + $1.columns.count })
    }

    /// Writes samples directly into blocks; the rules do not see them.
    ///
    /// One transaction, so a few hundred thousand samples per call are a good size. One journal entry names the spans that
    /// changed, in order of position with the commits: the processor applies it like any other. What is imported replaces
    /// what was there at the same time.
    ///
    /// - Parameters:
    ///   - prepared: What ``prepareImport(_:)`` made.
    ///   - mark: How far the import has come with it; saved in the same transaction.
    ///   - now: The receive time of the journal entry.
    ///   - handOver: As in ``commit(_:handOver:)``.
    /// - Returns: Where the samples ended; a time given twice is counted once.
    /// - Throws: ``StorageError``; then nothing was imported.
    @discardableResult
    package func commitImport(
        _ prepared: PreparedImport,
        mark: ImportMark? = nil,
        at now: Timestamp,
        handOver: (JournalEntry) -> Void = { _ in }
    ) throws -> ImportCounts {
        do {
            return try self.writing.withLock { state in
                try self.applying.withLock { applying in
                    let pin = self.blockFile.pin()
                    defer { withExtendedLifetime(pin) {} }
                    var plan = ImportPlan(position: JournalPosition(rawValue: state.next))
                    for series in prepared.series { try self.add(series, to: &plan) }
                    plan.series.sort { $0.id < $1.id }
                    let entry = try self.carryOut(plan, mark, at: now, &applying)
                    guard let entry else { return plan.counts }
                    state.next += 1
                    handOver(entry)
                    return plan.counts
                }
            }
        } catch {
            throw StorageError(error, path: self.path)
        }
    }

    /// The same for samples that need no preparation elsewhere.
    @discardableResult
    package func importSeries(
        _ series: [(labels: Labels, samples: [Sample])],
        at now: Timestamp,
        handOver: (JournalEntry) -> Void = { _ in }
    ) throws -> ImportCounts {
        let columns = series.map { labels, samples in
            SeriesSamples(
                labels: labels,
                times: samples.map(\.time),
                values: samples.map(\.value),
                marks: samples.map(\.mark.rawValue)
            )
        }
        return try self.commitImport(self.prepareImport(columns), at: now, handOver: handOver)
    }

    /// How far an import came that was not finished.
    package func importMark(of source: String) throws -> ImportMark? {
        do {
            return try self.pool.read { db in
                let row = try Row.fetchOne(
                    db,
                    sql: "SELECT bytes, lines, stored, duplicates, revised FROM bulk_import WHERE source = ?",
                    arguments: [source]
                )
                guard let row else { return nil }
                var counts = ImportCounts()
                counts.stored = row[2]
                counts.duplicates = row[3]
                counts.revised = row[4]
                return ImportMark(source: source, bytes: row[0], lines: row[1], counts: counts)
            }
        } catch {
            throw StorageError(error, path: self.path)
        }
    }

    /// Forgets how far an import came, because it is finished or begins again.
    package func finishImport(of source: String) throws {
        do {
            try self.pool.write { db in
                try db.execute(sql: "DELETE FROM bulk_import WHERE source = ?", arguments: [source])
            }
        } catch {
            throw StorageError(error, path: self.path)
        }
    }

    // MARK: Steps

    private struct ImportPlan {
        struct Series {
            let id: SeriesID
            let columns: Columns
            let chunks: [EncodedChunk]
            /// Samples that blocks held in the span.
            let stored: Columns
        }

        let position: JournalPosition
        var series: [Series] = []
        var revisions: [Revision] = []
        var counts = ImportCounts()
        /// Points that no block has.
        var freshInBlocks = 0
        /// Points that neither blocks nor heads have.
        var fresh = 0
    }

    /// Compares with what is there, and leaves out what is the same.
    private func add(_ series: PreparedImport.Series, to plan: inout ImportPlan) throws {
        guard let from = series.columns.times.first, let through = series.columns.times.last else { return }
        let (id, head, places) = self.memory.withLock { memory in
            let id = memory.insert(series.labels)
            let places = memory[shardOf: id].blocks(of: id, from: from, through: through)
            return (id, memory[id], places)
        }
        let stored = Columns.merging(
            try places.map {
                try self.blockFile.columns(of: id, in: $0.id, from: from, through: through)
                    .window(after: from - 1, through: through)
            }
        )
        let open = head.open.window(after: from - 1, through: through)
        guard !stored.isEmpty || !open.isEmpty else {
            plan.counts.stored += series.columns.count
            plan.fresh += series.columns.count
            plan.freshInBlocks += series.columns.count
            plan.series.append(.init(id: id, columns: series.columns, chunks: series.chunks, stored: stored))
            return
        }
        let changed = self.compare(series.columns, of: id, with: Columns.merging([stored, open]), &plan)
        guard !changed.isEmpty else { return }
        plan.freshInBlocks += changed.times.count { !stored.times.containsSorted($0) }
        let chunks =
            changed.count == series.columns.count
            ? series.chunks : ChunkWriter.chunks(of: changed, limits: self.limits)
        plan.series.append(.init(id: id, columns: changed, chunks: chunks, stored: stored))
    }

    /// The samples that are new or different.
    private func compare(
        _ input: Columns,
        of id: SeriesID,
        with present: Columns,
        _ plan: inout ImportPlan
    ) -> Columns {
        var changed = Columns()
        for index in 0..<input.count {
            let (time, value) = (input.times[index], input.values[index])
            let other = present.times.lowerBound(time)
            if other < present.count, present.times[other] == time {
                if present.values[other].isSame(as: value) {
                    plan.counts.duplicates += 1
                    continue
                }
                plan.counts.revised += 1
                plan.revisions.append(
                    Revision(
                        series: id,
                        time: time,
                        position: plan.position,
                        ordinal: plan.revisions.count,
                        oldValue: present.values[other],
                        oldMark: SampleMark(rawValue: present.marks[other] & ~SeriesHead.resident),
                        newValue: value
                    )
                )
            } else {
                plan.counts.stored += 1
                plan.fresh += 1
            }
            changed.append(time, value, input.marks[index])
        }
        return changed
    }

    /// Only under the locks `writing` and `applying`; nil where nothing changed.
    private func carryOut(
        _ plan: ImportPlan,
        _ mark: ImportMark?,
        at now: Timestamp,
        _ applying: inout ApplyState
    ) throws -> JournalEntry? {
        guard !plan.series.isEmpty || mark != nil else { return nil }
        let seriesPerShard = self.memory.withLock { $0.seriesPerShard }
        var writer = ChunkWriter(limits: self.limits) { (Int($0.rawValue) - 1) / seriesPerShard }
        for series in plan.series { for chunk in series.chunks { writer.append(chunk, of: series.id) } }
        let blocks = Dictionary(grouping: writer.finish(), by: \.shard)
        let spans = plan.series.compactMap { series -> SeriesSpan? in
            guard let from = series.columns.times.first, let through = series.columns.times.last else { return nil }
            return SeriesSpan(series: series.id, from: from, through: through)
        }
        let entry = JournalEntry(position: plan.position, receivedAt: now, content: .invalidation(spans))
        let data = Data(JournalCodec.encode(entry))
        let generation = applying.nextGeneration
        var segments: [(shard: Int, segment: Segment)] = []
        try self.saveWithNewSeries { db in
            if !plan.series.isEmpty {
                try JournalTable.insert(db, entry, data)
                try BlockTable.countSamples(db, plan.freshInBlocks)
                for (shard, blocks) in blocks {
                    let segment = try self.insert(blocks.map(\.block), db, shard: shard, generation, plan.position)
                    segments.append((shard, segment))
                }
                try Revision.write(plan.revisions, to: db)
            }
            if let mark { try self.save(mark, plan.counts, db) }
        }
        guard !plan.series.isEmpty else { return nil }
        applying.nextGeneration += 1
        self.assigning.withLock { assigning in
            for span in spans { assigning.noteImport(through: span.through, in: span.series) }
        }
        self.memory.withLock { memory in
            for (shard, segment) in segments { memory[shard: shard].segments.append(segment) }
            for series in plan.series {
                memory[series.id].imported(series.columns) { series.stored.times.containsSorted($0) }
                if let last = series.columns.times.last { memory.noteTime(last) }
            }
            memory.samples += plan.fresh
        }
        self.noteJournal(entry, bytes: data.count)
        return entry
    }

    private func save(_ mark: ImportMark, _ counts: ImportCounts, _ db: Database) throws {
        var sum = mark.counts
        sum += counts
        try db.execute(
            sql: """
                INSERT OR REPLACE INTO bulk_import (source, bytes, lines, stored, duplicates, revised)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: [mark.source, mark.bytes, mark.lines, sum.stored, sum.duplicates, sum.revised]
        )
    }
}

extension Columns {
    /// Samples in order, each time once: of those with the same time the last one.
    fileprivate init(inOrder samples: SeriesSamples) {
        self.init()
        let isSorted = zip(samples.times, samples.times.dropFirst()).allSatisfy { $0 < $1 }
        if isSorted {
            self.times = samples.times
            self.values = samples.values
            self.marks = samples.marks
            return
        }
        let order = samples.times.indices.sorted { (samples.times[$0], $0) < (samples.times[$1], $1) }
        self.reserveCapacity(order.count)
        for (rank, index) in order.enumerated() {
            if rank + 1 < order.count, samples.times[order[rank + 1]] == samples.times[index] { continue }
            self.append(samples.times[index], samples.values[index], samples.marks[index])
        }
    }
}
