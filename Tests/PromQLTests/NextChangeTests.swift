// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry
import TestSupport
import Testing

/// Times are in minutes from the epoch.
struct NextChangeTests {
    private static func minute(_ number: Int64) -> Timestamp { Timestamp(milliseconds: number * .minute) }

    /// `level` at 0, 5 … 60 with a look-back of 12 minutes, `rain` at 3 and 58 with 5 minutes.
    private static func reader() -> MemorySeriesReader {
        var reader = MemorySeriesReader()
        for number in stride(from: Int64(0), through: 60, by: 5) {
            reader.append(
                Labels(metric: "level", ["site": "a"]),
                at: minute(number),
                Double(number),
                lookback: 12 * .minute
            )
        }
        reader.append(Labels(metric: "rain", ["site": "a"]), at: minute(3), 1)
        reader.append(Labels(metric: "rain", ["site": "a"]), at: minute(58), 2)
        return reader
    }

    @Test(
        arguments: [
            ("level", 60, 72), ("level", 66, 72), ("level", 72, nil), ("rain", 60, 63), ("level > 100", 60, 72),
            ("level offset 30m", 60, 65), ("level offset 60m", 62, 65), ("level @ 600", 60, nil),
            ("absent(rain)", 70, nil),
            ("sum_over_time(level[20m])", 60, 65), ("sum_over_time(level[20m])", 64, 65),
            ("sum_over_time(level[20m])", 79, 80), ("sum_over_time(level[20m])", 80, nil),
            ("sum_over_time(rain[10m] offset 5m)", 60, 63), ("level + rain", 60, 63), ("rain and level", 60, 63),
            ("rain and level", 66, nil), ("max_over_time(level[10m:2m])", 60, 62), ("vector(1)", 60, nil),
            ("level or rain", 60, 63),
            ("max_over_time(level[10m:2m] @ 3600)", 60, nil), ("level offset -5m", 50, 62),
            ("max_over_time((level @ end())[1h:1h] @ 3600)", 60, 72),
        ] as [(String, Int64, Int64?)]
    )
    func isWhenSomethingLeavesOrComesIntoView(text: String, at time: Int64, expected: Int64?) throws {
        let result = try Evaluator(reader: Self.reader()).instant(Query(parsing: text), at: Self.minute(time))
        #expect(result.nextChange == expected.map { Self.minute($0) } ?? .distantFuture)
    }

    /// Between an evaluation and its next change, no evaluation gives anything else.
    @Test(arguments: [
        "level", "rain", "level offset 7m", "rain offset 20m", "sum_over_time(level[13m])", "count_over_time(rain[4m])",
        "level > 30 unless rain", "max_over_time(level[17m] offset 3m)", "absent(rain)", "level and on(site) rain",
        "sum_over_time(level[9m:2m] offset 1m)", "stddev_over_time((level + 1)[20m:3m])", "rain or level offset 1h",
    ])
    func nothingChangesBefore(text: String) throws {
        let query = try Query(parsing: text)
        #expect(!query.dependsOnTime)
        let evaluator = Evaluator(reader: Self.reader())
        var answer = ""
        var promise = Timestamp.distantPast
        for second in stride(from: Int64(3600), to: 7200, by: 20) {
            let time = Timestamp(milliseconds: second * 1000)
            let result = try evaluator.instant(query, at: time)
            let now = "\(result.value)"
            if time < promise {
                #expect(now == answer, "at \(second) s, promised until \(promise.milliseconds / 1000) s")
            }
            #expect(result.nextChange > time)
            answer = now
            promise = result.nextChange
        }
    }

    @Test func aComputedSeriesSaysItself() throws {
        let threshold = SeriesColumns(
            labels: Labels(metric: "site_threshold_meters"),
            times: [Self.minute(0)],
            values: [19],
            marks: [.measured],
            lookback: .day,
            nextChange: Self.minute(90)
        )
        let evaluator = Evaluator(
            reader: MemorySeriesReader([threshold]),
            options: EvaluationOptions(strictLookback: .day)
        )
        let result = try evaluator.instant(Query(parsing: "site_threshold_meters"), at: Self.minute(60))
        #expect(result.nextChange == Self.minute(90))
        #expect(result.newestSample == nil)
    }

    @Test func evidenceIsThatOfAllSamplesRead() throws {
        var reader = MemorySeriesReader()
        let marks = [
            SampleMark(quality: .pass, method: .manual), SampleMark(quality: .suspect),
            SampleMark(quality: .pass, method: .interpolated, simulated: true),
        ]
        for (index, mark) in marks.enumerated() {
            reader.append(Labels(metric: "level"), at: Self.minute(Int64(index)), 1, mark: mark)
        }
        func evidence(_ text: String, _ qualities: QualitySet) throws -> InstantResult {
            try Evaluator(reader: reader, options: EvaluationOptions(qualities: qualities))
                .instant(Query(parsing: text), at: Self.minute(2))
        }
        #expect(try evidence("level", .trusted).evidence == [.interpolated, .simulated])
        #expect(try evidence("sum_over_time(level[5m])", .trusted).evidence == [.manual, .interpolated, .simulated])
        #expect(try evidence("sum_over_time(level[5m])", .raising).evidence.contains(.suspect))
        #expect(try evidence("level offset 1m", .raising).evidence == Evidence(failed: .sender))
        #expect(try evidence("level{__quality__=\"3\"}", .trusted).evidence == Evidence(failed: .sender))
        #expect(
            try evidence("sum_over_time(level{__quality__!~\"1|2\"}[5m])", .trusted).evidence
                == Evidence(failed: .sender)
        )
        #expect(try evidence("level{__failed_test__=\"sender\"}", .trusted).evidence == Evidence(failed: .sender))
        #expect(try evidence("level{__failed_test__=\"\"} offset 1m", .all).evidence == .manual)
        #expect(try evidence("level{__failed_test__=\"spike\"}", .all).newestSample == nil)
        #expect(try evidence("level offset 1m", .trusted).evidence == .manual)
        #expect(try evidence("level", .trusted).newestSample == Self.minute(2))
        #expect(try evidence("nothing", .trusted).newestSample == nil)
    }
}
