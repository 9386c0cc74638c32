// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Foundation
import Telemetry
import Testing

@testable import poyang

struct LocalTimeReaderTests {
    private func reader(_ zone: String, _ format: String = "rfc3339") throws -> LocalTimeReader {
        LocalTimeReader(
            zone: try #require(TimeZone(namedOrOffset: zone)),
            format: try #require(TimeFormat(format))
        )
    }

    @Test(arguments: [
        ("America/Chicago", "rfc3339", "2016-07-01 12:00:00", "2016-07-01T17:00:00+00:00"),
        ("America/Chicago", "rfc3339", "2016-01-01 12:00:00", "2016-01-01T18:00:00+00:00"),
        ("America/Chicago", "rfc3339", "2016-01-01T12:00:00Z", "2016-01-01T12:00:00+00:00"),
        ("+08:00", "rfc3339", "2022-06-23", "2022-06-22T16:00:00+00:00"),
        ("Asia/Shanghai", "rfc3339", "2022-06-21T16:00", "2022-06-21T08:00:00+00:00"),
        ("-06:00", "MM/dd/yyyy HH:mm", "12/31/2006 18:00", "2007-01-01T00:00:00+00:00"),
        ("UTC", "M/d/yyyy HH:mm:ss", "8/23/2012 17:10:00", "2012-08-23T17:10:00+00:00"),
        ("UTC", "unix", "1535755200.5", "2018-08-31T22:40:00.500+00:00"),
        ("UTC", "unix_ms", "1535755200500", "2018-08-31T22:40:00.500+00:00"),
        ("UTC", "yyyyMMddHHmm", "201808312240", "2018-08-31T22:40:00+00:00"),
    ])
    func reads(zone: String, format: String, text: String, expected: String) throws {
        var reader = try self.reader(zone, format)
        #expect(try reader.read(text).rfc3339(offsetMinutes: 0) == expected)
    }

    @Test func takesTheHourThatOccursTwiceInTheOrderOfTheFile() throws {
        var reader = try self.reader("America/Chicago")
        let texts = ["00:45", "01:00", "01:30", "01:00", "01:30", "02:00"]
        let times = try texts.map {
            try reader.read("2015-11-01 \($0):00").rfc3339(offsetMinutes: 0).suffix(14).prefix(5)
        }
        #expect(times == ["05:45", "06:00", "06:30", "07:00", "07:30", "08:00"])
    }

    @Test func refusesAnHourThatDoesNotExist() throws {
        var reader = try self.reader("America/Chicago")
        #expect(
            throws: TimeProblem(
                "'2016-03-13 02:15:00' does not exist in America/Chicago: clocks are set forward over it"
            )
        ) {
            try reader.read("2016-03-13 02:15:00")
        }
        #expect(try reader.read("2016-03-13 03:15:00").rfc3339(offsetMinutes: 0) == "2016-03-13T08:15:00+00:00")
    }

    @Test(arguments: ["2018-02-30 00:00:00", "", "31.08.2018", "2018-08-31 25:00"])
    func refusesWhatIsNoTime(text: String) throws {
        var reader = try self.reader("UTC")
        #expect(throws: TimeProblem.self) { try reader.read(text) }
    }

    @Test(arguments: ["", "HH:mm", "yyyy-MM", "yyyy-MM-dd YY", "yyyy-MM-dd yyyy"])
    func refusesAPatternWithoutADateOrWithAForeignLetter(pattern: String) {
        #expect(TimeFormat(pattern) == nil)
    }

    /// A year of a gauge whose clock kept summer time: every moment comes once and in order, at both changes too.
    @Test(.enabled(if: mayUseSharedData, "the folder of shared data is missing; set POYANG_SHARED"))
    func readsAYearWithSummerTimeWithoutDoublingAMoment() throws {
        let path = try #require(sharedData).appending(path: "rain/usgs_05408480_rain_15min_2015_2016.csv").path
        let map = try RecordingMap(
            yaml: """
                time: { column: local_time_america_chicago, zone: America/Chicago }
                columns:
                  rain_in: { device: usgs-05408480-1, key: rain_in }
                """,
            file: "rain.map.yaml"
        )
        let recorded = try RecordedFile(path, map: map)
        #expect(recorded.notes == [])
        #expect(recorded.count == 35_721)
        var previous = Timestamp.distantPast
        var gaps: Set<Milliseconds> = []
        while let row = try recorded.next() {
            #expect(row.time > previous)
            if previous > .distantPast, row.time - previous < .hour + 1 { gaps.insert(row.time - previous) }
            previous = row.time
        }
        #expect(gaps.isSuperset(of: [5 * .minute, 10 * .minute, 15 * .minute]))
    }

    /// The end of summer time is no gap and no doubtful depth; the outages of the gauge are gaps.
    @Test(.enabled(if: mayUseSharedData, "the folder of shared data is missing; set POYANG_SHARED"))
    func theTestsOfQualityFindNothingAtTheEndOfSummerTime() throws {
        let path = try #require(sharedData).appending(path: "rain/usgs_05408480_rain_15min_2015_2016.csv").path
        let map = try RecordingMap(
            yaml: """
                time: { column: local_time_america_chicago, zone: America/Chicago }
                columns:
                  rain_in: { device: usgs-05408480-1, key: rain_in }
                """,
            file: "rain.map.yaml"
        )
        let recorded = try RecordedFile(path, map: map)
        var (times, values): ([Timestamp], [Double]) = ([], [])
        while let row = try recorded.next() {
            guard let value = row.values.first?.value else { continue }
            times.append(row.time)
            values.append(value * 25.4)
        }
        var parameters = QualityParameters()
        parameters.gap = .hour
        let plan = QualityPlan(parameters, metric: "rainfall_millimeters", schedule: .periodic(15 * .minute))
        let marks = QualityFlags.marks(times: times, values: values, marks: values.map { _ in .measured }, plan: plan)
        let gaps = times.indices.filter { marks[$0].failedTest == .gap }
        #expect(times.count > 35_000 && marks.indices.allSatisfy { gaps.contains($0) || marks[$0].quality == .pass })
        #expect(gaps.allSatisfy { times[$0] - times[$0 - 1] > .hour })
        // The hour that comes twice; at the change in spring the gauge was out.
        let change = try #require(Timestamp(rfc3339: "2015-11-01T07:00:00Z"))
        let near = times.indices.filter { abs(times[$0] - change) < 3 * .hour }
        #expect(near.count == 23)
        #expect(near.allSatisfy { marks[$0].quality == .pass })
    }
}
