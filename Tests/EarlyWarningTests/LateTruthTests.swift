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
        #expect(harness.snapshot().isEmpty)
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

    @Test(arguments: ["expr: level >= 10", "expr: level >= 10\nclear: level < 9.5"])
    func aHigherPeakThatComesLateIsAmendedWhileItFiresAndAfterwards(rule: String) throws {
        let harness = try EngineHarness(Self.rules(rule), channels: Self.every10)
        for (minute, value) in [(0, 8.0), (10, 11), (30, 11), (40, 11.5), (50, 11)] {
            try harness.feed([Self.sample(Int64(minute), value)])
        }
        let firing = try harness.feed([Self.sample(20, 13)])
        #expect(firing.line == "amended@50")
        #expect(firing.first?.peak == AlertPeak(value: 13, at: .minutes(20)))
        #expect(firing.first?.amends == AlertAmendment(peak: AlertPeak(value: 11.5, at: .minutes(40))))
        #expect(firing.first?.value == 11)
        #expect(try harness.feed([Self.sample(60, 5)]).line == "ended@60")
        #expect(try harness.feed([Self.sample(70, 5)]).isEmpty)
        let over = try harness.feed([Self.sample(25, 14)])
        #expect(over.line == "amended@70")
        #expect(over.first?.peak == AlertPeak(value: 14, at: .minutes(25)))
        let before = AlertPeak(value: 13, at: .minutes(20))
        #expect(over.first?.amends == AlertAmendment(peak: before, until: .minutes(60)))
        #expect(over.first?.activeSince == .minutes(10))
    }

    @Test func aPeakFromBeforeTheLateReadingStays() throws {
        let harness = try EngineHarness(Self.rules("expr: level >= 10"), channels: Self.every10)
        for (minute, value) in [(0, 8.0), (10, 11), (20, 13), (30, 11), (50, 11)] {
            try harness.feed([Self.sample(Int64(minute), value)])
        }
        #expect(try harness.feed([Self.sample(40, 12)]).isEmpty)
        #expect(try harness.feed([Self.sample(60, 5)]).first?.peak == AlertPeak(value: 13, at: .minutes(20)))
        #expect(try harness.feed([Self.sample(45, 12)]).isEmpty)
    }

    @Test(arguments: [[], [Self.sample(50, 12)], [Self.sample(50, 5)]])
    func aPeakThatIsCorrectedDownFallsBackToTheOneBefore(after: [(Labels, Sample)]) throws {
        let harness = try EngineHarness(Self.rules("expr: level >= 10\nfor: 10m"), channels: Self.every10)
        for (minute, value) in [(0, 12.0), (10, 11), (20, 13), (30, 11), (40, 15)] {
            try harness.feed([Self.sample(Int64(minute), value)])
        }
        for sample in after { try harness.feed([sample]) }
        let told = try harness.feed([Self.sample(40, 11)])
        #expect(told.map(\.change) == [.amended])
        #expect(told.first?.peak == AlertPeak(value: 13, at: .minutes(20)))
        #expect(told.first?.amends?.peak == AlertPeak(value: 15, at: .minutes(40)))
        let lower = try harness.feed([Self.sample(20, 11)])
        #expect(lower.first?.peak == AlertPeak(value: 12, at: .minutes(0)))
    }

    @Test func whatIsToldOfALatePeakIsTheSameAfterAStart() throws {
        let rules = Self.rules("expr: level >= 10\nfor: 10m")
        let early = [(0, 12.0), (10, 11), (20, 13), (30, 11), (40, 15)].map { Self.sample(Int64($0.0), $0.1) }
        let rest = [
            Self.sample(50, 5), Self.sample(60, 5), Self.sample(35, 16), Self.sample(35, 11), Self.sample(40, 11),
        ]
        for cut in 1...early.count + rest.count {
            let (whole, resumed) = (
                try EngineHarness(rules, channels: Self.every10), try EngineHarness(rules, channels: Self.every10)
            )
            var state = DifferentialTests.SavedState()
            for (index, sample) in (early + rest).enumerated() {
                let told = try whole.feed([sample])
                if index < cut {
                    resumed.store.insert(sample.0, sample.1)
                    state.apply(whole.engine.checkpoint())
                } else {
                    if index == cut {
                        _ = try resumed.engine.restore(
                            alerts: state.alerts,
                            clocks: state.clocks,
                            reader: resumed.reader
                        )
                    }
                    #expect(try resumed.feed([sample]) == told, "\(cut) \(index)")
                }
            }
        }
    }

    @Test func aFiringFromBeforeAllThatIsKeptIsNotBegunAnew() throws {
        let harness = try EngineHarness(Self.rules("expr: level >= 10\nlateness: 7d"), channels: Self.every10)
        // It is held and resumes, more often than is kept.
        for round in 0...200 { try harness.feed([Self.sample(Int64(round) * 40, 11)]) }
        #expect(try harness.feed([Self.sample(1010, 12)]).isEmpty)
        let told = try harness.feed([Self.sample(7010, 12)])
        #expect(told.map(\.change).first == .amended)
        #expect(told.first?.activeSince == .minutes(0))
        #expect(told.first?.amends?.firedAt == nil)
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

    /// What an outsider knows of the alerts in the end: when each fired, and of those that are over the peak.
    struct History: Equatable, CustomStringConvertible {
        private var firings: [String: [Timestamp: (end: Timestamp?, peak: AlertPeak?)]] = [:]
        /// Whose peak depends on when one looks.
        private let movingWithTime: Set<String>

        init(of engine: RuleEngine) {
            self.movingWithTime = Set(engine.compiled.filter(\.dependsOnTime).map(\.rule.id))
        }

        mutating func take(_ transitions: [AlertTransition]) {
            for transition in transitions {
                let key = "\(transition.rule) \(transition.labels)"
                let peak = self.movingWithTime.contains(transition.rule) ? nil : transition.peak
                if let withdrawn = transition.amends?.firedAt { self.firings[key]?[withdrawn] = nil }
                switch transition.change {
                case .retracted: break
                case .ended:
                    self.firings[key, default: [:]][transition.activeSince] = (transition.eventTime, peak)
                case .raised, .amended, .held, .resumed:
                    self.firings[key, default: [:]][transition.activeSince] = (
                        transition.amends?.until, peak
                    )
                }
            }
        }

        var description: String {
            self.firings.sorted { $0.key < $1.key }
                .flatMap { key, firings in
                    firings.sorted { $0.key < $1.key }
                        .map { since, firing in
                            let last = firing.end.map { "\($0.milliseconds / .minute)" } ?? ""
                            let peak = firing.end == nil ? nil : firing.peak
                            let top = peak.map { " \($0.value)@\($0.at.milliseconds / .minute)" } ?? ""
                            return "\(key): \(since.milliseconds / .minute)–\(last)\(top)"
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
        var (lateHistory, orderedHistory) = (History(of: late.engine), History(of: ordered.engine))
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
                harness.snapshot().filter { $0.alertName != "Gone" }
                    .map { "\($0.rule) \($0.labels) \($0.state) \($0.activeAt) \($0.firingSince as Timestamp?)" }
            }
        #expect(states[0] == states[1], "seed \(seed), registered \(isRegistered)")
    }
}
