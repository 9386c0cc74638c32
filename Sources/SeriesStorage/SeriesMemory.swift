// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// What the store knows without the disk; one lock guards it, so that a reader sees whole batches.
struct SeriesMemory {
    private(set) var index = SeriesIndex()
    /// By number − 1.
    var heads: [SeriesHead] = []
    /// Distinct points of all series.
    var samples = 0
    /// Of all series.
    private(set) var newestTime: Timestamp?
    /// So many series, from the first on, have a row.
    var savedSeries = 0

    mutating func insert(_ key: SeriesKey) -> SeriesID {
        self.heads.append(SeriesHead())
        return self.index.insert(key)
    }

    subscript(id: SeriesID) -> SeriesHead {
        _read { yield self.heads[Int(id.rawValue) - 1] }
        _modify { yield &self.heads[Int(id.rawValue) - 1] }
    }

    mutating func noteTime(_ time: Timestamp) {
        self.newestTime = self.newestTime.map { max($0, time) } ?? time
    }
}
