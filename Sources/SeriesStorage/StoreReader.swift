// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Telemetry

/// Reads head and chunks as one.
///
/// What belongs to a request is named under one lock: references to the head's columns and the rows of closed chunks,
/// which never change. The rest happens outside of it, so that a long query does not hold up the processor.
struct StoreReader: SeriesReader {
    let store: SeriesStore
    /// The moment that is shown; nil for the present one.
    var frozen: SeriesMemory?

    private struct Source {
        let labels: Labels
        let head: Columns
        let chunks: [ChunkSummary]
    }

    func select(_ request: SelectRequest) throws -> [SeriesColumns] {
        let after: Timestamp
        switch request.extent {
        case .window(let start, _): after = start
        case .lookback(let from, _): after = from - ReportSchedule.unregisteredLookback
        }
        let through = request.extent.through
        return try self.read(self.sources(request.matchers, after, through), after, through)
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
        try self.read(self.sources(matchers, after, through), after, through).map(\.labels)
    }

    private func sources(_ matchers: [LabelMatcher], _ after: Timestamp, _ through: Timestamp) -> [Source] {
        if let frozen = self.frozen { return self.sources(in: frozen, matchers, after, through) }
        return self.store.memory.withLock { self.sources(in: $0, matchers, after, through) }
    }

    private func sources(
        in memory: borrowing SeriesMemory,
        _ matchers: [LabelMatcher],
        _ after: Timestamp,
        _ through: Timestamp
    ) -> [Source] {
        var result: [Source] = []
        for id in memory.index.matching(matchers) {
            guard let key = memory.index.key(of: id) else { continue }
            let head = memory[id].columns
            let chunks = memory[id].chunks(after: after, through: through)
            let isHere = head.times.last.map { $0 > after } ?? false
            if isHere || !chunks.isEmpty { result.append(Source(labels: key.labels, head: head, chunks: chunks)) }
        }
        return result
    }

    /// The samples in `(after, through]` of the series that have any.
    private func read(
        _ sources: [Source],
        _ after: Timestamp,
        _ through: Timestamp
    ) throws -> [(labels: Labels, columns: Columns)] {
        do {
            let chunks = try self.store.chunkFile.columns(of: sources.flatMap { $0.chunks.map(\.id) })
            return sources.compactMap { source in
                let head = source.head.window(after: after, through: through)
                guard !source.chunks.isEmpty else { return head.isEmpty ? nil : (source.labels, head) }
                let older = source.chunks.compactMap { chunks[$0.id]?.window(after: after, through: through) }
                let all = Columns.merging(older + [head])
                return all.isEmpty ? nil : (source.labels, all)
            }
        } catch {
            throw StorageError(error, path: self.store.path)
        }
    }
}
