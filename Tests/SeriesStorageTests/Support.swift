// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry
import TestSupport

@testable import SeriesStorage

/// Gives the path of a new empty directory that is gone afterwards.
func withTemporaryDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
    try inTemporaryFolder { try body($0.path) }
}

/// Gives an empty store that is gone afterwards.
func withTemporaryStore<Result>(
    limits: SeriesStore.Limits = .init(),
    _ body: (SeriesStore) throws -> Result
) throws -> Result {
    try withTemporaryDirectory { directory in
        let store = try SeriesStore(path: directory + "/samples.db", processed: .start, limits: limits)
        let result = try body(store)
        try store.close()
        return result
    }
}

extension Timestamp {
    static let base = Timestamp(milliseconds: 1_700_000_000_000)
}

extension ReadingBatch {
    init(at receivedAt: Timestamp, _ readings: [ResolvedReading]) {
        self.init(receivedAt: receivedAt)
        self.readings = readings
        self.messages = 1
    }
}

extension SeriesStore {
    /// Everything of a series, oldest first.
    func all(_ key: SeriesKey) throws -> [Sample] {
        let request = SelectRequest(
            matchers: key.labels.map { LabelMatcher($0.name, equals: $0.value) },
            extent: .window(after: .distantPast, through: .distantFuture),
            qualities: .all
        )
        return try self.reader.select(request).filter { $0.labels == key.labels }.flatMap(\.samples)
    }
}

extension SeriesColumns {
    var samples: [Sample] {
        self.times.indices.map { Sample(time: self.times[$0], value: self.values[$0], mark: self.marks[$0]) }
    }
}
