// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// What is known of a block without reading it.
struct BlockSummary: Sendable {
    /// The row of its bytes.
    let id: Int64
    let firstSeries: SeriesID
    let lastSeries: SeriesID
    let firstTime: Timestamp
    let lastTime: Timestamp
    let chunks: Int
    let samples: Int
    let bytes: Int

    init(id: Int64, _ block: SealedBlock) {
        self.init(
            id: id,
            firstSeries: block.firstSeries,
            lastSeries: block.lastSeries,
            firstTime: block.firstTime,
            lastTime: block.lastTime,
            chunks: block.chunks,
            samples: block.samples,
            bytes: block.bytes.count
        )
    }

    init(
        id: Int64,
        firstSeries: SeriesID,
        lastSeries: SeriesID,
        firstTime: Timestamp,
        lastTime: Timestamp,
        chunks: Int,
        samples: Int,
        bytes: Int
    ) {
        self.id = id
        self.firstSeries = firstSeries
        self.lastSeries = lastSeries
        self.firstTime = firstTime
        self.lastTime = lastTime
        self.chunks = chunks
        self.samples = samples
        self.bytes = bytes
    }
}

extension BlockSummary {
    /// About how many samples are decoded of one series for a span: a chunk at least.
    func samples(_ from: Timestamp, _ through: Timestamp) -> Int {
        let each = self.samples / (Int(self.lastSeries.rawValue - self.firstSeries.rawValue) + 1)
        let overlap = (min(self.lastTime, through) - max(self.firstTime, from)).seconds
        let share = min(1, max(0, overlap) / max(1, (self.lastTime - self.firstTime).seconds))
        return max(self.samples / max(1, self.chunks), Int(Double(each) * share))
    }
}

extension Milliseconds {
    fileprivate var seconds: Double { Double(self) / 1000 }
}

/// The blocks that one sealing, import or merge wrote for one shard.
struct Segment: Sendable {
    /// Of two segments that hold the same time of a series, the one with the higher number counts.
    let generation: Int64
    /// The journal position that the content covers; for an import, the position of its entry.
    let position: JournalPosition
    /// In order of series; a series with many samples may fill several.
    let blocks: [BlockSummary]
    let firstTime: Timestamp
    let lastTime: Timestamp
    let chunks: Int
    let samples: Int
    init(generation: Int64, position: JournalPosition, blocks: [BlockSummary]) {
        self.generation = generation
        self.position = position
        self.blocks = blocks
        self.firstTime = blocks.map(\.firstTime).min() ?? .distantFuture
        self.lastTime = blocks.map(\.lastTime).max() ?? .distantPast
        self.chunks = blocks.reduce(0) { $0 + $1.chunks }
        self.samples = blocks.reduce(0) { $0 + $1.samples }
    }

    /// Calls `body` with the blocks that may hold samples of a series in `[from, through]`.
    @inline(__always)
    func eachBlock(
        of series: SeriesID,
        from: Timestamp,
        through: Timestamp,
        _ body: (BlockSummary) -> Void
    ) {
        guard self.firstTime <= through, self.lastTime >= from else { return }
        let blocks = self.blocks.span
        var (low, high) = (0, blocks.count)
        while low < high {
            let middle = (low + high) / 2
            if blocks[middle].lastSeries < series { low = middle + 1 } else { high = middle }
        }
        while low < blocks.count, blocks[low].firstSeries <= series {
            let block = blocks[low]
            if block.firstTime <= through, block.lastTime >= from { body(block) }
            low += 1
        }
    }

    /// The blocks that may hold samples of a series in `[from, through]`.
    func blocks(of series: SeriesID, from: Timestamp, through: Timestamp) -> [BlockSummary] {
        var result: [BlockSummary] = []
        self.eachBlock(of: series, from: from, through: through) { result.append($0) }
        return result
    }
}

/// A range of consecutive series numbers: what is sealed and merged together.
struct Shard: Sendable {
    /// By number within the shard.
    var heads: [SeriesHead] = []
    /// In order of generation.
    var segments: [Segment] = []
    /// Journal entries up to here are in the blocks, as far as these series go.
    var sealedThrough = JournalPosition.start

    /// A chunk's place: of all blocks that may hold a series in a span, oldest generation first.
    func blocks(of series: SeriesID, from: Timestamp, through: Timestamp) -> [BlockPlace] {
        var result: [BlockPlace] = []
        // Lent, not copied: a copy of each segment would be counted for each series.
        let segments = self.segments.span
        for index in segments.indices {
            let position = segments[index].position
            segments[index]
                .eachBlock(of: series, from: from, through: through) { block in
                    result.append(BlockPlace(id: block.id, position: position, samples: block.samples(from, through)))
                }
        }
        return result
    }
}

/// Where to look for samples of a series, and what journal position they cover.
struct BlockPlace: Sendable, Hashable {
    let id: Int64
    let position: JournalPosition
    /// About so many samples are decoded there.
    let samples: Int
}
