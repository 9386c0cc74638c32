// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry
import TestSupport
import Testing

@testable import EarlyWarning

/// Readings that come late put right what was said before they came.
struct LateTruthTests {
    static let level: Labels = ["__name__": "level", "site": "a"]
    static let every10 = [WatchedChannel(series: level, schedule: .periodic(10 * .minute))]

    static func rules(_ text: String) -> String {
        "groups:\n  - name: g\n    rules:\n      - alert: A\n        " + text.replacing("\n", with: "\n        ")
    }

    static func sample(_ minute: Int64, _ value: Double) -> (Labels, Sample) {
        (Self.level, Sample(time: .minutes(minute), value: value, mark: SampleMark(quality: .pass)))
    }

    @Test func aCrossingThatWasOverIsIssuedAsPast() throws {
        let harness = try EngineHarness(Self.rules("expr: level >= 10"), channels: Self.every10)
        #expect(try harness.feed([Self.sample(0, 5)]).isEmpty)
        #expect(try harness.feed([Self.sample(60, 5)]).isEmpty)
        let told = try harness.feed([Self.sample(30, 12), Self.sample(20, 11), Self.sample(40, 5)])
        #expect(told.line == "raised@20 ended@40")
        #expect(told.map(\.amends?.until) == [.minutes(40), .minutes(40)])
        #expect(told.last?.peak == AlertPeak(value: 12, at: .minutes(30)))
        #expect(harness.engine.snapshot().isEmpty)
        // What is known already is not told again.
        #expect(try harness.feed([Self.sample(50, 5)]).isEmpty)
    }

    @Test func peakAndBeginningArePutRight() throws {
        let harness = try EngineHarness(Self.rules("expr: level >= 10"), channels: Self.every10)
        try harness.feed([Self.sample(0, 5)])
        #expect(try harness.feed([Self.sample(40, 11)]).line == "raised@40")
        #expect(try harness.feed([Self.sample(50, 10.5)]).isEmpty)
        let amended = try harness.feed([Self.sample(30, 12)])
        #expect(amended.line == "amended@50")
        #expect(amended.first?.activeSince == .minutes(30))
        #expect(amended.first?.amends?.firedAt == .minutes(40))
        #expect(amended.first?.amends?.peak == AlertPeak(value: 11, at: .minutes(40)))
        #expect(amended.first?.peak == AlertPeak(value: 12, at: .minutes(30)))
        #expect(try harness.feed([Self.sample(20, 5)]).isEmpty)
        #expect(try harness.feed([Self.sample(60, 5)]).line == "ended@60")
    }

    @Test func whatNeverFiredIsRetracted() throws {
        let harness = try EngineHarness(Self.rules("expr: level >= 10\nfor: 30m"), channels: Self.every10)
        try harness.feed([Self.sample(0, 11)])
        #expect(try harness.feed([Self.sample(20, 11)]).isEmpty)
        #expect(try harness.feed([Self.sample(40, 11)]).line == "raised@30")
        let told = try harness.feed([Self.sample(15, 5)])
        #expect(told.line == "retracted@40")
        #expect(told.first?.amends?.firedAt == .minutes(30))
        // It pends from 20 on.
        #expect(try harness.feed([Self.sample(50, 11)]).line == "raised@50")
    }

    @Test func whatWasEndedTooEarlyIsRaisedAgain() throws {
        let harness = try EngineHarness(Self.rules("expr: level >= 10\nkeep_firing_for: 20m"), channels: Self.every10)
        try harness.feed([Self.sample(0, 11)])
        #expect(try harness.feed([Self.sample(10, 5)]).isEmpty)
        #expect(try harness.feed([Self.sample(30, 5)]).line == "ended@30")
        let told = try harness.feed([Self.sample(20, 11)])
        #expect(told.line == "raised@30")
        #expect(told.first?.activeSince == .minutes(0))
        #expect(try harness.feed([Self.sample(50, 5)]).line == "ended@50")
    }

