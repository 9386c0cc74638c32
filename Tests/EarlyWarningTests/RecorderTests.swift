// poyang
// SPDX-License-Identifier: Apache-2.0

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
            self.recorder = Recorder(rules: self.rules)
        }

        @discardableResult
        func feed(_ samples: [(Labels, Sample)]) throws -> [String] {
            var fresh = samples
            var told: [String] = []
            while !fresh.isEmpty {
                let applied = fresh.filter { self.store.insert($0.0, $0.1) }
                    .map { AppliedSample(series: SeriesKey(labels: $0.0), sample: $0.1) }
                let recorded = try self.recorder.record(applied, reader: self.store)
                told += recorded.map { Self.line($0.series.labels, $0.sample) }
                fresh = recorded.map { ($0.series.labels, $0.sample) }
            }
            return told
        }

        static func line(_ labels: Labels, _ sample: Sample) -> String {
            let minute = sample.time.milliseconds / .minute
            let isSuspect = sample.mark.quality == .suspect ? "?" : ""
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
        #expect(try recording.feed([rain(61, "2")]).count == 1)
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

    @Test func historyGivesTheSameAsArrival() throws {
        print("recorder: seed 11")
        var random = SeededGenerator(seed: 11)
        let recording = try Recording(Self.hourly)
        let store = MemorySeries()
        var expected: Set<String> = []
        for minute in stride(from: Int64(0), to: 400, by: 5) where Int.random(in: 0..<4, using: &random) > 0 {
            let sample = Self.rain(minute, Double(Int.random(in: 0...9, using: &random)) / 2)
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
