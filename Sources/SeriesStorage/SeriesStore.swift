// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Synchronization
package import Telemetry

/// The time-series database, `samples.db`.
///
/// ## Usage
/// ```swift
/// let store = try SeriesStore(path: "data/samples.db", processed: catalogue.processedPosition)
/// for entry in try store.entries(after: store.appliedPosition, limit: 1000) { process(try store.apply(entry)) }
/// try store.commit(batch) { queue.append($0) }      // ingest threads; on disk when it returns
/// let (applied, counts) = try store.apply(entry)    // the one processor thread, in order of position
/// try store.seal(through: processed)                // the same thread, after it saved its position
/// ```
///
/// ## Five locks, always taken in this order
/// `writing` (one commit at a time, fsync included) → `applying` (processor and import) → `merging` (what rewrites blocks)
/// → `assigning` (free times) → `memory` (heads and segments; held for microseconds only, never while the disk is read or
/// written). The label index has a lock of its own below them.
package final class SeriesStore: Sendable {
    /// When a commit counts as durable.
    package enum Synchronous: Int, Sendable {
        /// Nothing is flushed: a power cut loses commits. Only for showing that a test notices.
        case off = 0
        /// Flushed with every commit.
        case full = 2
    }

    /// Sizes that trade memory, file size and the time to open against each other.
    package struct Limits: Sendable {
        /// Samples of a chunk, at most ``ChunkCodec/largest``: a week of five minutes.
        ///
        /// A window decodes whole chunks, and each costs some 50 bytes beside its samples.
        package var chunkSamples = 2048
        /// Bytes of a block; a query reads whole blocks.
        package var blockBytes = 128 << 10
        /// Series that are sealed and merged together; fixed when the file is made.
        package var seriesPerShard = 4096
        /// So many neighbouring segments of like size are merged into one.
        package var mergeFactor = 4
        /// Samples in blocks that stay in memory per series.
        package var residentSamples = 480
        /// And of all series together, 17 bytes each.
        package var residentTotal = 8_000_000
        /// Decoded samples of chunks that were read, 17 bytes each.
        package var cachedSamples = 4_000_000
        /// Bytes of blocks that were read.
        package var cachedBytes = 32 << 20
        /// Sealing waits until the journal holds so many readings.
        package var journalReadings = 1_000_000
        /// Or so many bytes.
        package var journalBytes = 64 << 20
        /// Bytes that one transaction of a merge or an import writes, about; commits wait no longer than one takes.
        package var transactionBytes = 4 << 20
        /// Deliveries that outlive their journal row.
        package var deliveries = 131_072
        /// Quarantined payloads per device, and in all.
        package var quarantinePerDevice = 1000
        package var quarantineTotal = 10_000
        /// A WAL with more bytes than this that are in use is worth a checkpoint.
        package var checkpointBytes = 32 << 20
        /// A WAL beyond this is checkpointed by the committing thread, if nobody else did.
        package var walBytes = 256 << 20

        package init() {}
    }

    /// Tells the notes of this store on series keys from those of others in the process.
    let tag: UInt32
    let path: String
    let limits: Limits
    let pool: DatabasePool
    /// A connection of its own, so that a checkpoint does not hold up commits.
    let checkpointer: DatabaseQueue
    /// Pages in the WAL since it last began afresh.
    let walPages: WALPages
    let blockFile: BlockFile
    let writing: Mutex<WriteState>
    let applying: Mutex<ApplyState>
    let merging = Mutex(MergeState())
    let assigning: Mutex<TimeAssignment>
    let memory: Mutex<SeriesMemory>
    /// The one that the memory refers to.
    let index: LabelIndex
    let journalSize: Mutex<JournalSize>
    /// Duplicates since the start, of the series that had any.
    let repeated = Mutex<[SeriesID: Int]>([:])
    /// Batches that the rules had processed and that the file does not have.
    ///
    /// These are acknowledged readings that the disk lost. A write-ahead log that was cut off leaves no other trace.
    package let lostBatches: Int
    /// Copies that are under way: while there is one, nothing is sealed, merged or thinned.
    let maintenancePauses = Atomic(0)

    /// Opens or creates the database and loads what was processed.
    ///
    /// - Parameters:
    ///   - path: The file; its directory must exist, and no other process may use it.
    ///   - processed: Up to where the rules have processed the journal; the entries after it wait in ``entries(after:limit:)``.
    ///   - synchronous: `full` but for a test.
    ///   - limits: Sizes.
    /// - Throws: ``StorageError``.
    package init(
        path: String,
        processed: JournalPosition,
        synchronous: Synchronous = .full,
        limits: Limits = Limits()
    ) throws {
        do {
            self.tag = SeriesStore.nextTag.wrappingAdd(1, ordering: .relaxed).newValue
            self.path = path
            self.limits = limits
            try WriteAheadLog.refuseDamage(of: path)
            let pool = try SeriesStore.openPool(path, synchronous, limits)
            self.pool = pool
            let walPages = WALPages()
            self.walPages = walPages
            pool.writeWithoutTransaction { walPages.follow($0) }
            self.checkpointer = try SeriesStore.openCheckpointer(path, synchronous)
            let blockFile = BlockFile(pool, samples: limits.cachedSamples, bytes: limits.cachedBytes)
            self.blockFile = blockFile
            let loaded = try StoreLoader.load(from: pool, blockFile, limits, processed: processed)
            self.writing = Mutex(loaded.writing)
            self.applying = Mutex(loaded.applying)
            self.assigning = Mutex(loaded.assigning)
            self.index = loaded.memory.index
            self.memory = Mutex(loaded.memory)
            self.journalSize = Mutex(loaded.journalSize)
            self.lostBatches = loaded.lostBatches
        } catch {
            throw StorageError(error, path: path)
        }
    }

    /// The position up to which entries were applied; right after opening, `processed`.
    package var appliedPosition: JournalPosition { self.applying.withLock { $0.applied } }

    /// The newest committed position.
    package var committedPosition: JournalPosition {
        JournalPosition(rawValue: self.writing.withLock { $0.next } - 1)
    }

    /// Reads head and chunks together; each `select` sees whole batches.
    package var reader: any SeriesReader { StoreReader(store: self) }

    /// A reader that stays at the present moment: for a query with several selectors.
    ///
    /// Costs the processor a copy of a shard's heads (some 20 µs) and of each series' newest samples when they change
    /// next, and keeps blocks on disk that are merged meanwhile; let go of it after the query. The rules, which run on
    /// the processor's thread, need only ``reader``.
    package func snapshot() -> any SeriesReader {
        let (memory, pin) = self.memory.withLock { ($0, self.blockFile.pin()) }
        return StoreReader(store: self, frozen: StoreReader.Moment(memory: memory, pin: pin))
    }

    /// Closes the files; nothing may be called after it.
    package func close() throws {
        do {
            try self.checkpointer.close()
            try self.pool.close()
        } catch {
            throw StorageError(error, path: self.path)
        }
    }

    private static let nextTag = Atomic<UInt32>(0)

    private static func openPool(
        _ path: String,
        _ synchronous: Synchronous,
        _ limits: Limits
    ) throws -> DatabasePool {
        var configuration = Configuration()
        configuration.label = "samples.db"
        configuration.busyMode = .timeout(10)
        configuration.maximumReaderCount = 4
        configuration.prepareDatabase { db in
            // Before the file has a first page, so that those of dropped blocks can go back to the file system.
            if !db.configuration.readonly { try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL") }
        }
        let pool = try DatabasePool(path: path, configuration: configuration)
        let migrator = Schema.migrator
        if try pool.read(migrator.hasBeenSuperseded) {
            throw StorageError(
                code: .newerSchema,
                message: "\(path) was written by a newer version of poyang; run that version, or restore a backup "
                    + "made by this one"
            )
        }
        try migrator.migrate(pool)
        // Opening a pool sets `synchronous` to NORMAL, whatever the configuration says: so it is set after that.
        // The WAL is checkpointed elsewhere. It begins afresh in the file that is there: only what is beyond the size limit
        // is cut off, because a file system may take 100 ms for that (ext4 with `discard`), while readings wait.
        try pool.writeWithoutTransaction { db in
            try db.execute(
                sql: """
                    PRAGMA synchronous = \(synchronous.rawValue);
                    PRAGMA wal_autocheckpoint = 0;
                    PRAGMA journal_size_limit = \(limits.walBytes)
                    """
            )
        }
        return pool
    }

    private static func openCheckpointer(_ path: String, _ synchronous: Synchronous) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "samples.db checkpoints"
        // While it waits for readers nobody can write; writers wait longer than this.
        configuration.busyMode = .timeout(1)
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA synchronous = \(synchronous.rawValue); PRAGMA wal_autocheckpoint = 0")
        }
        return try DatabaseQueue(path: path, configuration: configuration)
    }
}
