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
}

extension SeriesStore {
    /// Writes samples directly into chunks; the rules do not see them.
    ///
    /// One transaction for the whole call, so a few hundred thousand samples per call are a good size. Each series that
    /// changes gets a journal entry that names its span, in order of position with the commits: the processor applies
    /// it like any other. What is imported replaces what was there at the same time.
    ///
    /// - Parameters:
    ///   - series: Samples in any order; of those with the same time the last counts.
    ///   - now: The receive time of the journal entries.
    ///   - handOver: As in ``commit(_:handOver:)``.
    /// - Returns: Where the samples ended; a time given twice is counted once.
    /// - Throws: ``StorageError``; then nothing was imported.
    @discardableResult
    package func importSeries(
        _ series: [(labels: Labels, samples: [Sample])],
        at now: Timestamp,
        handOver: (JournalEntry) -> Void = { _ in }
    ) throws -> ImportCounts {
        do {
            return try self.writing.withLock { state in
                try self.applying.withLock { _ in
                    var counts = ImportCounts()
                    var plans: [ImportPlan] = []
                    for (labels, samples) in series.merged() where !samples.isEmpty {
                        let position = JournalPosition(rawValue: state.next + Int64(plans.count))
                        let plan = try self.plan(labels, samples, at: position, receivedAt: now, &counts)
                        if let plan { plans.append(plan) }
                    }
                    try self.carryOut(plans)
                    state.next += Int64(plans.count)
                    for plan in plans { handOver(plan.entry) }
                    return counts
                }
            }
        } catch {
            throw StorageError(error, path: self.path)
        }
    }

    private struct ImportPlan {
        let id: SeriesID
        let samples: Columns
        let rows: [ChunkRow]
        let entry: JournalEntry
        let revisions: [Revision]
        /// Samples of closed chunks in the span.
        let closed: Columns
        let fresh: Int
        /// The open row and what it becomes; nil where it stays as it is.
        let openRow: (old: Int64, new: ChunkRow?)?
        let openChunk: Int64?
    }

    /// Compares with what is there; nil where nothing is new.
    private func plan(
        _ labels: Labels,
        _ input: Columns,
        at position: JournalPosition,
        receivedAt: Timestamp,
        _ counts: inout ImportCounts
    ) throws -> ImportPlan? {
        guard let from = input.times.first, let through = input.times.last else { return nil }
        let id = self.assigning.withLock { assigning in
            let key = self.memory.withLock { memory in memory.index.id(of: labels).flatMap { memory.index.key(of: $0) }
            }
            return self.number(of: key ?? SeriesKey(labels: labels), &assigning)
        }
        let head = self.memory.withLock { $0[id] }
        let span = (after: from - 1, through: through)
        let closedChunks = head.chunks.filter { $0.last >= from && $0.first <= through }
        let read = try self.chunkFile.columns(of: closedChunks.map(\.id))
        let parts = closedChunks.compactMap { read[$0.id]?.window(after: span.after, through: span.through) }
        let closed = Columns.merging(parts)
        let present = Columns.merging([closed, head.open.window(after: span.after, through: span.through)])

        var samples = Columns()
        var revisions: [Revision] = []
        for index in 0..<input.count {
            let (time, value) = (input.times[index], input.values[index])
            let other = present.times.lowerBound(time)
            if other < present.count, present.times[other] == time {
                if present.values[other].isSame(as: value) {
                    counts.duplicates += 1
                    continue
                }
                counts.revised += 1
                revisions.append(
                    Revision(
                        series: id,
                        time: time,
                        position: position,
                        ordinal: revisions.count,
                        oldValue: present.values[other],
                        oldMark: SampleMark(rawValue: present.marks[other] & ~SeriesHead.resident),
                        newValue: value
                    )
                )
            } else {
                counts.stored += 1
            }
            samples.append(time, value, input.marks[index])
        }
        guard let first = samples.times.first, let last = samples.times.last else { return nil }
        let openRow = try head.openChunk.flatMap { row in try self.openRow(row, of: id, head, without: samples) }
        let notFresh = samples.times.count { closed.times.containsSorted($0) }
        return ImportPlan(
            id: id,
            samples: samples,
            rows: self.importRows(samples, of: id, at: position, notFresh: notFresh),
            entry: JournalEntry(
                position: position,
                receivedAt: receivedAt,
                content: .invalidation(id, from: first, through: last)
            ),
            revisions: revisions,
            closed: closed,
            fresh: samples.times.count { !present.times.containsSorted($0) },
            openRow: openRow,
            openChunk: openRow == nil ? head.openChunk : nil
        )
    }

