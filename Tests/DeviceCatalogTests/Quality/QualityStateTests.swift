// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Telemetry
import Testing

/// What single values are flagged as; a value every five minutes from ``Fixture/now`` on.
struct QualityStateTests {
    static let metric = "dissolved_oxygen_milligrams_per_liter"

    /// One letter for each value: `.` pass, `r` gross range, `c` climatology, `j` rate of change, `s` spike, `f` flat
    /// line, `g` gap, `X` fail, `?` the sender's doubt.
    static func flags(
        _ values: [Double],
        minutes: [Int]? = nil,
        marks: [SampleMark]? = nil,
        metric: String = QualityStateTests.metric,
        schedule: ReportSchedule? = .periodic(5 * .minute),
        _ change: (inout QualityParameters) -> Void
    ) -> String {
        var parameters = QualityParameters()
        change(&parameters)
        let plan = QualityPlan(parameters, metric: metric, schedule: schedule)
        let times = values.indices.map { Fixture.now + Milliseconds(minutes?[$0] ?? $0 * 5) * .minute }
        let given = marks ?? values.map { _ in .measured }
        return self.text(QualityFlags.marks(times: times, values: values, marks: given, plan: plan))
    }

    static func text(_ marks: [SampleMark]) -> String {
        marks.map { mark in
            switch (mark.quality, mark.failedTest) {
            case (.pass, _): "."
            case (.fail, _): "X"
            case (.suspect, .sender?): "?"
            case (.suspect, .grossRange?): "r"
            case (.suspect, .climatology?): "c"
            case (.suspect, .rateOfChange?): "j"
            case (.suspect, .spike?): "s"
            case (.suspect, .flatLine?): "f"
            case (.suspect, .gap?): "g"
            case (.suspect, .neighbour?): "n"
            case (.suspect, .identical?): "i"
            case (.suspect, nil), (.notEvaluated, _), (.missing, _): "-"
            }
        }
        .joined()
    }

    private static let rate = QualityParameters.RateOfChange(limit: 2, span: 5 * .minute, confirmation: .hour)

    @Test func whatIsOutsidePhysicalBoundsFailsAndIsNoNeighbour() {
        #expect(Self.flags([8, -1, 8, 61, 8]) { $0.rateOfChange = Self.rate } == ".X.X.")
    }

    @Test func whatIsImplausibleIsSuspectOnly() {
        #expect(Self.flags([8, 31, 0, 60]) { $0.grossRange = 0...30 } == ".r.r")
    }

    @Test func whatIsUnusualForTheMonthIsSuspect() {
        // Fixture.now is in June.
        let flags = Self.flags([8, 2, 15]) { parameters in
            parameters.climatology = (1...12).map { $0 == 6 ? 5...12 : nil }
        }
        #expect(flags == ".cc")
        #expect(Self.flags([8, 2, 15]) { $0.climatology = (1...12).map { $0 == 7 ? 5...12 : nil } } == "...")
    }

    @Test func aMonthBeginsAtMidnightInChina() throws {
        var parameters = QualityParameters()
        parameters.climatology = (1...12).map { $0 == 7 ? 100...200 : nil }
        let plan = QualityPlan(parameters, metric: "air_pressure_hectopascals")
        let times = [try Fixture.time("2022-06-30T23:59:59+08:00"), try Fixture.time("2022-07-01T00:00:00+08:00")]
        let marks = QualityFlags.marks(times: times, values: [900, 900], marks: [.measured, .measured], plan: plan)
        #expect(Self.text(marks) == ".c")
    }

    @Test func aSensorThatDropsToZeroIsDoubtedUntilItIsBack() {
        #expect(Self.flags([8, 8, 0, 0, 0, 8.1, 8.1]) { $0.rateOfChange = Self.rate } == "..jjj..")
    }

