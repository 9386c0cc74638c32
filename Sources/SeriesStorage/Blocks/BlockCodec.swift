// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The packed form of a block, version 1: chunks of neighbouring series behind a directory.
///
/// ```
/// ┌─────────┬───────────────┬───────────────┬────────────────┬─────────┬─────────┬─────┐
/// │ version │ base time, ms │ chunks n      │ n × entry      │ CRC-32  │ chunk 0 │ …   │
/// │ u8 = 1  │ signed varint │ varint        │                │ u32 LE  │         │     │
/// └─────────┴───────────────┴───────────────┴────────────────┴─────────┴─────────┴─────┘
/// entry    ┌───────────────────┬─────────────────┬─────────────────┐
///          │ series − previous │ length in bytes │ ChunkStatistics │
///          │ varint            │ varint          │ see there       │
///          └───────────────────┴─────────────────┴─────────────────┘
/// ```
/// The entries are in order of series, and of time within a series; the series before the first one is 0. The checksum
/// covers all before it; each chunk (``ChunkCodec``) has one of its own, so that damage harms one chunk only.
enum BlockCodec {
    static let version: UInt8 = 1

    struct Entry {
        let series: SeriesID
        let statistics: ChunkStatistics
        /// Where the chunk lies in the block.
        let offset: Int
        let length: Int
    }

    static func directory(of bytes: [UInt8]) throws(DamagedBytes) -> [Entry] {
        var reader = ByteReader(bytes)
        guard try reader.byte() == self.version else {
            throw DamagedBytes(message: "has the unknown format version \(bytes[0])", offset: 0)
        }
        let base = try reader.signed()
        var parts: [(series: SeriesID, length: Int, statistics: ChunkStatistics)] = []
        var series: UInt64 = 0
        var total = 0
        let count = try reader.count(ofSize: 8)
        parts.reserveCapacity(count)
        for _ in 0..<count {
            series &+= try reader.varint()
            guard let number = UInt32(exactly: series) else { throw reader.damaged("names an impossible series") }
            let length = try reader.count(ofSize: 1)
            total += length
            parts.append((SeriesID(rawValue: number), length, try ChunkStatistics(from: &reader, base: base)))
        }
        let end = reader.offset
        let stored = try reader.fixed32()
        guard CRC32.checksum(bytes.span.extracting(0..<end)) == stored else {
            throw DamagedBytes(message: "has a directory that fails its checksum", offset: end)
        }
        guard reader.remaining == total else { throw reader.damaged("is not as long as its directory says") }
        var offset = reader.offset
        return parts.map { part in
            defer { offset += part.length }
            return Entry(series: part.series, statistics: part.statistics, offset: offset, length: part.length)
        }
    }
}

/// A block in memory: its bytes with the directory read.
final class Block: Sendable {
    let bytes: [UInt8]
    let entries: [BlockCodec.Entry]

    init(_ bytes: [UInt8]) throws(DamagedBytes) {
        self.bytes = bytes
        self.entries = try BlockCodec.directory(of: bytes)
    }

    /// The indices of a series' entries.
    func entries(of series: SeriesID) -> Range<Int> {
        let start = self.firstEntry { $0 >= series }
        var end = start
        while end < self.entries.count, self.entries[end].series == series { end += 1 }
        return start..<end
    }

    private func firstEntry(where isPast: (SeriesID) -> Bool) -> Int {
        var (low, high) = (0, self.entries.count)
        while low < high {
            let middle = (low + high) / 2
            if isPast(self.entries[middle].series) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// Appends the samples of one chunk.
    func decode(_ entry: BlockCodec.Entry, appendingTo columns: inout Columns) throws(DamagedBytes) {
        let outcome = self.bytes.withUnsafeBytes { bytes -> Result<Void, DamagedBytes> in
            let chunk = UnsafeRawBufferPointer(rebasing: bytes[entry.offset..<entry.offset + entry.length])
            return Result { () throws(DamagedBytes) in
                try ChunkCodec.decode(chunk, count: entry.statistics.count, appendingTo: &columns)
            }
        }
        try outcome.get()
    }

    /// What it takes in a cache.
    var weight: Int { self.bytes.count + self.entries.count * MemoryLayout<BlockCodec.Entry>.stride }
}

/// A block that is complete and has no row yet.
struct SealedBlock: Sendable {
    let firstSeries: SeriesID
    let lastSeries: SeriesID
    let firstTime: Timestamp
    let lastTime: Timestamp
    let chunks: Int
    let samples: Int
    let bytes: [UInt8]
}

/// Packs encoded chunks into blocks of about the wanted size, in order of series.
struct BlockBuilder {
    private let size: Int
    private let shardOf: (SeriesID) -> Int
    private var payload: [UInt8] = []
    private var entries: [(series: SeriesID, length: Int, statistics: ChunkStatistics)] = []
    private var shard = 0
    private(set) var finished: [(shard: Int, block: SealedBlock)] = []

    init(size: Int, shardOf: @escaping (SeriesID) -> Int) {
        self.size = size
        self.shardOf = shardOf
    }

    /// Adds chunks; `series` never falls, and neither do the times within a series.
    mutating func append(_ series: SeriesID, _ chunk: some Collection<UInt8>, _ statistics: ChunkStatistics) {
        let shard = self.shardOf(series)
        if shard != self.shard || self.payload.count + self.entries.count * 24 >= self.size { self.finish() }
        self.shard = shard
        self.payload.append(contentsOf: chunk)
        self.entries.append((series, chunk.count, statistics))
    }

    /// Closes the block that is under way.
    mutating func finish() {
        guard let first = self.entries.first, let last = self.entries.last else { return }
        let base = self.entries.map(\.statistics.firstTime).min() ?? first.statistics.firstTime
        var writer = ByteWriter(capacity: self.payload.count + self.entries.count * 32)
        writer.byte(BlockCodec.version)
        writer.signed(base.milliseconds)
        writer.count(self.entries.count)
        var previous: UInt32 = 0
        for entry in self.entries {
            writer.varint(UInt64(entry.series.rawValue - previous))
            previous = entry.series.rawValue
            writer.count(entry.length)
            entry.statistics.write(to: &writer, base: base.milliseconds)
        }
        writer.fixed(CRC32.checksum(writer.bytes.span))
        self.finished.append(
            (
                self.shard,
                SealedBlock(
                    firstSeries: first.series,
                    lastSeries: last.series,
                    firstTime: base,
                    lastTime: self.entries.map(\.statistics.lastTime).max() ?? base,
                    chunks: self.entries.count,
                    samples: self.entries.reduce(0) { $0 + $1.statistics.count },
                    bytes: writer.bytes + self.payload
                )
            )
        )
        self.payload.removeAll(keepingCapacity: true)
        self.entries.removeAll(keepingCapacity: true)
    }

    /// Takes the blocks that are complete.
    mutating func take() -> [(shard: Int, block: SealedBlock)] {
        defer { self.finished.removeAll() }
        return self.finished
    }
}
