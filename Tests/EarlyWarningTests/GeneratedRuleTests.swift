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
    private static func stream(_ seed: UInt64) -> [[(Labels, Sample)]] {
        var random = SeededGenerator(seed: seed)
        return DifferentialTests.stream(seed: seed).prefix(Self.batchesOfASeed)
            .map { batch in
                batch.map { labels, sample in
                    var sample = sample
                    if Int.random(in: 0..<40, using: &random) == 0 { sample.value = .nan }
                    return (labels, sample)
                }
            }
    }

    /// After every batch the engine has said what a reference says that evaluates every rule at every minute.
    @Test func streamEqualsBatchForRulesNobodyWrote() throws {
        print("generated rules: POYANG_SEED=\(Self.firstSeed)")
        var said = 0
        for seed in Self.firstSeed..<Self.firstSeed + UInt64(Self.seeds) {
            var maker = GeneratedRules(random: SeededGenerator(seed: seed))
            let text = maker.file(rules: Self.rulesOfASeed, lateness: "0s")
            let channels = DifferentialTests.channels(seed % 2 == 0)
            let harness = try EngineHarness(text, channels: channels, thresholds: DifferentialTests.thresholds)
            var reference = Reference(rules: harness.engine.compiled, channels: channels, reader: harness.reader)
            for (number, batch) in Self.stream(seed).enumerated() {
                let actual = try harness.feed(batch).map(DifferentialTests.line).sorted()
                let expected = try reference.process(batch).sorted()
                try #require(actual == expected, "POYANG_SEED=\(seed), batch \(number): \(batch)\n\(text)")
                said += actual.count
            }
        }
        #expect(said > Self.seeds * 10)
    }

    /// What is known in the end does not depend on the order in which it came.
    @Test func disorderTellsTheSameInTheEndForRulesNobodyWrote() throws {
        print("generated rules: POYANG_SEED=\(Self.firstSeed)")
        for seed in Self.firstSeed..<Self.firstSeed + UInt64(max(1, Self.seeds / 3)) {
            var maker = GeneratedRules(random: SeededGenerator(seed: seed))
            let text = maker.file(rules: Self.rulesOfASeed, lateness: "1d")
            var known: Set<String> = []
            let stream = Self.stream(seed)
                .map { batch in
                    batch.filter { known.insert("\($0.0) \($0.1.time.milliseconds)").inserted }
                }
            func harness() throws -> EngineHarness {
                let channels = DifferentialTests.channels(seed % 2 == 0)
                return try EngineHarness(text, channels: channels, thresholds: DifferentialTests.thresholds)
            }
            let (late, ordered) = (try harness(), try harness())
            var (lateHistory, orderedHistory) = (LateTruthTests.History(), LateTruthTests.History())
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
