// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Synchronization
package import Telemetry

extension SeriesStore {
    /// Makes a batch durable: readings, refused payloads, deliveries and new series in one transaction, flushed.
    ///
    /// Any thread; commits run one after the other.
    ///
    /// - Parameters:
    ///   - batch: What was read.
    ///   - handOver: Called with the entry before the next commit may begin, so that calls are in order of position.
    ///     Keep it short, and call nothing of the store in it.
    /// - Returns: The entry, ready for ``apply(_:)``.
    /// - Throws: ``StorageError``; then nothing of the batch was committed.
    @discardableResult
    package func commit(
        _ batch: ReadingBatch,
        handOver: (JournalEntry) -> Void = { _ in }
    ) throws -> JournalEntry {
        try self.write(
            deliveries: batch.deliveries,
            quarantined: batch.quarantined,
            settled: batch.settled,
            released: batch.released,
            handOver: handOver
        ) { position in
            var refused: [QuarantineReason: Int] = [:]
            for payload in batch.quarantined {
                for refusal in payload.refusals { refused[refusal.reason, default: 0] += refusal.values }
            }
            return JournalEntry(
                position: position,
                receivedAt: batch.receivedAt,
                content: .readings(try self.assign(batch.readings)),
                refused: refused,
                messages: batch.messages
            )
        }
    }

    /// Makes a clock advance durable, so that a replay of the journal advances the clock at the same place.
    @discardableResult
    package func commitClockAdvance(
        site: String?,
        to: Timestamp,
        at now: Timestamp,
        handOver: (JournalEntry) -> Void = { _ in }
    ) throws -> JournalEntry {
        try self.write(handOver: handOver) { position in
            JournalEntry(position: position, receivedAt: now, content: .clockAdvance(site: site, to: to))
        }
    }

    /// The newest deliveries, oldest first: those that a broker may send again after a crash of ours.
    package func recentDeliveries(limit: Int) throws -> [Delivery] {
        do {
            return try self.pool.read { db in try JournalTable.deliveries(db, limit: limit) }
        } catch {
            throw StorageError(error, path: self.path)
        }
    }

    /// Makes the removal of samples durable; they are gone when the entry is applied.
    ///
    /// - Parameters:
    ///   - series: The stored labels of those concerned; what the store does not know is left out.
    ///   - from: The first moment to go.
    ///   - through: The last one.
    ///   - now: The receive time of the entry.
    ///   - handOver: As in ``commit(_:handOver:)``.
    /// - Returns: The entry, ready for ``apply(_:)``.
    /// - Throws: ``StorageError``; then nothing will be removed.
    @discardableResult
    package func commitRemoval(
        of series: [Labels],
        from: Timestamp,
        through: Timestamp,
        at now: Timestamp,
        handOver: (JournalEntry) -> Void = { _ in }
    ) throws -> JournalEntry {
        try self.write(handOver: handOver) { position in
            let count = self.memory.withLock { $0.count }
            let known = series.compactMap { self.index.id(of: $0) }.filter { Int($0.rawValue) <= count }.sorted()
            let content = JournalEntry.Content.removal(known, from: from, through: through)
            return JournalEntry(position: position, receivedAt: now, content: content)
        }
    }

