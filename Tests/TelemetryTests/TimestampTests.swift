// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry
import TestSupport
import Testing

struct TimestampTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0),
        ("2018-08-31T22:40:00Z", 1_535_755_200_000),
        ("2018-09-01T06:40:00+08:00", 1_535_755_200_000),
        ("2018-08-31t18:40:00.5-04:00", 1_535_755_200_500),
        ("2018-08-31 22:40:00.123999Z", 1_535_755_200_123),
        ("2018-08-31T22:40Z", 1_535_755_200_000),
        ("2016-12-31T23:59:60Z", 1_483_228_799_000),
        ("2020-02-29T00:00:00Z", 1_582_934_400_000),
        ("2000-02-29T00:00:00Z", 951_782_400_000),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000),
        ("1969-12-31T23:59:59.999Z", -1),
    ])
    func readsRFC3339(text: String, milliseconds: Int64) {
        #expect(Timestamp(rfc3339: text)?.milliseconds == milliseconds)
    }

    @Test(arguments: [
        "", "2018", "2018-08-31", "2018-08-31T22:40:00", "2019-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
        "2018-13-01T00:00:00Z", "2018-00-01T00:00:00Z", "2018-04-31T00:00:00Z", "2018-01-01T24:00:00Z",
        "2018-01-01T00:60:00Z", "2018-01-01T00:00:61Z", "2018-01-01T00:00:00.Z", "2018-01-01T00:00:00+24:00",
        "2018-01-01T00:00:00+08:60", "2018-01-01T00:00:00Z ", " 2018-01-01T00:00:00Z", "-2018-01-01T00:00:00Z",
        "-0001-01-01T00:00:00Z", "18-01-01T00:00:00Z", "2018-1-1T00:00:00Z", "2018-01-01T00:00:00Zulu",
        "２０１８-01-01T00:00:00Z", "2018/01/01T00:00:00Z", "12018-01-01T00:00:00Z",
    ])
    func refusesWhatIsNoMoment(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test func readsTextWithoutAZoneAtTheOffsetGiven() {
        #expect(Timestamp(rfc3339: "2018-09-01T06:40:00", defaultOffsetMinutes: 480)?.milliseconds == 1_535_755_200_000)
        #expect(Timestamp(rfc3339: "2022-06-23", defaultOffsetMinutes: 480)?.rfc3339() == "2022-06-23T00:00:00+08:00")
        #expect(Timestamp(rfc3339: "2018-08-31T22:40Z", defaultOffsetMinutes: 480)?.milliseconds == 1_535_755_200_000)
    }

    @Test func writesChinaStandardTimeUnlessAskedOtherwise() {
        let moment = Timestamp(milliseconds: 1_535_755_200_000)
        #expect(moment.rfc3339() == "2018-09-01T06:40:00+08:00")
        #expect(moment.rfc3339(offsetMinutes: 0) == "2018-08-31T22:40:00+00:00")
        #expect(moment.rfc3339(offsetMinutes: -210) == "2018-08-31T19:10:00-03:30")
        #expect((moment + 7).rfc3339() == "2018-09-01T06:40:00.007+08:00")
    }

    /// Any moment of the years 0 to 9999 survives the way through calendar and text.
    @Test(arguments: [0, 480, -570, 345]) func isTheSameAfterCalendarAndText(offset: Int) {
        let seed: UInt64 = 20_220_621
        var random = SeededGenerator(seed: seed)
        for _ in 0..<5000 {
            let moment = Timestamp(
                milliseconds: .random(in: -62_135_000_000_000...253_370_000_000_000, using: &random)
            )
            let civil = CivilTime(moment, offsetMinutes: offset)
            #expect(civil.isValid, "seed \(seed): \(moment.milliseconds)")
            #expect(civil.timestamp(offsetMinutes: offset) == moment, "seed \(seed): \(moment.milliseconds)")
            #expect(Timestamp(rfc3339: moment.rfc3339(offsetMinutes: offset)) == moment, "seed \(seed)")
        }
    }

    @Test func countsDaysWithoutAGapAroundEveryTurnOfTheYear() {
        var day = CivilTime(year: 1895, month: 1, day: 1).timestamp(offsetMinutes: 0)
        var expected = CivilTime(year: 1895, month: 1, day: 1)
        while expected.year < 2105 {
            #expect(CivilTime(day, offsetMinutes: 0) == expected)
            expected.day += 1
            if expected.day > CivilTime.daysInMonth(expected.month, year: expected.year) {
                expected.day = 1
                expected.month += 1
            }
            if expected.month > 12 {
                expected.month = 1
                expected.year += 1
            }
            day = day + .day
        }
    }

    @Test func staysInsideItsRange() {
        #expect(Timestamp.distantFuture + 1 == .distantFuture)
        #expect(Timestamp.distantPast - 1 == .distantPast)
        #expect(Timestamp.distantPast + .max < Timestamp(milliseconds: 0))
        #expect(Timestamp.distantFuture - Timestamp.distantPast == .max)
        #expect(Timestamp.distantPast - Timestamp.distantFuture == .min)
    }
}

struct SeasonTests {
    private func moment(_ text: String) throws -> Timestamp {
        try #require(Timestamp(rfc3339: text, defaultOffsetMinutes: Timestamp.chinaOffsetMinutes))
    }

    @Test(arguments: [
        ("2022-03-31T23:59:59.999", false), ("2022-04-01", true), ("2022-09-30T23:59", true), ("2022-10-01", false),
    ])
    func beginsWithItsFirstDayAndEndsBeforeItsLast(text: String, expected: Bool) throws {
        let season = Season(from: .init(month: 4, day: 1), to: .init(month: 10, day: 1))
        #expect(season.contains(try self.moment(text)) == expected)
    }

    @Test(arguments: [
        ("2022-10-31", false), ("2022-11-01", true), ("2023-01-15", true), ("2023-02-28T23:59", true),
        ("2023-03-01", false),
    ])
    func runsAcrossTheTurnOfTheYear(text: String, expected: Bool) throws {
        let season = Season(from: .init(month: 11, day: 1), to: .init(month: 2, day: 29))
        #expect(season.contains(try self.moment(text)) == expected)
    }
}
