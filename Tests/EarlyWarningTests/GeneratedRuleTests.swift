// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry
import TestSupport
import Testing

@testable import EarlyWarning

/// Made-up rules over made-up streams: whatever a rule asks, the stream says what the batch says.
///
/// `POYANG_RULE_SEEDS` sets how many seeds are tried, `POYANG_SEED` the first.
struct GeneratedRuleTests {
    private static let seeds = Int(ProcessInfo.processInfo.environment["POYANG_RULE_SEEDS"] ?? "") ?? 8
    private static let firstSeed = UInt64(ProcessInfo.processInfo.environment["POYANG_SEED"] ?? "") ?? 1000
    private static let rulesOfASeed = 8
    private static let batchesOfASeed = 40

    /// With values that are no numbers, and clocks that jump.
    ///
    /// Every series has a sample at first: rules across sites know the channels of a site once they have heard of it.
    private static func stream(_ seed: UInt64) -> [[(Labels, Sample)]] {
        var random = SeededGenerator(seed: seed)
        let first = ["a", "b", "c"]
            .flatMap { site in
                ["up", "down"]
                    .map { position -> (Labels, Sample) in
                        (
                            ["__name__": "level", "site": site, "position": position],
                            Sample(time: .minutes(90), value: 10, mark: SampleMark(quality: .pass))
                        )
                    }
            }
        return [first]
            + DifferentialTests.stream(seed: seed).prefix(Self.batchesOfASeed)
            .map { batch in
                batch.map { labels, sample in
                    var sample = sample
                    if Int.random(in: 0..<40, using: &random) == 0 { sample.value = .nan }
                    return (labels, sample)
                }
            }
    }

    /// Feeds the engine and a reference, and fails at the first batch after which they do not say the same.
    ///
    /// - Returns: How many transitions there were.
    private static func compare(
        _ harness: EngineHarness,
        _ channels: [WatchedChannel],
        _ stream: [[(Labels, Sample)]],
        _ seed: String,
        _ text: String
    ) throws -> Int {
        var reference = Reference(rules: harness.engine.compiled, channels: channels, reader: harness.reader)
        var said = 0
        for (number, batch) in stream.enumerated() {
            let actual = try harness.feed(batch).map(DifferentialTests.line).sorted()
            let expected = try reference.process(batch).sorted()
            try #require(actual == expected, "\(seed), batch \(number): \(batch)\n\(text)")
            said += actual.count
        }
        return said
    }

    /// After every batch the engine has said what a reference says that evaluates every rule at every minute.
    @Test func streamEqualsBatchForRulesNobodyWrote() throws {
        print("generated rules: POYANG_SEED=\(Self.firstSeed)")
        var said = 0
        for seed in Self.firstSeed..<Self.firstSeed + UInt64(Self.seeds) {
            let stream = Self.stream(seed)
            var maker = GeneratedRules(seed: seed, over: stream)
            let text = maker.file(rules: Self.rulesOfASeed, lateness: "0s")
            let channels = DifferentialTests.channels(seed % 2 == 0)
            let harness = try EngineHarness(text, channels: channels, thresholds: DifferentialTests.thresholds)
            said += try Self.compare(harness, channels, stream, "POYANG_SEED=\(seed)", text)
        }
        #expect(said > Self.seeds * 10)
    }

