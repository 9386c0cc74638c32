// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Telemetry
import Testing

@testable import SeriesStorage

/// Readers beside a processor that applies, seals and evicts.
struct ConsistencyTests {
    private let keys = (0..<8).map { SeriesKey(labels: Labels(metric: "level_meters", ["site": "s\($0)"])) }
    private let everything = SelectRequest(
        matchers: [LabelMatcher("__name__", equals: "level_meters")],
        extent: .window(after: .distantPast, through: .distantFuture),
        qualities: .all
    )

    @Test(.timeLimit(.minutes(1)))
    func readersSeeWholeBatchesOnly() throws {
        var limits = SeriesStore.Limits()
        limits.chunkSamples = 10
        limits.residentSamples = 8
        limits.journalReadings = 100
        limits.seriesPerTransaction = 2
        try withTemporaryStore(limits: limits) { store in
            let done = Atomic(false)
            let failures = Atomic(0)
            let selects = Atomic(0)
            DispatchQueue.concurrentPerform(iterations: 3) { worker in
                if worker == 0 {
                    defer { done.store(true, ordering: .releasing) }
                    do {
                        for number in 0..<400 {
                            let position = try store.apply(store.commit(self.batch(number))).batch.position
                            try store.seal(through: position)
                        }
                    } catch {
                        failures.add(1000, ordering: .relaxed)
                    }
                    return
                }
                while !done.load(ordering: .acquiring) {
                    let reader = worker == 1 ? store.reader : store.snapshot()
                    let first = try? reader.select(self.everything)
                    // A snapshot shows the same again, whatever was applied in between.
                    let second = worker == 1 ? first : try? reader.select(self.everything)
                    let counts = Set((first ?? []).map(\.times.count))
                    let isWhole = first != nil && counts.count <= 1 && [0, 8].contains(first?.count)
                    let isSame = first?.map(\.times.count) == second?.map(\.times.count)
                    if !isWhole || !isSame { failures.add(1, ordering: .relaxed) }
                    selects.add(1, ordering: .relaxed)
                }
            }
            #expect(failures.load(ordering: .relaxed) == 0)
            #expect(selects.load(ordering: .relaxed) > 0)
            #expect(store.statistics().samples == 400 * 8)
        }
    }

    /// One sample for each series, now and then a late one.
    private func batch(_ number: Int) -> ReadingBatch {
        let minute = number % 7 == 3 ? number - 60 : number
        let time = Timestamp.base + Int64(minute) * .minute + Int64(number)
        return ReadingBatch(
            at: time,
            self.keys.map {
                ResolvedReading(series: $0, sample: Sample(time: time, value: Double(number)), hasOwnTime: true)
            }
        )
    }
}
