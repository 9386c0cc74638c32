// poyang
// SPDX-License-Identifier: Apache-2.0

import GRDB
import SeriesStorage
import Telemetry
import Testing

/// Another flag of a sample that is stored: the value stays, and what the flag was.
struct RevisedQualityTests {
    private let key = SeriesKey(labels: Labels(metric: "water_level_meters", ["site": "xingzi"]))

    private func reading(_ value: Double, minute: Int, _ mark: SampleMark = SampleMark(quality: .pass))
        -> ResolvedReading
    {
        let time = Timestamp.base + Milliseconds(minute) * .minute
        return ResolvedReading(series: self.key, sample: Sample(time: time, value: value, mark: mark), hasOwnTime: true)
    }

    private func revision(_ value: Double, minute: Int, _ mark: SampleMark) -> ResolvedReading {
        var reading = self.reading(value, minute: minute, mark)
        reading.isRevision = true
        return reading
    }

    private static let spike = SampleMark(failed: .spike)

    @Test(arguments: [false, true])
    func theFlagChangesAndMethodAndMarkStay(isSealed: Bool) throws {
        try withTemporaryStore { store in
            let manual = SampleMark(quality: .pass, method: .interpolated, simulated: true)
            let batch = [self.reading(1, minute: 0), self.reading(9, minute: 5, manual), self.reading(1, minute: 10)]
            let first = try store.apply(store.commit(ReadingBatch(at: .base, batch)))
            if isSealed { #expect(try store.seal(through: first.batch.position, force: true)) }
            let entry = try store.commit(ReadingBatch(at: .base, [self.revision(9, minute: 5, Self.spike)]))
            let (applied, counts) = try store.apply(entry)
            #expect(counts.revised == 1 && counts.stored == 0 && counts.duplicates == 0)
            let expected = SampleMark(failed: .spike, method: .interpolated, simulated: true)
            guard case .samples(let samples) = applied.content else { return }
            // The rules see it as late truth.
            #expect(samples.map(\.sample) == [Sample(time: .base + 5 * .minute, value: 9, mark: expected)])
            #expect(try store.all(self.key).map(\.mark.failedTest) == [nil, .spike, nil])
            #expect(try store.all(self.key)[1].mark == expected)
            if isSealed { #expect(try store.seal(through: entry.position, force: true)) }
            #expect(try store.all(self.key).map(\.mark)[1] == expected)
        }
    }

    @Test func whatIsGoneOrHasAnotherValueOrThatFlagStaysAsItIs() throws {
        try withTemporaryStore { store in
            try store.apply(store.commit(ReadingBatch(at: .base, [self.reading(1, minute: 0)])))
            let others = [
                self.revision(2, minute: 0, Self.spike), self.revision(1, minute: 5, Self.spike),
                self.revision(1, minute: 0, SampleMark(quality: .pass)),
            ]
            let (applied, counts) = try store.apply(store.commit(ReadingBatch(at: .base, others)))
            #expect(counts.duplicates == 3 && counts.revised == 0)
            if case .samples(let samples) = applied.content { #expect(samples.isEmpty) }
            #expect(try store.all(self.key).map(\.mark) == [SampleMark(quality: .pass)])
        }
    }

    @Test func theSameValueAgainDoesNotTakeARevisionBack() throws {
        try withTemporaryStore { store in
            try store.apply(store.commit(ReadingBatch(at: .base, [self.reading(9, minute: 0)])))
            try store.apply(store.commit(ReadingBatch(at: .base, [self.revision(9, minute: 0, Self.spike)])))
            let counts = try store.apply(store.commit(ReadingBatch(at: .base, [self.reading(9, minute: 0)]))).counts
            #expect(counts.duplicates == 1)
            #expect(try store.all(self.key).map(\.mark.failedTest) == [.spike])
        }
    }

    @Test func aRevisionIsNotLostBetweenCommitAndApplication() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/samples.db"
            do {
                let store = try SeriesStore(path: path, processed: .start)
                try store.apply(store.commit(ReadingBatch(at: .base, [self.reading(9, minute: 0)])))
                try store.commit(ReadingBatch(at: .base, [self.revision(9, minute: 0, Self.spike)]))
                try store.close()
            }
            let store = try SeriesStore(path: path, processed: .start)
            for entry in try store.entries(after: .start, limit: 10) { try store.apply(entry) }
            #expect(try store.all(self.key).map(\.mark.failedTest) == [.spike])
            try store.seal(through: store.appliedPosition, force: true)
            try store.close()
            // The original is kept.
            let rows: [Row] = try DatabaseQueue(path: path)
                .read { try Row.fetchAll($0, sql: "SELECT old_value, old_mark, new_value FROM revision") }
            let row = try #require(rows.first)
            let (mark, before, after): (Int, Double, Double) = (row["old_mark"], row["old_value"], row["new_value"])
            #expect(rows.count == 1)
            #expect(mark == 1)
            #expect(before == 9 && after == 9)
        }
    }
}
