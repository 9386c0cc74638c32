// poyang
// SPDX-License-Identifier: Apache-2.0

import GRDB
import Synchronization
package import Telemetry

/// How long samples of a series are kept, and how densely.
package struct SeriesRetention: Sendable, Hashable {
    /// What a thinned interval keeps.
    package enum Aggregate: String, Sendable, CaseIterable {
        case average
        case minimum
        case maximum
        case sum
        case last
    }

    /// One sample per interval instead of all, for what is old.
    package struct Thinning: Sendable, Hashable {
        /// Samples before this moment are thinned; rounded down to whole intervals since the Unix epoch.
        package var before: Timestamp
        /// Intervals are `(k × interval, (k + 1) × interval]`; the sample that stays is at their end.
        package var interval: Milliseconds
        package var aggregate: Aggregate

        package init(before: Timestamp, interval: Milliseconds, aggregate: Aggregate) {
            self.before = before
            self.interval = interval
            self.aggregate = aggregate
        }
    }

    /// Samples before this moment go.
    package var keepFrom: Timestamp
    package var thinnings: [Thinning]

    package init(keepFrom: Timestamp = .distantPast, thinnings: [Thinning] = []) {
        self.keepFrom = keepFrom
        self.thinnings = thinnings
    }
}

extension SeriesStore {
    /// Removes what is too old and thins what is old.
    ///
    /// The processor waits for one shard at a time. What is in the journal only is thinned once it is sealed, and so is
    /// what follows it in its series.
    ///
    /// - Parameter retention: What holds for a series; nil where everything is kept.
    /// - Returns: By how many samples the store is smaller.
    /// - Throws: ``StorageError``; what was removed until then stays removed.
    @discardableResult
    package func enforce(_ retention: (Labels) -> SeriesRetention?) throws -> Int {
        guard !self.isMaintenancePaused else { return 0 }
        do {
            var removed = 0
            for shard in self.memory.withLock({ $0.shards.indices }) {
                let ids = self.memory.withLock { memory in
                    memory[shard: shard].heads.indices.map { memory.id(shard: shard, head: $0) }
                }
                var policies: [(id: SeriesID, retention: SeriesRetention)] = []
                for id in ids { if let policy = retention(self.index.labels(of: id)) { policies.append((id, policy)) } }
                guard !policies.isEmpty else { continue }
                removed += try self.applying.withLock { state in try self.enforce(policies, on: shard, &state) }
            }
            return removed
        } catch {
            throw StorageError(error, path: self.path)
        }
    }

    private func enforce(
        _ policies: [(id: SeriesID, retention: SeriesRetention)],
        on shard: Int,
        _ state: inout ApplyState
    ) throws -> Int {
        try self.merging.withLock { _ in
            var old = SpanRemoval(spans: [:])
            for (id, policy) in policies where policy.keepFrom > .distantPast {
                old.spans[id] = [.distantPast...(policy.keepFrom - 1)]
            }
            var removed = try self.remove(old, from: shard)
            // One after the other, so that a coarser one finds what a finer one left.
            for rank in 0..<(policies.map(\.retention.thinnings.count).max() ?? 0) {
                removed += try self.thin(policies, rank, on: shard, &state)
            }
            return removed
        }
    }

    private func thin(
        _ policies: [(id: SeriesID, retention: SeriesRetention)],
        _ rank: Int,
        on shard: Int,
        _ state: inout ApplyState
    ) throws -> Int {
        let segments = self.memory.withLock { $0[shard: shard].segments }
        var dense = SpanRemoval(spans: [:])
        var thinned: [(id: SeriesID, columns: Columns)] = []
        for (id, policy) in policies where rank < policy.thinnings.count {
            let part = try self.thin(id, policy.thinnings[rank], from: policy.keepFrom, segments)
            guard let part else { continue }
            dense.spans[id] = [part.span]
            thinned.append((id, part.columns))
        }
        guard !thinned.isEmpty else { return 0 }
        thinned.sort { $0.id < $1.id }
        return try self.remove(dense, from: shard, adding: thinned, &state)
    }

    /// Removes the samples of series in `[from, through]`; only under the lock `applying`.
    func remove(_ series: [SeriesID], from: Timestamp, through: Timestamp) throws {
        guard from <= through else { return }
        do {
            let shards = self.memory.withLock { memory in Dictionary(grouping: series) { memory.shardIndex(of: $0) } }
            for (shard, series) in shards.sorted(by: { $0.key < $1.key }) {
                let spans = Dictionary(uniqueKeysWithValues: series.map { ($0, [from...through]) })
                try self.merging.withLock { _ in
                    _ = try self.remove(SpanRemoval(spans: spans), from: shard)
                }
            }
        } catch {
            throw StorageError(error, path: self.path)
        }
    }