    @Test func zeroAfterASteadyDeclineIsAValue() {
        let decline = stride(from: 8.0, through: 0, by: -0.4).map { $0 } + [0, 0, 0, 0.2]
        #expect(
            Self.flags(decline) { $0 = QualityDefaults.parameters(of: Self.metric) ?? QualityParameters() }
                == String(repeating: ".", count: decline.count)
        )
    }

    @Test func aStepThatStaysIsBelievedAfterAnHour() {
        let values = [8.0] + [Double](repeating: 3, count: 15)
        #expect(Self.flags(values) { $0.rateOfChange = Self.rate } == ".jjjjjjjjjjjj...")
    }

    @Test func aValueThatJumpsAgainWaitsAgain() {
        let flags = Self.flags([8, 3, 5.5, 3, 8.5]) { $0.rateOfChange = Self.rate }
        #expect(flags == ".jjj.")
    }

    @Test func theChangeAllowedGrowsWithTheTimeBetween() {
        #expect(Self.flags([8, 2], minutes: [0, 15]) { $0.rateOfChange = Self.rate } == "..")
        #expect(Self.flags([8, 2], minutes: [0, 14]) { $0.rateOfChange = Self.rate } == ".j")
        // And is never less than that of the span: two readings of one second may differ by a wave.
        #expect(Self.flags([8, 6], minutes: [0, 1]) { $0.rateOfChange = Self.rate } == "..")
    }

    @Test func decimalsOnTheLimitAreNotBeyondIt() {
        #expect(Self.flags([1.1, 1.2, 1.3]) { $0.rateOfChange = .init(limit: 0.1, span: 5 * .minute) } == "...")
        #expect(Self.flags([1.1, 1.2, 1.1]) { $0.spike = 0.1 } == "...")
    }

    @Test(arguments: [
        ([8, 8, 9, 8, 8], "..s.."), ([8, 8, 7, 8, 8], "..s.."),
        // A rise, however steep, and a crest between two rises are none.
        ([0, 1, 5, 9, 9], "....."), ([1, 9, 8.9, 1], "...."),
        ([8, 9, 8, 9, 8], ".s.s."),
    ])
    func spikes(values: [Double], expected: String) {
        #expect(Self.flags(values) { $0.spike = 0.5 } == expected)
    }

    /// The crest of a flood, behind which the gauge drops to zero.
    @Test func aValueBesideADoubtedOneIsNoSpike() {
        let flags = Self.flags([1.0, 1.2, 1.6, 0, 0, 1.6, 1.65, 2.3, 1.7, 2.05, 1.7]) { parameters in
            parameters.rateOfChange = .init(limit: 0.5, span: 5 * .minute, confirmation: 20 * .minute)
            parameters.spike = 0.3
        }
        #expect(flags == "...jj..j.s.")
        let marks = [.measured, .measured, SampleMark(quality: .suspect), .measured]
        #expect(Self.flags([1, 2, 1, 2], marks: marks) { $0.spike = 0.3 } == "..?.")
    }

    @Test func aValueBesideAGapIsNoSpike() {
        #expect(Self.flags([8, 9, 8], minutes: [0, 5, 60]) { $0.spike = 0.5 } == "...")
        #expect(Self.flags([8, 9, 8], minutes: [0, 5, 17]) { $0.spike = 0.5 } == ".s.")
    }

    @Test func aFlatLineIsSuspectFromItsDurationOn() {
        #expect(Self.flags([1, 2, 2, 2, 2, 2.1, 2.1]) { $0.flatLine = .init(duration: 15 * .minute) } == "....f..")
        let noisy: [Double] = [2, 2.01, 2, 2.02, 2.01, 2.0, 2.5, 2.5]
        #expect(
            Self.flags(noisy) { $0.flatLine = .init(duration: 15 * .minute, tolerance: 0.02) } == "...fff.."
        )
    }

    @Test func twoEqualValuesFarApartAreNoFlatLine() {
        #expect(Self.flags([2, 2, 2], minutes: [0, 20, 40]) { $0.flatLine = .init(duration: 15 * .minute) } == "...")
    }

    @Test func theFirstValueAfterAGapIsSuspect() {
        #expect(Self.flags([8, 8, 8, 8], minutes: [0, 5, 70, 75]) { $0.gap = .hour } == "..g.")
    }

    @Test func theSendersDoubtStays() {
        let marks: [SampleMark] = [.measured, SampleMark(quality: .suspect), SampleMark(quality: .pass)]
        #expect(Self.flags([8, 31, 8], marks: marks) { $0.grossRange = 0...30 } == ".?.")
    }

    @Test func whatAPersonReadAndWhatIsOfWorkIsNotTested() {
        let marks = [SampleMark(quality: .notEvaluated, method: .manual), SampleMark(quality: .missing)]
        let given = marks + [.measured]
        #expect(Self.flags([31, 31, 8], marks: given) { $0.grossRange = 0...30 } == "--.")
    }

    @Test func whatAPersonReadIsNotPossibleBeyondPhysicalBoundsEither() {
        let marks = [
            SampleMark(quality: .notEvaluated, method: .manual), SampleMark(quality: .missing, method: .manual),
            .measured,
        ]
        #expect(Self.flags([1e9, 1e9, 8], marks: marks) { $0.grossRange = 0...30 } == "X-.")
    }

    @Test func rainDeeperThanTheWorldHasSeenIsSuspect() {
        // WMO-No. 1045: 422 mm × h^0.475, which are 130 mm in five minutes.
        let flags = Self.flags([0, 129, 131, 0, 679.6], minutes: [0, 5, 10, 15, 1455], metric: "rainfall_millimeters") {
            $0.grossRange = 0...1000
        }
        #expect(flags == "..r..")
    }
}
