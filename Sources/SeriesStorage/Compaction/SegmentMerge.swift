// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Spans of series that are to go.
struct SpanRemoval: Sendable {
    /// What happens to samples of a series.
    enum Effect {
        case none
        case some
        case all
    }

    /// In order and apart from each other.
    var spans: [SeriesID: [ClosedRange<Timestamp>]]

    /// What happens to those in `[first, last]`.
    func effect(on series: SeriesID, first: Timestamp, last: Timestamp) -> Effect {
        guard let touching = self.spans[series]?.filter({ $0.overlaps(first...last) }), !touching.isEmpty else {
            return .none
        }
        return touching.contains { $0.contains(first) && $0.contains(last) } ? .all : .some
    }

    /// The samples that stay.
    func rest(of columns: Columns, of series: SeriesID) -> Columns {
        var result = columns
        for span in self.spans[series] ?? [] {
            let low = result.times.lowerBound(span.lowerBound)
            let high = result.times.upperBound(span.upperBound)
            if low < high { result.removeSubrange(low..<high) }
        }
        return result
    }
}

/// Merges segments of one shard, series by series, holding one block of each and the samples of one series.
struct SegmentMerge {
    private var cursors: [Cursor]
    private let removal: SpanRemoval?
    private var writer: ChunkWriter

    /// Prepares a merge.
    ///
    /// - Parameters:
    ///   - segments: In order of generation; with none between them that overlaps.
    ///   - file: Reads their blocks.
    ///   - limits: Sizes of chunks and blocks.
    ///   - removal: What is left out; nil for nothing.
    init(_ segments: [Segment], in file: BlockFile, limits: SeriesStore.Limits, removal: SpanRemoval? = nil) {
        self.cursors = segments.map { Cursor($0, file) }
        self.removal = removal
        self.writer = ChunkWriter(limits: limits, shardOf: { _ in 0 })
    }

    /// Runs to the end; `emit` takes blocks as they become full.
    mutating func run(emit: ([SealedBlock]) throws -> Void) throws {
        while true {
            var series: SeriesID?
            for index in self.cursors.indices {
                guard let next = try self.cursors[index].next() else { continue }
                series = series.map { min($0, next) } ?? next
            }
            guard let series else { break }
            try self.merge(series)
            let full = self.writer.take()
            if !full.isEmpty { try emit(full.map(\.block)) }
        }
        try emit(self.writer.finish().map(\.block))
    }

    private mutating func merge(_ series: SeriesID) throws {
        var sources: [[Cursor.Chunk]] = []
        for index in self.cursors.indices {
            let chunks = try self.cursors[index].take(series)
            if !chunks.isEmpty { sources.append(chunks) }
        }
        if sources.count == 1 {
            for chunk in sources[0] { try self.rewrite(chunk) }
            return
        }
        let merged = Columns.merging(try sources.map { try Cursor.Chunk.decode($0) })
        self.writer.append(self.removal?.rest(of: merged, of: series) ?? merged, of: series)
    }

    private mutating func rewrite(_ chunk: Cursor.Chunk) throws {
        let (series, statistics) = (chunk.entry.series, chunk.entry.statistics)
        switch self.removal?.effect(on: series, first: statistics.firstTime, last: statistics.lastTime) ?? .none {
        case .none: self.writer.copy(chunk.entry, of: chunk.block)
        case .all: break
        case .some:
            let columns = try Cursor.Chunk.decode([chunk])
            self.writer.append(self.removal?.rest(of: columns, of: series) ?? columns, of: series)
        }
    }
}

/// Goes through the chunks of a segment in order of series.
private struct Cursor {
    struct Chunk {
        let id: Int64
        let block: Block
        let entry: BlockCodec.Entry

        /// The samples of chunks that follow each other.
        static func decode(_ chunks: [Chunk]) throws(DamagedBlock) -> Columns {
            var columns = Columns()
            columns.reserveCapacity(chunks.reduce(0) { $0 + $1.entry.statistics.count })
            for chunk in chunks {
                do { try chunk.block.decode(chunk.entry, appendingTo: &columns) } catch {
                    throw DamagedBlock(id: chunk.id, series: chunk.entry.series, damage: error)
                }
            }
            return columns
        }
    }

    private let file: BlockFile
    private let blocks: [BlockSummary]
    private var place = 0
    private var block: Block?
    private var index = 0

    init(_ segment: Segment, _ file: BlockFile) {
        self.file = file
        self.blocks = segment.blocks
    }

    /// The series whose chunk comes next; nil at the end.
    mutating func next() throws -> SeriesID? {
        while true {
            if let block, self.index < block.entries.count { return block.entries[self.index].series }
            if self.block != nil {
                self.place += 1
                self.block = nil
                self.index = 0
            }
            guard self.place < self.blocks.count else { return nil }
            self.block = try self.file.block(self.blocks[self.place].id, isKept: false)
        }
    }

    /// The chunks of a series, if it comes next.
    mutating func take(_ series: SeriesID) throws -> [Chunk] {
        var chunks: [Chunk] = []
        while try self.next() == series, let block = self.block {
            chunks.append(Chunk(id: self.blocks[self.place].id, block: block, entry: block.entries[self.index]))
            self.index += 1
        }
        return chunks
    }
}