    /// One series as a gauge sends it: in its turn, and in two of three streams now and then after another series has moved
    /// the site's clock on, or late, with values of more places than others and such as are no numbers.
    private static func readings(_ seed: UInt64) -> [[(Labels, Sample)]] {
        var random = SeededGenerator(seed: seed)
        let isOrderly = seed % 3 == 0
        var (clock, newest): (Int64, Int64) = (100, 99)
        func reading() -> (Labels, Sample) {
            let jump = Int.random(in: 0..<40, using: &random)
            clock += jump == 0 ? Int64.random(in: 6...70, using: &random) : jump < 28 ? 1 : 0
            guard Int.random(in: 0..<5, using: &random) > 0 else {
                return (["__name__": "other", "site": "a"], Sample(time: .minutes(clock), value: 0))
            }
            let oldest = Int.random(in: 0..<12, using: &random) == 0 ? clock - 9 : min(newest + 1, clock)
            let time = isOrderly ? clock : Int64.random(in: oldest...clock, using: &random)
            newest = max(newest, time)
            let quality = Int.random(in: 0..<20, using: &random)
            let mark = SampleMark(
                quality: quality < 2 ? .suspect : quality == 2 ? .fail : .pass,
                method: Int.random(in: 0..<3, using: &random) == 0 ? .gapTotal : .measured
            )
            let value =
                switch Int.random(in: 0..<60, using: &random) {
                case 0: Double.nan
                case 1: Double(Int.random(in: 0...10_000, using: &random)) / 1000
                default: Double(Int.random(in: 0...20, using: &random)) / 2
                }
            return (["__name__": "level", "site": "a"], Sample(time: .minutes(time), value: value, mark: mark))
        }
        return (0..<150).map { _ in (0..<Int.random(in: 1...2, using: &random)).map { _ in reading() } }
    }

    /// What is carried on from reading to reading decides alone while a rule is quiet, and must be what the batch says.
    @Test func carriedWindowsEqualTheBatch() throws {
        print("carried windows: POYANG_SEED=\(Self.firstSeed)")
        var said = 0
        for seed in Self.firstSeed..<Self.firstSeed + UInt64(Self.seeds) {
            let stream = Self.readings(seed)
            var maker = GeneratedRules(seed: seed, over: stream)
            let text = maker.fileOfOneSeries(leftSides: Self.rulesOfASeed, lateness: "0s")
            said += try Self.compare(try EngineHarness(text), [], stream, "POYANG_SEED=\(seed)", text)
        }
        #expect(said > Self.seeds * 10)
    }

    /// What is known in the end does not depend on the order in which it came.
    @Test(arguments: [false, true])
    func disorderTellsTheSameInTheEndForRulesNobodyWrote(isOfOneSeries: Bool) throws {
        print("generated rules: POYANG_SEED=\(Self.firstSeed)")
        for seed in Self.firstSeed..<Self.firstSeed + UInt64(max(1, Self.seeds / 3)) {
            let whole = isOfOneSeries ? Self.readings(seed) : Self.stream(seed)
            var maker = GeneratedRules(seed: seed, over: whole)
            let text =
                isOfOneSeries
                ? maker.fileOfOneSeries(leftSides: Self.rulesOfASeed, lateness: "1d")
                : maker.file(rules: Self.rulesOfASeed, lateness: "1d")
            let channels = isOfOneSeries ? [] : DifferentialTests.channels(seed % 2 == 0)
            var known: Set<String> = []
            let stream = whole.map { batch in
                batch.filter { known.insert("\($0.0) \($0.1.time.milliseconds)").inserted }
            }
            func harness() throws -> EngineHarness {
                try EngineHarness(text, channels: channels, thresholds: DifferentialTests.thresholds)
            }
            let (late, ordered) = (try harness(), try harness())
            var lateHistory = LateTruthTests.History(of: late.engine)
            var orderedHistory = LateTruthTests.History(of: ordered.engine)
            for batch in stream where !batch.isEmpty { lateHistory.take(try late.feed(batch)) }
            let samples = stream.flatMap { $0 }
            for time in Set(samples.map(\.1.time)).sorted() {
                orderedHistory.take(try ordered.feed(samples.filter { $0.1.time == time }))
            }
            let end = (samples.map(\.1.time.milliseconds).max() ?? 0) / .minute + 60
            lateHistory.take(try late.advance(end))
            orderedHistory.take(try ordered.advance(end))
            try #require(lateHistory == orderedHistory, "POYANG_SEED=\(seed)\n\(text)")
        }
    }
}
