// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Synchronization
import Telemetry

/// Reads blocks from disk, keeps some of them and some decoded chunks, and knows which replaced blocks are still read.
///
/// Blocks never change. A block that a merge replaced stays on disk while a ``Pin`` from before is held, so that a block
/// that was named under the memory's lock may be read after it without losing the moment.
final class BlockFile: Sendable {
    /// Held by whoever reads blocks that were named before.
    final class Pin: Sendable {
        private let file: BlockFile
        private let epoch: Int

        fileprivate init(_ file: BlockFile, epoch: Int) {
            self.file = file
            self.epoch = epoch
        }

        deinit { self.file.unpin(self.epoch) }
    }

    private struct ChunkName: Hashable {
        let block: Int64
        let index: Int
    }

    private struct State {
        var blocks: [Int64: (block: Block, used: UInt64)] = [:]
        var blockBytes = 0
        var chunks: [ChunkName: (columns: Columns, used: UInt64)] = [:]
        var samples = 0
        var clock: UInt64 = 0
        var epoch = 0
        /// Readers by the epoch in which they began.
        var pins: [Int: Int] = [:]
        /// Blocks replaced at the end of an epoch.
        var retired: [(epoch: Int, id: Int64)] = []
    }

    private let pool: DatabasePool
    private let sampleCapacity: Int
    private let byteCapacity: Int
    private let state = Mutex(State())

    /// Makes a reader with bounded caches.
    ///
    /// - Parameters:
    ///   - pool: The database.
    ///   - samples: Decoded samples kept, 17 bytes each.
    ///   - bytes: Bytes of blocks kept.
    init(_ pool: DatabasePool, samples: Int, bytes: Int) {
        self.pool = pool
        self.sampleCapacity = samples
        self.byteCapacity = bytes
    }

    // MARK: Epochs

    func pin() -> Pin {
        self.state.withLock { state in
            state.pins[state.epoch, default: 0] += 1
            return Pin(self, epoch: state.epoch)
        }
    }

    private func unpin(_ epoch: Int) {
        self.state.withLock { state in
            state.pins[epoch] = state.pins[epoch].flatMap { $0 > 1 ? $0 - 1 : nil }
        }
    }

    /// Takes note that blocks are named no more from now on.
    func retire(_ ids: [Int64]) {
        self.state.withLock { state in
            for id in ids { state.retired.append((state.epoch, id)) }
            state.epoch += 1
            for id in ids {
                if let block = state.blocks.removeValue(forKey: id) { state.blockBytes -= block.block.weight }
            }
        }
    }

    /// The replaced blocks that nobody can read any more; the caller removes them.
    func takeUnread() -> [Int64] {
        self.state.withLock { state in
            let oldest = state.pins.keys.min() ?? .max
            let free = state.retired.filter { $0.epoch < oldest }.map(\.id)
            state.retired.removeAll { $0.epoch < oldest }
            return free
        }
    }

    // MARK: Reading

    /// A block by its row; `isKept` is false where it will not be asked for again soon.
    func block(_ id: Int64, isKept: Bool = true) throws -> Block {
        let cached = self.state.withLock { state -> Block? in
            guard let place = state.blocks.index(forKey: id) else { return nil }
            state.clock += 1
            state.blocks.values[place].used = state.clock
            return state.blocks.values[place].block
        }
        if let cached { return cached }
        let data = try self.pool.read { db in
            try Data.fetchOne(
                db.cachedStatement(sql: "SELECT data FROM block_data WHERE id = ?"),
                arguments: [id]
            )
        }
        guard let data else { throw DamagedBlock(id: id, damage: DamagedBytes(message: "is gone", offset: 0)) }
        let block: Block
        do { block = try Block([UInt8](data)) } catch { throw DamagedBlock(id: id, damage: error) }
        if isKept { self.keep(block, id) }
        return block
    }

