// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// What the store knows without the disk; one lock guards it, so that a reader sees whole batches.
struct SeriesMemory: Sendable {
    /// Shared by all copies: numbers are only added, and ``count`` says which of them this moment knows.
    let index: LabelIndex
    let seriesPerShard: Int
    private(set) var shards: [Shard] = []
    /// Series of this moment, numbered from 1.
    private(set) var count = 0
    /// Distinct points of all series.
    var samples = 0
    /// Of all series.
    private(set) var newestTime: Timestamp?
    /// So many series, from the first on, have a row.
    var savedSeries = 0

    init(index: LabelIndex, seriesPerShard: Int) {
        self.index = index
        self.seriesPerShard = seriesPerShard
    }

    /// The number of a series; a new one if it has none.
    mutating func insert(_ labels: Labels) -> SeriesID {
        let id = self.index.insert(labels)
        self.reserve(id)
        return id
    }

    /// Makes room for the heads of all series up to `id`.
    mutating func reserve(_ id: SeriesID) {
        while self.count < Int(id.rawValue) {
            if self.count % self.seriesPerShard == 0 { self.shards.append(Shard()) }
            self.shards[self.shards.count - 1].heads.append(SeriesHead())
            self.count += 1
        }
    }

    func shardIndex(of id: SeriesID) -> Int { (Int(id.rawValue) - 1) / self.seriesPerShard }

    /// The shard of a series.
    subscript(shardOf id: SeriesID) -> Shard {
        _read { yield self.shards[self.shardIndex(of: id)] }
    }

    subscript(shard index: Int) -> Shard {
        _read { yield self.shards[index] }
        _modify { yield &self.shards[index] }
    }

    subscript(id: SeriesID) -> SeriesHead {
        _read {
            let number = Int(id.rawValue) - 1
            yield self.shards[number / self.seriesPerShard].heads[number % self.seriesPerShard]
        }
        _modify {
            let number = Int(id.rawValue) - 1
            yield &self.shards[number / self.seriesPerShard].heads[number % self.seriesPerShard]
        }
    }

    /// Whether blocks must be asked if a series has a sample at `time`; mostly decided without touching the samples.
    @inline(__always)
    func mustAsk(about time: Timestamp, of id: SeriesID) -> Bool {
        let number = Int(id.rawValue) - 1
        let (shard, head) = (number / self.seriesPerShard, number % self.seriesPerShard)
        guard time <= self.shards[shard].heads[head].evictedThrough else { return false }
        return !self.shards[shard].heads[head].holds(time)
    }

    /// The number of a head.
    func id(shard: Int, head: Int) -> SeriesID {
        SeriesID(rawValue: UInt32(shard * self.seriesPerShard + head + 1))
    }

    mutating func noteTime(_ time: Timestamp) {
        self.newestTime = self.newestTime.map { max($0, time) } ?? time
    }
}