    // MARK: Steps

    private func remove(_ removal: SpanRemoval, from shard: Int) throws -> Int {
        var state = ApplyState(applied: .start)
        return try self.remove(removal, from: shard, adding: [], &state)
    }

    /// Takes spans out of the blocks and the heads of one shard, or puts thinner samples in their place; only under the
    /// locks `applying` and `merging`.
    private func remove(
        _ removal: SpanRemoval,
        from shard: Int,
        adding thinned: [(id: SeriesID, columns: Columns)],
        _ state: inout ApplyState
    ) throws -> Int {
        let (segments, sealed) = self.memory.withLock { ($0[shard: shard].segments, $0[shard: shard].sealedThrough) }
        var rewriting = Rewriting(shard: shard)
        var touched: Set<Int64> = []
        var inBlocks: [SeriesID: [Timestamp]] = [:]
        for (id, spans) in removal.spans {
            for span in spans {
                let found = try self.points(of: id, in: span, segments)
                rewriting.removed += found.count
                touched.formUnion(found.generations)
                if !found.times.isEmpty { inBlocks[id, default: []] += found.times }
            }
        }
        for segment in segments where touched.contains(segment.generation) {
            rewriting.replacements.append(try self.rewrite([segment], removal: removal))
        }
        if !thinned.isEmpty {
            var writer = ChunkWriter(limits: self.limits) { _ in shard }
            for (id, columns) in thinned {
                writer.append(columns, of: id)
                rewriting.removed -= columns.count
            }
            rewriting.additions = writer.finish().map(\.block)
            rewriting.generation = state.nextGeneration
            rewriting.position = sealed
            state.nextGeneration += 1
        }
        var removed = rewriting.removed
        let replaced = Dictionary(grouping: thinned, by: \.id).mapValues { $0.flatMap(\.columns.times) }
        try self.putInForce(rewriting) { memory in
            for (id, spans) in removal.spans {
                let before = inBlocks[id] ?? []
                let after = replaced[id] ?? []
                for span in spans {
                    let points =
                        thinned.isEmpty
                        ? memory[id].remove(span) { before.containsSorted($0) }
                        : -memory[id]
                            .reload(
                                span,
                                wasInBlocks: { before.containsSorted($0) },
                                isInBlocks: { after.containsSorted($0) }
                            )
                    memory.samples -= points
                    removed += points
                }
            }
        }
        return removed
    }

    /// The distinct points that blocks hold in a span.
    ///
    /// - Returns: How many, the segments that hold them, and their times if open samples may be among them.
    private func points(
        of id: SeriesID,
        in span: ClosedRange<Timestamp>,
        _ segments: [Segment]
    ) throws -> (count: Int, generations: [Int64], times: [Timestamp]) {
        var chunks: [(generation: Int64, block: Int64, statistics: ChunkStatistics)] = []
        for segment in segments {
            for block in segment.blocks(of: id, from: span.lowerBound, through: span.upperBound) {
                let bytes = try self.blockFile.block(block.id)
                for index in bytes.entries(of: id) {
                    let statistics = bytes.entries[index].statistics
                    guard span.overlaps(statistics.firstTime...statistics.lastTime) else { continue }
                    chunks.append((segment.generation, block.id, statistics))
                }
            }
        }
        guard !chunks.isEmpty else { return (0, [], []) }
        let inTime = chunks.map(\.statistics).sorted { $0.firstTime < $1.firstTime }
        let areApart = zip(inTime, inTime.dropFirst()).allSatisfy { $0.lastTime < $1.firstTime }
        let areInside = inTime.allSatisfy { span.contains($0.firstTime) && span.contains($0.lastTime) }
        let generations = Array(Set(chunks.map(\.generation)))
        if areApart, areInside, self.memory.withLock({ $0[id].openCount == 0 }) {
            return (inTime.reduce(0) { $0 + $1.count }, generations, [])
        }
        let times = try self.stored(id, in: span, segments).times
        return (times.count, generations, times)
    }

    /// The samples that blocks hold in a span.
    private func stored(_ id: SeriesID, in span: ClosedRange<Timestamp>, _ segments: [Segment]) throws -> Columns {
        Columns.merging(
            try segments.flatMap { $0.blocks(of: id, from: span.lowerBound, through: span.upperBound) }
                .map { block in
                    try self.blockFile
                        .columns(of: id, in: block.id, from: span.lowerBound, through: span.upperBound, isKept: false)
                        .within(span)
                }
        )
    }