    /// The samples of those chunks of a series in one block that reach into `[from, through]`, in order of time.
    ///
    /// - Parameters:
    ///   - series: Whose.
    ///   - id: The block.
    ///   - from: The first moment of interest.
    ///   - through: The last one.
    ///   - isKept: False for a pass over everything, whose decoded chunks would only drive out what others use.
    /// - Returns: Whole chunks; empty where there is none.
    /// - Throws: ``DamagedBlock``, or what SQLite says.
    func columns(
        of series: SeriesID,
        in id: Int64,
        from: Timestamp,
        through: Timestamp,
        isKept: Bool = true
    ) throws -> Columns {
        let block = try self.block(id)
        let wanted = block.entries(of: series)
            .filter {
                let statistics = block.entries[$0].statistics
                return statistics.firstTime <= through && statistics.lastTime >= from
            }
        guard isKept || wanted.count == 1 else { return try self.decode(wanted, of: block, id) }
        let parts = try wanted.map { try self.columns(chunk: $0, of: block, id, isKept: isKept) }
        return Columns.merging(parts)
    }

    /// Whether so many decoded samples can be kept without driving out most of what others use.
    func canKeep(_ samples: Int) -> Bool { samples <= self.sampleCapacity / 2 }

    /// The samples of one chunk of a block.
    ///
    /// - Throws: ``DamagedBlock``.
    func columns(chunk index: Int, of block: Block, _ id: Int64, isKept: Bool) throws(DamagedBlock) -> Columns {
        let name = ChunkName(block: id, index: index)
        if let cached = self.cached(name) { return cached }
        let columns = try self.decode([index], of: block, id)
        if isKept { self.keep(columns, name) }
        return columns
    }

    private func decode(_ indices: [Int], of block: Block, _ id: Int64) throws(DamagedBlock) -> Columns {
        var columns = Columns()
        columns.reserveCapacity(indices.reduce(0) { $0 + block.entries[$1].statistics.count })
        for index in indices {
            let entry = block.entries[index]
            do { try block.decode(entry, appendingTo: &columns) } catch {
                throw DamagedBlock(id: id, series: entry.series, damage: error)
            }
        }
        return columns
    }

    private func cached(_ name: ChunkName) -> Columns? {
        self.state.withLock { state in
            guard let place = state.chunks.index(forKey: name) else { return nil }
            state.clock += 1
            state.chunks.values[place].used = state.clock
            return state.chunks.values[place].columns
        }
    }

    private func keep(_ block: Block, _ id: Int64) {
        self.state.withLock { state in
            guard state.blocks[id] == nil else { return }
            state.clock += 1
            state.blocks[id] = (block, state.clock)
            state.blockBytes += block.weight
            guard state.blockBytes > self.byteCapacity else { return }
            for (id, entry) in state.blocks.sorted(by: { $0.value.used < $1.value.used }) {
                guard state.blockBytes > self.byteCapacity / 2 else { break }
                state.blockBytes -= entry.block.weight
                state.blocks[id] = nil
            }
        }
    }

    private func keep(_ columns: Columns, _ name: ChunkName) {
        guard columns.count <= self.sampleCapacity / 4 else { return }
        self.state.withLock { state in
            guard state.chunks[name] == nil else { return }
            state.clock += 1
            state.chunks[name] = (columns, state.clock)
            state.samples += columns.count
            guard state.samples > self.sampleCapacity else { return }
            for (name, entry) in state.chunks.sorted(by: { $0.value.used < $1.value.used }) {
                guard state.samples > self.sampleCapacity / 2 else { break }
                state.samples -= entry.columns.count
                state.chunks[name] = nil
            }
        }
    }
}

/// A block, or one chunk of it, that is not what was written.
struct DamagedBlock: Error {
    let id: Int64
    /// Whose chunk; nil when the block as a whole cannot be read.
    var series: SeriesID?
    let damage: DamagedBytes
}
