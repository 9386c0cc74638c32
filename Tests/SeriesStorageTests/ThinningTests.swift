// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry
import Testing

@testable import SeriesStorage

/// What is old becomes one sample per interval, once, whatever comes late and whenever the store is opened again.
struct ThinningTests {
    private let rain = SeriesKey(labels: Labels(metric: "rainfall_millimeters", ["site": "xingzi"]))
    private let volts = SeriesKey(labels: Labels(metric: "battery_volts", ["site": "xingzi"]))
    /// A whole hour of the epoch.
    private let hour = Timestamp(milliseconds: 1_700_000_000_000 / .hour * .hour)

    private func commit(
        _ samples: [(minute: Int64, value: Double)],
        _ key: SeriesKey? = nil,
        to store: SeriesStore
    ) throws {
        let readings = samples.map { minute, value in
            ResolvedReading(
                series: key ?? self.rain,
                sample: Sample(time: self.hour + minute * .minute, value: value),
                hasOwnTime: true
            )
        }
        try store.apply(store.commit(ReadingBatch(at: self.hour, readings)))
    }

    private func seal(_ store: SeriesStore) throws {
        try store.seal(through: store.appliedPosition, force: true)
    }

    private func thin(
        _ store: SeriesStore,
        before hours: Int64,
        by aggregate: SeriesRetention.Aggregate = .sum
    ) throws -> Int {
        let thinning = SeriesRetention.Thinning(
            before: self.hour + hours * .hour,
            interval: .hour,
            aggregate: aggregate
        )
        return try store.enforce { $0 == self.rain.labels ? SeriesRetention(thinnings: [thinning]) : nil }
    }

    private func points(_ store: SeriesStore, _ key: SeriesKey? = nil) throws -> [String] {
        try store.all(key ?? self.rain)
            .map { sample in "\((sample.time - self.hour) / .minute):\(sample.value)" }
    }

    @Test(
        arguments: zip(
            [SeriesRetention.Aggregate.average, .minimum, .maximum, .sum, .last],
            ["60:4.0", "60:1.0", "60:8.0", "60:12.0", "60:3.0"]
        )
    )
    func keepsOneSampleAtTheEndOfEachInterval(aggregate: SeriesRetention.Aggregate, first: String) throws {
        try withTemporaryStore { store in
            // The one on the hour belongs to the interval that it ends.
            let samples: [(Int64, Double)] = [(0, 9), (1, 8), (30, 1), (60, 3), (61, 5), (119, 5), (121, 2), (122, 2)]
            try self.commit(samples, to: store)
            try self.commit(samples, self.volts, to: store)
            try self.seal(store)
            let second = aggregate == .sum ? "120:10.0" : "120:5.0"
            #expect(try self.thin(store, before: 2, by: aggregate) == 3)
            #expect(try self.points(store) == ["0:9.0", first, second, "121:2.0", "122:2.0"])
            #expect(try self.points(store, self.volts).count == 8, "another series is untouched")
            #expect(store.statistics().samples == 13)
        }
    }

    @Test func theIntervalThatIsNotOverStaysAsItIs() throws {
        try withTemporaryStore { store in
            try self.commit([(1, 1), (2, 1), (61, 1), (62, 1)], to: store)
            try self.seal(store)
            let thinning = SeriesRetention.Thinning(
                before: self.hour + 119 * .minute,
                interval: .hour,
                aggregate: .sum
            )
            #expect(try store.enforce { _ in SeriesRetention(thinnings: [thinning]) } == 1)
            #expect(try self.points(store) == ["60:2.0", "61:1.0", "62:1.0"])
        }
    }

    @Test func aSecondTimeChangesNothing() throws {
        try withTemporaryStore { store in
            try self.commit((0..<600).map { (Int64($0), 1) }, to: store)
            try self.seal(store)
            #expect(try self.thin(store, before: 9) > 0)
            let before = store.statistics()
            #expect(try self.thin(store, before: 9) == 0)
            #expect(store.statistics().samples == before.samples)
            #expect(store.statistics().segments == before.segments, "nothing was written again")
            try store.compact()
            #expect(try self.thin(store, before: 9) == 0)
            // A day later only what is new.
            #expect(try self.thin(store, before: 10) == 58)
            #expect(try self.points(store).count == 11)
        }
    }

    @Test func whatIsDenseBetweenGapsIsThinnedToo() throws {
        try withTemporaryStore { store in
            try self.commit([(1, 1), (2, 1), (3, 1), (60 * 90 + 1, 5), (60 * 90 + 2, 5)], to: store)
            try self.seal(store)
            #expect(try self.thin(store, before: 100) == 3)
            #expect(try self.points(store) == ["60:3.0", "\(60 * 91):10.0"])
        }
    }