    /// What a part of a series becomes; nil where all of it is at the ends of intervals, one in each.
    private func thin(
        _ id: SeriesID,
        _ thinning: SeriesRetention.Thinning,
        from: Timestamp,
        _ segments: [Segment]
    ) throws -> (span: ClosedRange<Timestamp>, columns: Columns)? {
        let interval = thinning.interval
        // Whole intervals only: those that end after the bounds stay as they are.
        var end = thinning.before.milliseconds / interval * interval
        // An open sample may revise one of a block, so its interval and what follows wait until it is sealed.
        let open = self.memory.withLock { $0[id].isDirty ? $0[id].open.times : [] }
        if let first = open.first(where: { $0 >= from }) {
            end = min(end, first.startOfInterval(interval).milliseconds)
        }
        let start = max(from, Timestamp(milliseconds: -end)).milliseconds / interval * interval
        guard start < end else { return nil }
        let span = Timestamp(milliseconds: start + 1)...Timestamp(milliseconds: end)
        var chunks: [ChunkStatistics] = []
        for segment in segments {
            for block in segment.blocks(of: id, from: span.lowerBound, through: span.upperBound) {
                let bytes = try self.blockFile.block(block.id)
                chunks += bytes.entries(of: id).map { bytes.entries[$0].statistics }
                    .filter { span.overlaps($0.firstTime...$0.lastTime) }
            }
        }
        chunks.sort { $0.firstTime < $1.firstTime }
        // Chunks that look as if they were thinned, apart from each other, need not be decoded.
        var reached = Timestamp.distantPast
        let changed = chunks.first { chunk in
            defer { reached = max(reached, chunk.lastTime) }
            return chunk.firstTime <= reached || !chunk.isThinned(to: interval)
        }
        guard let first = changed?.firstTime else { return nil }
        let dense = max(span.lowerBound, first.startOfInterval(interval) + 1)...span.upperBound
        let columns = try self.stored(id, in: dense, segments)
        let thin = columns.thinned(to: interval, thinning.aggregate)
        return thin == columns ? nil : (dense, thin)
    }
}

extension Timestamp {
    /// The moment at or before the one just before this where an interval since the epoch ends: intervals are
    /// `(k × interval, (k + 1) × interval]`.
    fileprivate func startOfInterval(_ interval: Milliseconds) -> Timestamp {
        let before = self.milliseconds - 1
        let floor = before >= 0 ? before / interval : (before - interval + 1) / interval
        return Timestamp(milliseconds: floor * interval)
    }
}

extension ChunkStatistics {
    /// Whether it begins and ends at ends of intervals, and holds no more samples than there are intervals.
    ///
    /// Of a small chunk this proves nothing, but it is soon decoded; a large one that was not thinned would have to lack
    /// most of its samples.
    fileprivate func isThinned(to interval: Milliseconds) -> Bool {
        self.firstTime.milliseconds % interval == 0 && self.lastTime.milliseconds % interval == 0
            && self.count <= (self.lastTime - self.firstTime) / interval + 1 && (self.count <= 2 || self.count > 64)
    }
}

extension Columns {
    /// The samples in a span.
    func within(_ span: ClosedRange<Timestamp>) -> Columns {
        self.slice(self.times.lowerBound(span.lowerBound), self.times.upperBound(span.upperBound))
    }

    /// One sample at the end of each interval that has any: of the trusted ones, where there are some, else of all.
    ///
    /// Its mark is that of the last sample it is made of. NaN is left out, as long as there is something else.
    func thinned(to interval: Milliseconds, _ aggregate: SeriesRetention.Aggregate) -> Columns {
        var result = Columns()
        var start = 0
        while start < self.count {
            let end = self.times[start].startOfInterval(interval) + interval
            let next = self.times.upperBound(end)
            var chosen = Array(start..<next)
            let trusted = chosen.filter { QualitySet.trusted.admits(SampleMark(rawValue: self.marks[$0])) }
            if !trusted.isEmpty { chosen = trusted }
            let numbers = chosen.filter { !self.values[$0].isNaN }
            if !numbers.isEmpty { chosen = numbers }
            let values = chosen.map { self.values[$0] }
            let last = chosen[chosen.count - 1]
            let value: Double =
                switch aggregate {
                case .average: values.reduce(0, +) / Double(values.count)
                case .minimum: values.min() ?? self.values[last]
                case .maximum: values.max() ?? self.values[last]
                case .sum: values.reduce(0, +)
                case .last: self.values[last]
                }
            result.append(end, values.count == 1 ? values[0] : value, self.marks[last])
            start = next
        }
        return result
    }
}