    private func importRows(
        _ samples: Columns,
        of id: SeriesID,
        at position: JournalPosition,
        notFresh: Int
    ) -> [ChunkRow] {
        let size = max(self.limits.chunkSamples, 1) * 2
        return stride(from: 0, to: samples.count, by: size)
            .compactMap { start in
                let part = samples.slice(start, min(start + size, samples.count))
                return ChunkRow(
                    part,
                    series: id,
                    position: position,
                    fresh: part.count - (start == 0 ? notFresh : 0),
                    isImport: true
                )
            }
    }

    /// The row of open samples without those that are imported: a restart must not find their old values in it.
    private func openRow(
        _ row: Int64,
        of id: SeriesID,
        _ head: SeriesHead,
        without samples: Columns
    ) throws -> (old: Int64, new: ChunkRow?)? {
        let stored = try self.pool.read { db in
            try Data.fetchOne(db, sql: "SELECT data FROM chunk WHERE id = ?", arguments: [row])
        }
        guard let stored else { return nil }
        let columns = try ChunkCodec.decode(stored.bytes)
        let kept = columns.times.indices.filter { !samples.times.containsSorted(columns.times[$0]) }
        guard kept.count < columns.count else { return nil }
        var rest = Columns()
        for index in kept { rest.append(columns.times[index], columns.values[index], columns.marks[index]) }
        return (
            row, ChunkRow(rest, series: id, position: head.sealedThrough, fresh: rest.count, isOpen: true)
        )
    }

    /// Only under the locks `writing` and `applying`.
    private func carryOut(_ plans: [ImportPlan]) throws {
        guard !plans.isEmpty else { return }
        var summaries: [[ChunkSummary]] = []
        var openRows: [Int64?] = []
        var sizes: [Int] = []
        try self.saveWithNewSeries { db in
            for plan in plans {
                let data = Data(JournalCodec.encode(plan.entry))
                try JournalTable.insert(db, plan.entry, data)
                sizes.append(data.count)
                summaries.append(try plan.rows.map { try $0.insert(into: db) })
                if let openRow = plan.openRow {
                    try db.execute(sql: "DELETE FROM chunk WHERE id = ?", arguments: [openRow.old])
                    openRows.append(try openRow.new?.insert(into: db).id)
                } else {
                    openRows.append(plan.openChunk)
                }
            }
            try Revision.write(plans.flatMap(\.revisions), to: db)
        }
        self.assigning.withLock { assigning in
            for plan in plans { if let last = plan.samples.times.last { assigning.note(last, in: plan.id) } }
        }
        self.memory.withLock { memory in
            for (index, plan) in plans.enumerated() {
                memory[plan.id]
                    .imported(summaries[index], plan.samples, openRow: openRows[index]) {
                        plan.closed.times.containsSorted($0)
                    }
                memory.samples += plan.fresh
                if let last = plan.samples.times.last { memory.noteTime(last) }
            }
        }
        for (plan, bytes) in zip(plans, sizes) { self.noteJournal(plan.entry, bytes: bytes) }
    }
}

extension Array where Element == (labels: Labels, samples: [Sample]) {
    /// One element per series, its samples in order and each time once.
    fileprivate func merged() -> [(labels: Labels, samples: Columns)] {
        var order: [Labels] = []
        var all: [Labels: [Sample]] = [:]
        for (labels, samples) in self {
            if all[labels] == nil { order.append(labels) }
            all[labels, default: []] += samples
        }
        return order.map { labels in
            var samples = all[labels] ?? []
            let isSorted = zip(samples, samples.dropFirst()).allSatisfy { $0.time < $1.time }
            if !isSorted {
                let last = Dictionary(samples.map { ($0.time, $0) }, uniquingKeysWith: { $1 })
                samples = last.values.sorted { $0.time < $1.time }
            }
            var columns = Columns()
            columns.reserveCapacity(samples.count)
            for sample in samples { columns.append(sample.time, sample.value, sample.mark.rawValue) }
            return (labels, columns)
        }
    }
}