    @Test func beyondTheRulesLatenessNothingIsAmended() throws {
        let harness = try EngineHarness(Self.rules("expr: level >= 10\nlateness: 20m"), channels: Self.every10)
        try harness.feed([Self.sample(0, 5)])
        try harness.feed([Self.sample(60, 5)])
        #expect(try harness.feed([Self.sample(30, 12)]).isEmpty)
        #expect(harness.engine.counters.rehearsals == 0)
        #expect(try harness.feed([Self.sample(45, 12)]).line == "raised@45 ended@60")
    }

    @Test func whatIsLateIsLookedAtOnlyWhereItMatters() throws {
        let harness = try EngineHarness(
            Self.rules("expr: level >= 10") + "\n      - alert: B\n        expr: other >= 10",
            channels: Self.every10
        )
        try harness.feed([Self.sample(60, 5)])
        try harness.feed([Self.sample(30, 5)])
        #expect(harness.engine.counters.rehearsals == 1)
    }

    /// What an outsider knows of the alerts in the end: when each fired.
    struct History: Equatable, CustomStringConvertible {
        private var firings: [String: [Timestamp: Timestamp?]] = [:]

        mutating func take(_ transitions: [AlertTransition]) {
            for transition in transitions {
                let key = "\(transition.rule) \(transition.labels)"
                if let withdrawn = transition.amends?.firedAt { self.firings[key]?[withdrawn] = nil }
                switch transition.change {
                case .retracted: break
                case .ended: self.firings[key, default: [:]][transition.activeSince] = .some(transition.eventTime)
                case .raised, .amended, .held, .resumed:
                    self.firings[key, default: [:]][transition.activeSince] = .some(transition.amends?.until)
                }
            }
        }

        var description: String {
            self.firings.sorted { $0.key < $1.key }
                .flatMap { key, firings in
                    firings.sorted { $0.key < $1.key }
                        .map { since, end in
                            let last = end.map { "\($0.milliseconds / .minute)" } ?? ""
                            return "\(key): \(since.milliseconds / .minute)–\(last)"
                        }
                }
                .joined(separator: "\n")
        }

        static func == (left: History, right: History) -> Bool { left.description == right.description }
    }

    /// What asks for the absence of everything begins with whatever comes first.
    static func isCompared(_ transition: AlertTransition) -> Bool { transition.alertName != "Gone" }

    @Test(arguments: [UInt64(7), 21, 22], [false, true])
    func disorderTellsTheSameInTheEndAsOrder(seed: UInt64, isRegistered: Bool) throws {
        let channels = DifferentialTests.channels(isRegistered)
        func harness() throws -> EngineHarness {
            try EngineHarness(DifferentialTests.rules, channels: channels, thresholds: DifferentialTests.thresholds)
        }
        var known: Set<String> = []
        let stream = DifferentialTests.stream(seed: seed)
            .map { batch in
                batch.filter { known.insert("\($0.0) \($0.1.time.milliseconds)").inserted }
            }
        let (late, ordered) = (try harness(), try harness())
        var (lateHistory, orderedHistory) = (History(), History())
        for batch in stream where !batch.isEmpty {
            lateHistory.take(try late.feed(batch).filter(Self.isCompared))
        }
        let samples = stream.flatMap { $0 }
        for time in Set(samples.map(\.1.time)).sorted() {
            let batch = samples.filter { $0.1.time == time }
            orderedHistory.take(try ordered.feed(batch).filter(Self.isCompared))
        }
        let end = (samples.map(\.1.time.milliseconds).max() ?? 0) / .minute + 60
        lateHistory.take(try late.advance(end).filter(Self.isCompared))
        orderedHistory.take(try ordered.advance(end).filter(Self.isCompared))
        try #require(lateHistory == orderedHistory, "seed \(seed), registered \(isRegistered)")
        let states = [late, ordered]
            .map { harness in
                harness.engine.snapshot().filter { $0.alertName != "Gone" }
                    .map { "\($0.rule) \($0.labels) \($0.state) \($0.activeAt) \($0.firingSince as Timestamp?)" }
            }
        #expect(states[0] == states[1], "seed \(seed), registered \(isRegistered)")
    }
}
