// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry
import Testing

@testable import EarlyWarning

struct WallClockTests {
    static let level = RuleEngineTests.level

    @Test func theTickClockFollowsWallTimeAtADistance() throws {
        let channel = WatchedChannel(series: Self.level, schedule: .periodic(10 * .minute))
        let harness = try EngineHarness(RuleEngineTests.stage, clock: .wall, channels: [channel])
        #expect(try harness.feed(Self.level, 100, 11, receivedAt: 100).line == "raised@100")
        // Look-back 25 min, grace 12 min.
        #expect(try harness.tick(136).isEmpty)
        #expect(try harness.tick(137).line == "held@125(no_data)")
        #expect(harness.engine.clock(ofSite: "a") == .minutes(125))
        #expect(try harness.feed(Self.level, 138, 8, receivedAt: 138).line == "resumed@138 ended@138")
    }

    @Test func aReadingAheadOfWallTimeCountsWhenTheClockReachesIt() throws {
        let harness = try EngineHarness(RuleEngineTests.stage, clock: .wall)
        #expect(try harness.feed(Self.level, 105, 11, receivedAt: 100).isEmpty)
        #expect(harness.engine.clock(ofSite: "a") == .minutes(100))
        #expect(try harness.feed(Self.level, 106, 12, receivedAt: 106).line == "raised@105")
    }

    @Test func aBacklogAfterAStartIsNoSilence() throws {
        let channel = WatchedChannel(series: Self.level, schedule: .periodic(10 * .minute))
        let harness = try EngineHarness(RuleEngineTests.stage, clock: .wall, channels: [channel])
        #expect(try harness.feed(Self.level, 100, 11, receivedAt: 100).line == "raised@100")
        harness.engine.silenceHeldUntil = .minutes(205)
        #expect(try harness.tick(200).isEmpty)
        for minute in stride(from: Int64(110), through: 200, by: 10) {
            #expect(try harness.feed(Self.level, minute, 11, receivedAt: 201).isEmpty)
        }
        #expect(harness.engine.counters.lateSamples == 0)
        #expect(try harness.tick(206).isEmpty)
        #expect(try harness.tick(240).line == "held@225(no_data)")
    }

    @Test func silenceRunsOnWallTimeItself() throws {
        let rules = RuleEngineTests.rule("expr: channel_silent == 1")
        let harness = try EngineHarness(rules, clock: .wall)
        let reader = SilentChannel(base: harness.reader)
        func feed(_ minute: Int64) throws -> [AlertTransition] { try Self.feed(harness, minute, reader) }
        #expect(try feed(100).isEmpty)
        #expect(try feed(105).isEmpty)
        #expect(try harness.engine.tick(wallTime: .minutes(119), reader: reader).isEmpty)
        #expect(try harness.engine.tick(wallTime: .minutes(121), reader: reader).line == "raised@120")
        #expect(try feed(130).line == "ended@130")
        harness.engine.silenceHeldUntil = .minutes(200)
        #expect(try harness.engine.tick(wallTime: .minutes(199), reader: reader).isEmpty)
        // When it fell silent is not known: it may have sent what never came.
        #expect(try harness.engine.tick(wallTime: .minutes(200), reader: reader).line == "raised@200")
    }

    /// The broker is away from 111 to 160, and nothing of that time comes.
    @Test func whoIsSilentTogetherIsNotAskedForTimesOfWhichNobodyKnows() throws {
        let harness = try EngineHarness(
            RuleEngineTests.rule("expr: count(channel_silent == 1) >= 1"),
            clock: .wall
        )
        let reader = SilentChannel(base: harness.reader)
        func feed(_ minute: Int64) throws -> [AlertTransition] { try Self.feed(harness, minute, reader) }
        #expect(try feed(110).isEmpty)
        for minute in Int64(111)...160 {
            harness.engine.silenceHeldUntil = .minutes(minute + 2)
            #expect(try harness.engine.tick(wallTime: .minutes(minute), reader: reader).isEmpty)
        }
        #expect(try feed(161).isEmpty)
        for minute in Int64(162)...180 {
            #expect(try harness.engine.tick(wallTime: .minutes(minute), reader: reader).isEmpty, "\(minute)")
        }
        #expect(try harness.engine.tick(wallTime: .minutes(190), reader: reader).line == "raised@176")
    }

    /// A reading of the one channel that arrives at its own time.
    private static func feed(
        _ harness: EngineHarness,
        _ minute: Int64,
        _ reader: SilentChannel
    ) throws -> [AlertTransition] {
        let sample = Sample(time: .minutes(minute), value: 1)
        harness.store.insert(Self.level, sample)
        let applied = AppliedSample(series: SeriesKey(labels: Self.level), sample: sample)
        return try harness.engine.process(
            AppliedBatch(
                position: JournalPosition(rawValue: minute),
                receivedAt: .minutes(minute),
                content: .samples([applied])
            ),
            reader: reader
        )
    }

    /// Shows `channel_silent` of the one channel: 1 from 15 minutes after its newest sample on.
    private struct SilentChannel: SeriesReader {
        let base: any SeriesReader

        func select(_ request: SelectRequest) throws -> [SeriesColumns] {
            let labels: Labels = ["__name__": "channel_silent", "site": "a", "metric": "water_level_meters"]
            guard request.matchers.contains(where: { $0.value == "channel_silent" }) else {
                return try self.base.select(request)
            }
            let all = SelectRequest(
                matchers: [LabelMatcher(Labels.metricName, equals: "water_level_meters")],
                extent: .window(after: .distantPast, through: request.extent.through)
            )
            guard let last = try self.base.select(all).first?.times.last else { return [] }
            let end = last + 15 * .minute
            let isSilent = end <= request.extent.through
            return [
                SeriesColumns(
                    labels: labels,
                    times: [request.extent.through],
                    values: [isSilent ? 1 : 0],
                    marks: [.measured],
                    lookback: .day,
                    nextChange: isSilent ? .distantFuture : end
                )
            ]
        }

        func series(matching matchers: [LabelMatcher], after: Timestamp, through: Timestamp) throws -> [Labels] {
            []
        }
    }
}
