// poyang
// SPDX-License-Identifier: Apache-2.0

import EarlyWarning
import Telemetry

/// The store with what recording rules have made and journalled but what the store, which takes entries in the order of
/// the journal, has not come to.
///
/// A rule that reads what another one records is to see it at the same moment as what it was made from.
///
/// Used by one thread.
struct RecordedAhead: SeriesReader {
    let store: any SeriesReader
    private let waiting = MemorySeries()

    init(store: any SeriesReader) { self.store = store }

    /// Shows a recorded sample from now on.
    ///
    /// - Returns: False where the store has just that sample.
    func keep(_ labels: Labels, _ sample: Sample) throws -> Bool {
        let request = SelectRequest(
            matchers: labels.matchers,
            extent: .window(after: sample.time - 1, through: sample.time),
            qualities: .all
        )
        if try self.waiting.select(request).isEmpty {
            let stored = try self.store.select(request).first { $0.labels == labels }
            if let stored, stored.values.first?.bitPattern == sample.value.bitPattern, stored.marks == [sample.mark] {
                return false
            }
        }
        self.waiting.insert(labels, sample)
        return true
    }

    /// The store has come to these, or will never do; what was recorded in their place meanwhile goes on waiting.
    func drop(_ samples: [AppliedSample]) {
        for item in samples { self.waiting.remove(item.series.labels, item.sample) }
    }

    func select(_ request: SelectRequest) throws -> [SeriesColumns] {
        var found = try self.store.select(request)
        for ahead in try self.waiting.select(request) {
            if let index = found.firstIndex(where: { $0.labels == ahead.labels }) {
                found[index].merge(ahead)
            } else {
                found.append(ahead)
            }
        }
        return found
    }

    func selection(_ request: SelectRequest) throws -> any SelectedSeries {
        guard try !self.waiting.select(request).isEmpty else { return try self.store.selection(request) }
        return ListedSelection(try self.select(request))
    }

    func series(matching matchers: [LabelMatcher], after: Timestamp, through: Timestamp) throws -> [Labels] {
        let stored = try self.store.series(matching: matchers, after: after, through: through)
        let ahead = try self.waiting.series(matching: matchers, after: after, through: through)
        return stored + ahead.filter { !stored.contains($0) }
    }
}

extension SeriesColumns {
    /// Takes the samples of another in, which go before its own of the same times.
    fileprivate mutating func merge(_ other: SeriesColumns) {
        var merged = SeriesColumns(labels: self.labels, times: [], values: [], marks: [], lookback: self.lookback)
        func add(_ columns: SeriesColumns, _ index: Int) {
            merged.times.append(columns.times[index])
            merged.values.append(columns.values[index])
            merged.marks.append(columns.marks[index])
        }
        var own = 0
        for index in other.times.indices {
            while own < self.times.count, self.times[own] < other.times[index] {
                add(self, own)
                own += 1
            }
            if own < self.times.count, self.times[own] == other.times[index] { own += 1 }
            add(other, index)
        }
        while own < self.times.count {
            add(self, own)
            own += 1
        }
        self = merged
    }
}
