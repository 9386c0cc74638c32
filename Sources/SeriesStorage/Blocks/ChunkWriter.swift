// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Encodes columns into chunks and packs these into blocks.
struct ChunkWriter {
    private let chunkSamples: Int
    private var builder: BlockBuilder
    private var scratch: [UInt8] = []

    init(limits: SeriesStore.Limits, shardOf: @escaping (SeriesID) -> Int) {
        self.chunkSamples = min(max(limits.chunkSamples, 1), ChunkCodec.largest)
        self.builder = BlockBuilder(size: limits.blockBytes, shardOf: shardOf)
    }

    /// Encodes samples of a series, newer than those that were added for it before.
    mutating func append(_ columns: Columns, of series: SeriesID) {
        var start = 0
        while start < columns.count {
            // Two chunks of like size serve queries better than a full one and a rest.
            let left = columns.count - start
            let pieces = (left + self.chunkSamples - 1) / self.chunkSamples
            let end = start + (left + pieces - 1) / pieces
            self.scratch.removeAll(keepingCapacity: true)
            let statistics = ChunkCodec.encode(columns.slice(start, end), into: &self.scratch)
            self.builder.append(series, self.scratch, statistics)
            start = end
        }
    }

    /// Takes over a chunk as it is.
    mutating func copy(_ entry: BlockCodec.Entry, of block: Block) {
        let bytes = block.bytes[entry.offset..<entry.offset + entry.length]
        self.builder.append(entry.series, bytes, entry.statistics)
    }

    /// Takes over a chunk that was encoded elsewhere.
    mutating func append(_ chunk: EncodedChunk, of series: SeriesID) {
        self.builder.append(series, chunk.bytes, chunk.statistics)
    }

    /// The blocks that are full.
    mutating func take() -> [(shard: Int, block: SealedBlock)] {
        self.builder.take()
    }

    /// The remaining blocks.
    mutating func finish() -> [(shard: Int, block: SealedBlock)] {
        self.builder.finish()
        return self.builder.take()
    }

    /// Encodes samples into chunks that are not yet of a series.
    static func chunks(of columns: Columns, limits: SeriesStore.Limits) -> [EncodedChunk] {
        let size = min(max(limits.chunkSamples, 1), ChunkCodec.largest)
        let pieces = max(1, (columns.count + size - 1) / size)
        let length = (columns.count + pieces - 1) / pieces
        return stride(from: 0, to: columns.count, by: max(length, 1))
            .map { start in
                var bytes: [UInt8] = []
                let part = columns.slice(start, min(start + length, columns.count))
                let statistics = ChunkCodec.encode(part, into: &bytes)
                return EncodedChunk(bytes: bytes, statistics: statistics)
            }
    }
}

/// A chunk that is in no block yet.
struct EncodedChunk: Sendable {
    let bytes: [UInt8]
    let statistics: ChunkStatistics
}