    @Test func openSamplesWaitUntilTheyAreSealed() throws {
        try withTemporaryStore { store in
            try self.commit([(1, 1), (2, 1), (3, 1)], to: store)
            #expect(try self.thin(store, before: 2) == 0)
            #expect(try self.points(store).count == 3)
            try self.seal(store)
            // One is new, one revises.
            try self.commit([(4, 1), (3, 2)], to: store)
            #expect(try self.thin(store, before: 2) == 0)
            #expect(try self.points(store) == ["1:1.0", "2:1.0", "3:2.0", "4:1.0"])
            #expect(store.statistics().samples == 4)
            try self.seal(store)
            #expect(store.statistics().samples == 4)
            #expect(try self.thin(store, before: 2) == 3)
            #expect(try self.points(store) == ["60:5.0"])
            #expect(store.statistics().samples == 1)
        }
    }

    /// One that comes late joins the sum; one at the very end of an interval revises what stands there.
    @Test func lateSamplesAreThinnedWithWhatIsThere() throws {
        try withTemporaryStore { store in
            try self.commit((1...180).map { (Int64($0), 1) }, to: store)
            try self.seal(store)
            #expect(try self.thin(store, before: 3) == 177)
            try self.commit([(30, 4), (30, 4), (120, 7)], to: store)
            #expect(try self.points(store) == ["30:4.0", "60:60.0", "120:7.0", "180:60.0"])
            #expect(store.statistics().samples == 4)
            try self.seal(store)
            #expect(try self.thin(store, before: 3) == 1)
            #expect(try self.points(store) == ["60:64.0", "120:7.0", "180:60.0"])
            #expect(store.statistics().samples == 3)
        }
    }

    /// A finer thinning of what is young, a coarser one of what is old.
    @Test func thinsInStepsTheCoarserWhatTheFinerLeft() throws {
        try withTemporaryStore { store in
            try self.commit((1...600).map { (Int64($0), 1) }, to: store)
            try self.seal(store)
            let retention = SeriesRetention(
                keepFrom: self.hour + 60 * .minute,
                thinnings: [
                    .init(before: self.hour + 540 * .minute, interval: 10 * .minute, aggregate: .sum),
                    .init(before: self.hour + 300 * .minute, interval: .hour, aggregate: .sum),
                ]
            )
            let removed = try store.enforce { _ in retention }
            #expect(store.statistics().samples == 600 - removed)
            let points = try self.points(store)
            #expect(points.prefix(5) == ["60:1.0", "120:60.0", "180:60.0", "240:60.0", "300:60.0"])
            #expect(points[5] == "310:10.0" && points.count == 5 + 24 + 60)
            #expect(try store.enforce { _ in retention } == 0)
        }
    }

    @Test func reopeningFindsTheSame() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/samples.db"
            var store = try SeriesStore(path: path, processed: .start)
            try self.commit((1...180).map { (Int64($0), 1) }, to: store)
            try self.seal(store)
            // One in the thinned part, one in the interval that is not over.
            try self.commit([(150, 4), (200, 1)], to: store)
            _ = try self.thin(store, before: 3)
            for _ in 0..<3 {
                let points = try self.points(store)
                #expect(points.count == 2 + 60 + 1 && points.prefix(2) == ["60:60.0", "120:60.0"])
                #expect(store.statistics().samples == points.count)
                let position = store.appliedPosition
                try store.close()
                store = try SeriesStore(path: path, processed: position)
            }
            try self.seal(store)
            #expect(store.statistics().samples == 63)
            _ = try self.thin(store, before: 3)
            let position = store.appliedPosition
            try store.close()
            store = try SeriesStore(path: path, processed: position)
            #expect(try self.points(store) == ["60:60.0", "120:60.0", "180:63.0", "200:1.0"])
            #expect(store.statistics().samples == 4)
            try store.close()
        }
    }

    /// Suspect values are left out where there are trusted ones; NaN where there are numbers.
    @Test func leavesOutWhatIsNotTrusted() throws {
        var columns = Columns()
        columns.append(self.hour + 1, 100, SampleMark(quality: .suspect).rawValue)
        columns.append(self.hour + 2, .nan, SampleMark.measured.rawValue)
        columns.append(self.hour + 3, 2, SampleMark.measured.rawValue)
        columns.append(self.hour + 4, 4, SampleMark.measured.rawValue)
        columns.append(self.hour + .hour + 1, 50, SampleMark(quality: .suspect).rawValue)
        let thin = columns.thinned(to: .hour, .average)
        #expect(thin.values == [3, 50])
        #expect(thin.times == [self.hour + .hour, self.hour + 2 * .hour])
    }
}
