// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Telemetry
import TestSupport

@testable import SeriesStorage

/// A closed store with something in every table, to be damaged.
struct DamagedFile {
    let path: String
    /// What was processed.
    let processed: JournalPosition
    /// All samples by series, as they were before the damage.
    let samples: [Labels: [Sample]]

    static let limits: SeriesStore.Limits = {
        var limits = SeriesStore.Limits()
        limits.chunkSamples = 200
        limits.blockBytes = 2000
        limits.seriesPerShard = 16
        limits.residentSamples = 10
        return limits
    }()

    /// A store of 40 series in three shards, most of it sealed, some of it in the journal only.
    init(in directory: String) throws {
        self.path = directory + "/samples.db"
        let made = try Self.made.get()
        self.processed = made.processed
        self.samples = made.samples
        try made.bytes.write(to: URL(filePath: self.path))
    }

    private struct Made {
        let bytes: Data
        let processed: JournalPosition
        let samples: [Labels: [Sample]]
    }

    /// Written once.
    private static let made = Result { try inTemporaryFolder { try DamagedFile.make($0.path + "/samples.db") } }

    private static func make(_ path: String) throws -> Made {
        let store = try SeriesStore(path: path, processed: .start, synchronous: .off, limits: Self.limits)
        let keys = (0..<40).map { SeriesKey(labels: Labels(metric: "level_meters", ["site": "s\($0)"])) }
        var position = JournalPosition.start
        for number in 0..<900 {
            let time = Timestamp.base + Int64(number) * .minute
            var batch = ReadingBatch(receivedAt: time)
            for (index, key) in keys.enumerated() {
                // Not to be packed into nothing.
                let value = Double((number * 7919 + index * 104_729) % 100_003) / 100
                let sample = Sample(time: time + Int64((number * 31 + index) % 977), value: value)
                batch.readings.append(ResolvedReading(series: key, sample: sample, hasOwnTime: true))
                if number % 50 == 3, index == 5 {
                    let other = Sample(time: sample.time, value: value + 1)
                    batch.readings.append(ResolvedReading(series: key, sample: other, hasOwnTime: true))
                }
            }
            batch.messages = 1
            batch.deliveries = [Delivery(packetID: 7, hash: UInt64(number))]
            if number % 10 == 0 {
                batch.quarantined = [
                    QuarantinedPayload(
                        topic: "t",
                        device: "d\(number % 3)",
                        receivedAt: time,
                        payload: Array(repeating: 0x41, count: 700),
                        length: 700,
                        sha256: "",
                        refusals: [Refusal(reason: .malformed, detail: "no JSON")]
                    )
                ]
            }
            position = try store.apply(store.commit(batch)).batch.position
            if number == 300 || number == 700 { try store.seal(through: position, force: true) }
        }
        let samples = try DamagedFile.read(store)
        try store.checkpoint()
        try store.close()
        let bytes = try Data(contentsOf: URL(filePath: path))
        return Made(bytes: bytes, processed: position, samples: samples)
    }

    static func read(_ store: SeriesStore) throws -> [Labels: [Sample]] {
        let request = SelectRequest(
            matchers: [],
            extent: .window(after: .distantPast, through: .distantFuture),
            qualities: .all
        )
        return try Dictionary(uniqueKeysWithValues: store.reader.select(request).map { ($0.labels, $0.samples) })
    }

    /// The pages of a table that hold its rows, overflow pages included, in order.
    func pages(of table: String) throws -> [Int] {
        try DatabaseQueue(path: self.path)
            .read { db in
                try Int.fetchAll(
                    db,
                    sql: "SELECT pageno FROM dbstat WHERE name = ? AND pagetype <> 'internal' ORDER BY pageno",
                    arguments: [table]
                )
            }
    }

    /// Overwrites a page with bytes that are no page.
    func overwrite(page: Int, with byte: UInt8 = 0xA5) throws {
        let file = try FileHandle(forWritingTo: URL(filePath: self.path))
        try file.seek(toOffset: UInt64((page - 1) * 4096))
        try file.write(contentsOf: Data(repeating: byte, count: 4096))
        try file.close()
    }

    /// Changes bytes somewhere in a file.
    static func change(_ path: String, at offset: UInt64, count: Int = 8) throws {
        let file = try FileHandle(forUpdating: URL(filePath: path))
        try file.seek(toOffset: offset)
        let old = try file.read(upToCount: count) ?? Data()
        try file.seek(toOffset: offset)
        try file.write(contentsOf: Data(old.map { $0 ^ 0x55 }))
        try file.close()
    }

    func open() throws -> SeriesStore {
        try SeriesStore(path: self.path, processed: self.processed, limits: Self.limits)
    }
}
