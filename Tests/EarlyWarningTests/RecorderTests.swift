// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry
import TestSupport
import Testing

@testable import EarlyWarning

/// Recording rules have values where their series have samples, and these are put right by what comes late.
struct RecorderTests {
    /// A store with its recorder: what is recorded is stored, and recorded from in its turn.
    final class Recording {
        let store = MemorySeries()
        let recorder: Recorder
        let rules: [RecordingRule]

        init(_ rules: String, limit: Int = 0) throws {
            let text = "groups:\n  - name: g\n    interval: 10m\n    limit: \(limit)\n    rules:\n" + rules
            self.rules = try RuleFileLoader().parse(text).recordings
            self.recorder = try Recorder(rules: self.rules)
        }

        @discardableResult
        func feed(_ samples: [(Labels, Sample)], during time: ClosedRange<Timestamp>? = nil) throws -> [String] {
            let applied = samples.filter { self.store.insert($0.0, $0.1) }
                .map { AppliedSample(series: SeriesKey(labels: $0.0), sample: $0.1) }
            return try self.recorder.record(applied, during: time, reader: self.store) { self.store.insert($0, $1) }
                .map { Self.line($0.series.labels, $0.sample) }
        }

        static func line(_ labels: Labels, _ sample: Sample) -> String {
            let minute = sample.time.milliseconds / .minute
            let isSuspect = sample.mark.quality == .suspect ? "?" : ""
            if sample.value.endsSeries { return "\(labels)@\(minute) ends" }
            return "\(labels)@\(minute)=\(sample.value)\(isSuspect)\(sample.mark.isSimulated ? "!" : "")"
        }
    }

    static func rain(_ minute: Int64, _ value: Double, _ site: String = "a", _ mark: SampleMark = .measured)
        -> (Labels, Sample)
    {
        (["__name__": "rain", "site": site], Sample(time: .minutes(minute), value: value, mark: mark))
    }

    static let hourly = """
              - record: rain_1h
                expr: sum_over_time(rain[1h])
                labels: { unit: mm }
        """

    @Test func aValueStandsWhereASampleDoes() throws {
        let recording = try Recording(Self.hourly)
        #expect(try recording.feed([Self.rain(0, 1)]) == [#"rain_1h{site="a", unit="mm"}@0=1.0"#])
        #expect(try recording.feed([Self.rain(5, 2), Self.rain(10, 3)]).count == 2)
        #expect(try recording.feed([Self.rain(10, 1, "b")]) == [#"rain_1h{site="b", unit="mm"}@10=1.0"#])
        #expect(try recording.feed([Self.rain(60, 4)]) == [#"rain_1h{site="a", unit="mm"}@60=9.0"#])
    }

    @Test func moreThanTheLimitOfAGroupIsNotRecorded() throws {
        let recording = try Recording(Self.hourly, limit: 1)
        func rain(_ minute: Int64, _ depth: String) -> (Labels, Sample) {
            (["__name__": "rain", "site": "a", "gauge": depth], Sample(time: .minutes(minute), value: 1))
        }
        #expect(try recording.feed([rain(0, "1")]).count == 1)
        #expect(try recording.feed([rain(5, "2")]).isEmpty)
        // Its value, and the end of the other's.
        #expect(try recording.feed([rain(61, "2")]).count == 2)
    }

    @Test func whatComesLateChangesWhatItReaches() throws {
        let recording = try Recording(Self.hourly)
        try recording.feed([0, 20, 40, 60, 80, 100].map { Self.rain($0, 1) })
        let told = try recording.feed([Self.rain(30, 10)])
        #expect(told.map { $0.split(separator: "@")[1] } == ["30=12.0", "40=13.0", "60=13.0", "80=13.0"])
    }

