// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Telemetry

/// Reads head and blocks as one.
///
/// What belongs to a request is named under one lock: references to the head's columns and the rows of blocks, which
/// never change and are held by a pin. The rest happens outside of it, so that a long query does not hold up the processor.
struct StoreReader: SeriesReader {
    /// A state of the memory, and what keeps its blocks on disk.
    struct Moment: Sendable {
        let memory: SeriesMemory
        let pin: BlockFile.Pin
    }

    let store: SeriesStore
    /// The moment that is shown; nil for the present one.
    var frozen: Moment?

    /// So many series are worth all cores.
    private static let parallelFrom = 64

    private struct Source: Sendable {
        let id: SeriesID
        let labels: Labels?
        let head: Columns
        let places: [BlockPlace]
    }

    func select(_ request: SelectRequest) throws -> [SeriesColumns] {
        let after: Timestamp
        switch request.extent {
        case .window(let start, _): after = start
        case .lookback(let from, _): after = from - ReportSchedule.unregisteredLookback
        }
        return try self.read(request.matchers, after, request.extent.through)
            .compactMap { labels, all in
                let admitted = all.admitted(by: request.qualities)
                guard !admitted.times.isEmpty else { return nil }
                return SeriesColumns(
                    labels: labels,
                    times: admitted.times,
                    values: admitted.values,
                    marks: admitted.marks
                )
            }
    }

    func series(matching matchers: [LabelMatcher], after: Timestamp, through: Timestamp) throws -> [Labels] {
        if after == .distantPast, through == .distantFuture { return self.known(matching: matchers) }
        return try self.read(matchers, after, through).map(\.labels)
    }

    /// All series that match, whether they have samples or not.
    private func known(matching matchers: [LabelMatcher]) -> [Labels] {
        let count = self.frozen?.memory.count ?? self.store.memory.withLock { $0.count }
        let index = self.store.index
        return index.matching(matchers, below: SeriesID(rawValue: UInt32(count))).map { index.labels(of: $0) }
    }

    /// The samples in `(after, through]` of the series that have any.
    private func read(
        _ matchers: [LabelMatcher],
        _ after: Timestamp,
        _ through: Timestamp
    ) throws -> [(labels: Labels, columns: Columns)] {
        guard after < through else { return [] }
        let (sources, pin) = self.sources(matchers, after, through)
        defer { withExtendedLifetime(pin) {} }
        do {
            // A pass over much would drive out of the caches what the rules use.
            let isKept = sources.count <= 1000
            let read = { @Sendable (source: Source) throws -> (labels: Labels, columns: Columns)? in
                let columns = try self.columns(of: source, after, through, isKept: isKept)
                return columns.isEmpty ? nil : (source.labels ?? self.store.index.labels(of: source.id), columns)
            }
            guard sources.count >= Self.parallelFrom, sources.contains(where: { !$0.places.isEmpty }) else {
                return try sources.compactMap(read)
            }
            return try sources.concurrentCompactMap(read)
        } catch {
            throw StorageError(error, path: self.store.path)
        }
    }

    private func sources(
        _ matchers: [LabelMatcher],
        _ after: Timestamp,
        _ through: Timestamp
    ) -> ([Source], BlockFile.Pin?) {
        let ids = self.store.index.matching(matchers, below: SeriesID(rawValue: .max))
        if let frozen = self.frozen { return (self.sources(in: frozen.memory, ids, after, through), frozen.pin) }
        return self.store.memory.withLock { memory in
            let sources = self.sources(in: memory, ids, after, through)
            return (sources, sources.contains { !$0.places.isEmpty } ? self.store.blockFile.pin() : nil)
        }
    }

    private func sources(
        in memory: borrowing SeriesMemory,
        _ ids: [SeriesID],
        _ after: Timestamp,
        _ through: Timestamp
    ) -> [Source] {
        var result: [Source] = []
        result.reserveCapacity(ids.count)
        for id in ids {
            guard Int(id.rawValue) <= memory.count else { break }
            let head = memory[id]
            let columns = head.columns
            let end = min(through, head.evictedThrough)
            let places = after < end ? memory[shardOf: id].blocks(of: id, from: after + 1, through: end) : []
            let isHere = columns.times.last.map { $0 > after } ?? false
            guard isHere || !places.isEmpty else { continue }
            result.append(Source(id: id, labels: head.key?.labels, head: columns, places: places))
        }
        return result
    }

    private func columns(
        of source: Source,
        _ after: Timestamp,
        _ through: Timestamp,
        isKept: Bool
    ) throws -> Columns {
        let head = source.head.window(after: after, through: through)
        guard !source.places.isEmpty else { return head }
        let file = self.store.blockFile
        var parts: [Columns] = []
        for place in source.places {
            let columns = try file.columns(
                of: source.id,
                in: place.id,
                from: after + 1,
                through: through,
                isKept: isKept
            )
            let part = columns.window(after: after, through: through)
            if !part.isEmpty { parts.append(part) }
        }
        return Columns.merging(parts + [head])
    }
}
