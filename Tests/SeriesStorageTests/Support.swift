// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry

@testable import SeriesStorage

/// SplitMix64: the same numbers for the same seed everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var value = self.state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

/// Gives a new empty directory that is gone afterwards.
func withTemporaryDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
    let directory = FileManager.default.temporaryDirectory.appending(path: "poyang-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    return try body(directory.path)
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
