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

    func select(_ request: SelectRequest) throws -> [SeriesColumns] {
        try self.all(of: self.storeSelection(request)) { try $0.columns(of: $1) }
    }

    func selection(_ request: SelectRequest) throws -> any SelectedSeries { self.storeSelection(request) }

    func series(matching matchers: [LabelMatcher], after: Timestamp, through: Timestamp) throws -> [Labels] {
        if after == .distantPast, through == .distantFuture { return self.known(matching: matchers) }
        let request = SelectRequest(
            matchers: matchers,
            extent: .window(after: after, through: through),
            qualities: .all
        )
        return try self.all(of: self.storeSelection(request)) { try $0.hasSamples($1) ? $0.labels(of: $1) : nil }
    }

    /// All series that match, whether they have samples or not.
    private func known(matching matchers: [LabelMatcher]) -> [Labels] {
        let count = self.frozen?.memory.count ?? self.store.memory.withLock { $0.count }
        let index = self.store.index
        return index.matching(matchers, below: SeriesID(rawValue: UInt32(count))).map { index.labels(of: $0) }
    }

    private func all<Value: Sendable>(
        of selection: StoreSelection,
        _ read: @escaping @Sendable (StoreSelection, Int) throws -> Value?
    ) throws -> [Value] {
        guard selection.count >= Self.parallelFrom, selection.readsBlocks else {
            return try (0..<selection.count).compactMap { try read(selection, $0) }
        }
        return try AllCores().map(selection.count) { try $0.compactMap { try read(selection, $0) } }.flatMap { $0 }
    }

    private func storeSelection(_ request: SelectRequest) -> StoreSelection {
        let after: Timestamp
        switch request.extent {
        case .window(let start, _): after = start
        case .lookback(let from, _): after = from - ReportSchedule.unregisteredLookback
        }
        let window = TimeWindow(after: after, through: request.extent.through)
        guard window.after < window.through else { return StoreSelection(self.store, [], pin: nil, window, request) }
        let ids = self.store.index.matching(request.matchers, below: SeriesID(rawValue: .max))
        if let frozen = self.frozen {
            let sources = self.sources(in: frozen.memory, ids, window, request)
            return StoreSelection(self.store, sources, pin: frozen.pin, window, request)
        }
        let (sources, pin) = self.store.memory.withLock { memory in
            let sources = self.sources(in: memory, ids, window, request)
            return (sources, sources.contains { !$0.places.isEmpty } ? self.store.blockFile.pin() : nil)
        }
        return StoreSelection(self.store, sources, pin: pin, window, request)
    }

    private func sources(
        in memory: borrowing SeriesMemory,
        _ ids: [SeriesID],
        _ window: TimeWindow,
        _ request: SelectRequest
    ) -> [StoreSelection.Source] {
        var result: [StoreSelection.Source] = []
        result.reserveCapacity(ids.count)
        for id in ids {
            guard Int(id.rawValue) <= memory.count else { break }
            let head = memory[id]
            // Statistics are asked of every block, so that of the head only what is in none may be added.
            let columns = request.summarizes ? head.open : head.columns
            let end = request.summarizes ? window.through : min(window.through, head.evictedThrough)
            let places =
                window.after < end ? memory[shardOf: id].blocks(of: id, from: window.after + 1, through: end) : []
            let isHere = columns.times.last.map { $0 > window.after } ?? false
            guard isHere || !places.isEmpty else { continue }
            result.append(StoreSelection.Source(id: id, labels: head.key?.labels, head: columns, places: places))
        }
        return result
    }
}