    @Test func marksAreThoseOfTheWorstThatIsRead() throws {
        let recording = try Recording(Self.hourly)
        let suspect = SampleMark(quality: .suspect)
        let simulated = SampleMark(quality: .pass, simulated: true)
        #expect(try recording.feed([Self.rain(0, 1, "a", suspect)]).first?.hasSuffix("=1.0?") == true)
        #expect(try recording.feed([Self.rain(10, 1)]).first?.hasSuffix("=2.0?") == true)
        #expect(try recording.feed([Self.rain(0, 1, "b", simulated)]).first?.hasSuffix("=1.0!") == true)
        #expect(try recording.feed([Self.rain(70, 1)]).first?.hasSuffix("=1.0") == true)
        #expect(try recording.feed([Self.rain(80, 1, "a", SampleMark(quality: .fail))]).isEmpty)
    }

    @Test func rulesRecordFromWhatOthersRecorded() throws {
        let recording = try Recording(
            """
                  - record: rain_twice_max
                    expr: max_over_time(rain_twice[1h])
                  - record: rain_twice
                    expr: rain * 2

            """
        )
        #expect(
            try recording.feed([Self.rain(0, 3)]) == [
                #"rain_twice{site="a"}@0=6.0"#, #"rain_twice_max{site="a"}@0=6.0"#,
            ]
        )
        #expect(recording.rules.inOrderOfUse.map(\.record) == ["rain_twice", "rain_twice_max"])
    }

    @Test func acrossSitesValuesStandAtTheMultiplesOfTheInterval() throws {
        let recording = try Recording(
            """
                  - record: rain_total
                    expr: sum(rain)

            """
        )
        #expect(try recording.feed([Self.rain(1003, 1)]).isEmpty)
        #expect(try recording.feed([Self.rain(1008, 2, "b")]).isEmpty)
        #expect(try recording.feed([Self.rain(1012, 5)]).map { $0.split(separator: "@")[1] } == ["1010=2.0"])
        #expect(try recording.feed([Self.rain(1014, 5)]).isEmpty)
    }

    static let high = """
              - record: high
                expr: rain > 5

        """

    @Test func aSeriesEndsWhereTheRuleNoLongerGivesIt() throws {
        let recording = try Recording(Self.high)
        #expect(try recording.feed([Self.rain(0, 9), Self.rain(1, 9, "b")]).count == 2)
        #expect(try recording.feed([Self.rain(5, 1)]) == [#"high{site="a"}@5 ends"#])
        #expect(try recording.feed([Self.rain(10, 1)]).isEmpty)
        // What does not come ends nothing.
        #expect(try recording.feed([Self.rain(90, 9)]) == [#"high{site="a"}@90=9.0"#])
        // Twice at one moment: the second says what is so.
        #expect(try recording.feed([Self.rain(95, 7)]) == [#"high{site="a"}@95=7.0"#])
        #expect(try recording.feed([Self.rain(95, 2)]) == [#"high{site="a"}@95 ends"#])
    }

    @Test func whatComesLateEndsASeriesAndTakesItsEndBack() throws {
        let recording = try Recording(Self.high)
        try recording.feed([(0, 9), (2, 9), (6, 1)].map { Self.rain($0.0, $0.1) })
        #expect(try recording.feed([Self.rain(4, 1)]) == [#"high{site="a"}@4 ends"#])
        #expect(try recording.feed([Self.rain(3, 8)]) == [#"high{site="a"}@3=8.0"#])
        #expect(try recording.feed([Self.rain(8, 9)]) == [#"high{site="a"}@8=9.0"#])
        #expect(try recording.feed([Self.rain(7, 9)]) == [#"high{site="a"}@7=9.0"#])
    }

    @Test func whatIsNoNumberIsRecorded() throws {
        let recording = try Recording(
            """
                  - record: endless
                    expr: rain / 0
                  - record: none
                    expr: rain * NaN

            """
        )
        #expect(try recording.feed([Self.rain(0, 1)]) == [#"endless{site="a"}@0=inf"#, #"none{site="a"}@0=nan"#])
    }

    @Test func whatNeedsNoSampleIsRecordedAsTimePasses() throws {
        let recording = try Recording(
            """
                  - record: one
                    expr: vector(1)
                  - record: gone
                    expr: absent(rain)
                  - record: twice
                    expr: one * 2

            """
        )
        func pass(_ from: Int64, _ through: Int64) throws -> [String] {
            try recording.feed([], during: .minutes(from) ... .minutes(through)).sorted()
        }
        #expect(try pass(9, 9).isEmpty)
        #expect(try pass(10, 14) == ["gone@10=1.0", "one@10=1.0", "twice@10=2.0"])
        #expect(try pass(15, 19).isEmpty)
        try recording.feed([Self.rain(20, 1)])
        #expect(
            try pass(20, 32) == [
                "gone@20 ends", "gone@30=1.0", "one@20=1.0", "one@30=1.0", "twice@20=2.0", "twice@30=2.0",
            ]
        )
    }

    @Test func aStartGoesOnWhereARuleAcrossSitesHadComeTo() throws {
        let rules = """
                  - record: rain_total
                    expr: sum(rain > 5)

            """
        let recording = try Recording(rules)
        try recording.feed([Self.rain(9, 9), Self.rain(10, 9)])
        let store = recording.store
        let again = try Recorder(rules: recording.rules, notes: recording.recorder.notes())
        let sample = Self.rain(32, 1)
        for late in [Self.rain(28, 9), sample] { store.insert(late.0, late.1) }
        let applied = AppliedSample(series: SeriesKey(labels: sample.0), sample: sample.1)
        let told = try again.record([applied], reader: store) { store.insert($0, $1) }
        #expect(
            told.map { Recording.line($0.series.labels, $0.sample) } == ["rain_total@20 ends", "rain_total@30=9.0"]
        )
    }

    @Test func whatWasRecordedSaysHowItIs() throws {
        let recording = try Recording(
            Self.high + """
                      - record: pairs
                        expr: rain * on() group_left() rain

                """
        )
        #expect(recording.recorder.state(of: recording.rules[0])?.lastEvaluation == nil)
        try recording.feed([Self.rain(10, 9), Self.rain(10, 9, "b")])
        let states = recording.rules.compactMap { recording.recorder.state(of: $0) }
        #expect(states.map(\.lastEvaluation) == [.minutes(10), .minutes(10)])
        #expect(states.map { $0.failure != nil } == [false, true])
    }

    @Test(arguments: [hourly, high])
    func historyGivesTheSameAsArrival(rules: String) throws {
        print("recorder: seed 11")
        var random = SeededGenerator(seed: 11)
        let recording = try Recording(rules)
        let store = MemorySeries()
        var expected: Set<String> = []
        for minute in stride(from: Int64(0), to: 400, by: 5) where Int.random(in: 0..<4, using: &random) > 0 {
            let sample = Self.rain(minute, Double(Int.random(in: 0...18, using: &random)) / 2)
            store.insert(sample.0, sample.1)
            expected.formUnion(try recording.feed([sample]))
        }
        var found: Set<String> = []
        let rule = recording.rules[0]
        #expect(try Recorder.sites(of: rule, store) == ["a"])
        try Recorder.eachValue(of: rule, at: "a", through: .minutes(400), store) { labels, sample in
            found.insert(Recording.line(labels, sample))
        }
        #expect(found == expected)
    }

    @Test func aRuleThatFeedsItselfIsRefused() throws {
        for rules in [
            ["x: x + 1"], ["x: y", "y: max_over_time(x[1h])"], ["x: '{site=\"a\"}'", "y: x"],
        ] {
            let lines = rules.map { rule in
                let parts = rule.split(separator: ":", maxSplits: 1)
                return "      - record: \(parts[0])\n        expr:\(parts[1])\n"
            }
            #expect(throws: (any Error).self) { try Recording(lines.joined()) }
        }
    }
}
