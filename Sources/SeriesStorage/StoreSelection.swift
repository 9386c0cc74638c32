// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The series of one request, with what keeps their blocks on disk.
struct StoreSelection: SelectedSeries {
    /// Where the samples of one series are.
    struct Source: Sendable {
        let id: SeriesID
        /// Nil where the head has no samples: the index knows them.
        let labels: Labels?
        let head: Columns
        let places: [BlockPlace]
    }

    private let store: SeriesStore
    private let sources: [Source]
    /// Held for as long as somebody may read.
    private let pin: BlockFile.Pin?
    private let window: TimeWindow
    private let qualities: QualitySet
    private let summarizes: Bool
    /// Decoded chunks of a pass over many series would drive out of the cache what others use.
    private let keepsChunks: Bool

    init(
        _ store: SeriesStore,
        _ sources: [Source],
        pin: BlockFile.Pin?,
        _ window: TimeWindow,
        _ request: SelectRequest
    ) {
        self.store = store
        self.sources = sources
        self.pin = pin
        self.window = window
        self.qualities = request.qualities
        self.summarizes = request.summarizes
        let samples = sources.reduce(0) { $0 + $1.places.reduce(0) { $0 + $1.samples } }
        self.keepsChunks = store.blockFile.canKeep(samples)
    }

    var count: Int { self.sources.count }
    var readsBlocks: Bool { self.sources.contains { !$0.places.isEmpty } }

    func labels(of index: Int) -> Labels {
        self.sources[index].labels ?? self.store.index.labels(of: self.sources[index].id)
    }

    func columns(of index: Int) throws -> SeriesColumns? {
        let admitted = try self.samples(self.sources[index]).admitted(by: self.qualities)
        guard !admitted.times.isEmpty else { return nil }
        return SeriesColumns(
            labels: self.labels(of: index),
            times: admitted.times,
            values: admitted.values,
            marks: admitted.marks
        )
    }

    /// Whether a series has a sample of any quality.
    func hasSamples(_ index: Int) throws -> Bool { try !self.samples(self.sources[index]).isEmpty }

    private func samples(_ source: Source) throws -> Columns {
        let head = source.head.window(after: self.window.after, through: self.window.through)
        guard !source.places.isEmpty else { return head }
        return try self.reporting {
            var parts: [Columns] = []
            for place in source.places {
                let columns = try self.store.blockFile.columns(
                    of: source.id,
                    in: place.id,
                    from: self.window.after + 1,
                    through: self.window.through,
                    isKept: self.keepsChunks
                )
                let part = columns.window(after: self.window.after, through: self.window.through)
                if !part.isEmpty { parts.append(part) }
            }
            return Columns.merging(parts + [head])
        }
    }

    private func reporting<Value>(_ read: () throws -> Value) throws -> Value {
        do { return try read() } catch { throw StorageError(error, path: self.store.path) }
    }
}

// MARK: - Statistics

extension StoreSelection {
    private struct Chunk {
        let place: BlockPlace
        let index: Int
        let statistics: ChunkStatistics

        func isInside(_ window: TimeWindow) -> Bool {
            self.statistics.firstTime > window.after && self.statistics.lastTime <= window.through
        }
    }

    /// Adds up chunks that lie in a window as a whole by their statistics, and decodes those at its borders, each once.
    func summaries(of index: Int, in windows: [TimeWindow]) throws -> SummarizedSeries? {
        guard self.summarizes else { return nil }
        let source = self.sources[index]
        // One window, as of an instant query, is added up where its samples lie.
        if windows.count == 1, let tally = try self.tally(source, windows[0]) {
            return tally.hasNaN ? nil : SummarizedSeries(labels: self.labels(of: index), summaries: [tally.summary])
        }
        let chunks = try self.chunks(of: source)
        let open = source.head.window(after: self.window.after, through: self.window.through)
        guard Self.areApart(chunks, open) else { return nil }
        let known = chunks.map { chunk in
            chunk.statistics.qualities & ~self.qualities.rawValue == 0 && windows.contains(where: chunk.isInside)
        }
        guard known.contains(true) else { return nil }
        var decoded: [Int: Columns] = [:]
        var summaries: [SeriesSummary?] = []
        summaries.reserveCapacity(windows.count)
        for window in windows {
            var tally = SampleTally()
            for (number, chunk) in chunks.enumerated() {
                guard chunk.statistics.firstTime <= window.through, chunk.statistics.lastTime > window.after else {
                    continue
                }
                if known[number], chunk.isInside(window) {
                    tally.add(chunk.statistics)
                    continue
                }
                let columns = try decoded[number] ?? self.decode(chunk)
                decoded[number] = columns
                tally.add(columns, in: window, self.qualities)
            }
            tally.add(open, in: window, self.qualities)
            if tally.hasNaN { return nil }
            summaries.append(tally.summary)
        }
        return SummarizedSeries(labels: self.labels(of: index), summaries: summaries)
    }

    /// What the samples of one window come to; nil where chunks overlap and have to be merged first.
    private func tally(_ source: Source, _ window: TimeWindow) throws -> SampleTally? {
        try self.reporting {
            var tally = SampleTally()
            var newest = Timestamp.distantPast
            for place in source.places {
                let block = try self.store.blockFile.block(place.id)
                for index in block.entries(of: source.id) {
                    let statistics = block.entries[index].statistics
                    guard statistics.firstTime <= window.through, statistics.lastTime > window.after else { continue }
                    guard statistics.firstTime > newest else { return nil }
                    newest = statistics.lastTime
                    if statistics.firstTime > window.after, statistics.lastTime <= window.through,
                        statistics.qualities & ~self.qualities.rawValue == 0
                    {
                        tally.add(statistics)
                    } else {
                        let columns = try self.store.blockFile.columns(
                            chunk: index,
                            of: block,
                            place.id,
                            isKept: self.keepsChunks
                        )
                        tally.add(columns, in: window, self.qualities)
                    }
                }
            }
            guard source.head.times.first.map({ $0 > newest }) ?? true else { return nil }
            tally.add(source.head, in: window, self.qualities)
            return tally
        }
    }

    /// The chunks that reach into the selection's window, in order of time.
    private func chunks(of source: Source) throws -> [Chunk] {
        try self.reporting {
            var chunks: [Chunk] = []
            for place in source.places {
                let block = try self.store.blockFile.block(place.id)
                for index in block.entries(of: source.id) {
                    let statistics = block.entries[index].statistics
                    guard statistics.firstTime <= self.window.through, statistics.lastTime > self.window.after else {
                        continue
                    }
                    chunks.append(Chunk(place: place, index: index, statistics: statistics))
                }
            }
            return chunks.sorted { $0.statistics.firstTime < $1.statistics.firstTime }
        }
    }

    private func decode(_ chunk: Chunk) throws -> Columns {
        try self.reporting {
            let block = try self.store.blockFile.block(chunk.place.id)
            return try self.store.blockFile.columns(
                chunk: chunk.index,
                of: block,
                chunk.place.id,
                isKept: self.keepsChunks
            )
        }
    }

    /// Whether no two of the chunks, in order of time, overlap, and all that is in no block is newer than they are.
    private static func areApart(_ chunks: [Chunk], _ open: Columns) -> Bool {
        for (earlier, later) in zip(chunks, chunks.dropFirst())
        where earlier.statistics.lastTime >= later.statistics.firstTime { return false }
        guard let last = chunks.last, let first = open.times.first else { return true }
        return last.statistics.lastTime < first
    }
}