    private func write(
        deliveries: [Delivery] = [],
        quarantined: [QuarantinedPayload] = [],
        settled: [QuarantinedName] = [],
        released: [Int64] = [],
        handOver: (JournalEntry) -> Void,
        entry makeEntry: (JournalPosition) throws -> JournalEntry
    ) throws -> JournalEntry {
        try self.writing.withLock { state in
            let entry: JournalEntry
            do { entry = try makeEntry(JournalPosition(rawValue: state.next)) } catch {
                throw StorageError(error, path: self.path)
            }
            let data = Data(JournalCodec.encode(entry))
            var rings = state.quarantine
            do {
                try self.saveWithNewSeries { db in
                    try JournalTable.insert(db, entry, data)
                    try JournalTable.insert(db, deliveries, at: entry.position)
                    try rings.remove(db, numbers: released)
                    if !quarantined.isEmpty {
                        try rings.insert(db, quarantined, at: entry.position, limits: self.limits)
                    }
                    try rings.remove(db, settled)
                }
            } catch {
                if case .readings(let readings) = entry.content {
                    self.assigning.withLock { $0.giveBack(readings) }
                }
                throw StorageError(error, path: self.path)
            }
            state.quarantine = rings
            state.next += 1
            self.noteJournal(entry, bytes: data.count)
            handOver(entry)
            self.boundWAL(at: entry.position)
            return entry
        }
    }

    /// Runs a transaction that also writes the rows of series that have none yet; only under the lock `writing`.
    func saveWithNewSeries(_ body: (Database) throws -> Void) throws {
        let (index, unsaved) = self.memory.withLock { ($0.index, $0.savedSeries..<$0.count) }
        try self.pool.write { db in
            for number in unsaved {
                let packed = index.packedLabels(of: SeriesID(rawValue: UInt32(number + 1)))
                let labels = Data(LabelsCodec.row(of: packed))
                try db.cachedStatement(sql: "INSERT INTO series (id, labels) VALUES (?, ?)")
                    .execute(arguments: [number + 1, labels])
            }
            try body(db)
        }
        if !unsaved.isEmpty { self.memory.withLock { $0.savedSeries += unsaved.count } }
    }

    func noteJournal(_ entry: JournalEntry, bytes: Int) {
        self.journalSize.withLock { size in
            size.entries += 1
            size.bytes += bytes
            if case .readings(let readings) = entry.content { size.readings += readings.count }
        }
    }

    /// Finds the numbers and the final times of readings; on an error nothing stays taken.
    private func assign(_ readings: [ResolvedReading]) throws -> [JournalReading] {
        try self.assigning.withLock { assigning in
            var result: [JournalReading] = []
            result.reserveCapacity(readings.count)
            do {
                for reading in readings {
                    let id = self.number(of: reading.series)
                    var sample = reading.sample
                    if reading.hasOwnTime {
                        assigning.take(sample.time, in: id, newest: self.newestBound(of: id))
                    } else {
                        sample.time = try assigning.takeFree(
                            from: sample.time,
                            in: id,
                            newest: self.newestBound(of: id)
                        ) { try self.isStored($0, id) }
                    }
                    result.append(JournalReading(series: id, sample: sample, isRevision: reading.isRevision))
                }
            } catch {
                assigning.giveBack(result)
                throw error
            }
            return result
        }
    }

    private func number(of key: SeriesKey) -> SeriesID {
        let note = key.storeNote.load(ordering: .relaxed)
        if note >> 32 == UInt64(self.tag) { return SeriesID(rawValue: UInt32(truncatingIfNeeded: note)) }
        let id = self.memory.withLock { $0.insert(key.labels) }
        key.storeNote.store(UInt64(self.tag) << 32 | UInt64(id.rawValue), ordering: .relaxed)
        return id
    }

    private func newestBound(of id: SeriesID) -> Timestamp {
        self.memory.withLock { $0[id].newestBound }
    }

    private func isStored(_ time: Timestamp, _ id: SeriesID) throws -> Bool {
        let found = self.memory.withLock { memory -> (isHere: Bool, places: [BlockPlace], pin: BlockFile.Pin?) in
            guard memory.mustAsk(about: time, of: id) else { return (memory[id].holds(time), [], nil) }
            return (false, memory[shardOf: id].blocks(of: id, from: time, through: time), self.blockFile.pin())
        }
        defer { withExtendedLifetime(found.pin) {} }
        if found.isHere { return true }
        return try found.places.contains { place in
            try self.blockFile.columns(of: id, in: place.id, from: time, through: time).times.containsSorted(time)
        }
    }
}
