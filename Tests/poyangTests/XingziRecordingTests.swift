// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry
import Testing

@testable import poyang

/// The demo's recording of 星子 in 2022, as `ops/demo` replays it.
struct XingziRecordingTests {
    private func messages() throws -> [ReplayMessage] {
        let folder = repository.appending(path: "ops/demo-data")
        let map = try RecordingMap.load(
            folder.appending(path: "xingzi-2022.map.yaml").path,
            for: "published_levels.csv"
        )
        let recorded = try RecordedFile(folder.appending(path: "published_levels.csv").path, map: map)
        var order = try ReplayOrder([recorded], merged: true)
        var messages: [ReplayMessage] = []
        while let message = try order.next() { messages.append(message) }
        return messages
    }

    @Test(arguments: [
        ("2022-06-21T16:00:00+08:00", 19.07, Telemetry.Method.measured),
        ("2022-06-23T00:00:00+08:00", 19.43, .measured),
        ("2022-06-25T08:00:00+08:00", 19.036, .interpolated),
        ("2022-06-26T08:00:00+08:00", 18.867, .interpolated),
        ("2022-08-06T00:00:00+08:00", 12.0, .measured),
        ("2022-09-06T08:00:00+08:00", 7.99, .measured),
        ("2022-09-15T08:00:00+08:00", 7.538, .interpolated),
        ("2022-09-16T08:00:00+08:00", 7.487, .interpolated),
        ("2022-09-22T06:00:00+08:00", 7.19, .measured),
        ("2022-09-23T06:00:00+08:00", 7.1, .measured),
        ("2022-11-17T00:00:00+08:00", 6.46, .measured),
    ])
    func hasTheLevelThatWasPublishedOrLiesBetween(time: String, level: Double, method: Telemetry.Method) throws {
        let moment = try #require(Timestamp(rfc3339: time))
        let message = try #require(try self.messages().first { $0.time == moment })
        #expect(message.device == "xingzi-1")
        #expect(message.values == [ReplayMessage.Value(key: "level_m", value: level, method: method)])
    }

    @Test func computesAtEightOClockOnlyAndNeverBeyondAReading() throws {
        let messages = try self.messages()
        #expect(messages.first?.time == Timestamp(rfc3339: "2022-06-21T08:00:00+08:00"))
        #expect(messages.last?.time == Timestamp(rfc3339: "2022-11-17T00:00:00+08:00"))
        for message in messages where message.values.contains(where: { $0.method == .interpolated }) {
            #expect(CivilTime(message.time, offsetMinutes: 480).hour == 8)
        }
        #expect(messages.count { $0.values.contains { $0.method == .measured } } == 11)
        #expect(Set(messages.map(\.time)).count == messages.count)
        #expect(messages.map(\.time) == messages.map(\.time).sorted())
    }

    @Test func marksEveryMessageAsSimulated() throws {
        let messages = try self.messages()
        #expect(messages.allSatisfy { $0.payload.hasSuffix(",\"simulated\":true}") })
        #expect(messages[0].topic == "poyang/v1/devices/xingzi-1/telemetry")
        #expect(
            messages[2].payload
                == #"{"ts":1655856000000,"values":{"level_m":19.25},"method":{"level_m":"interpolated"},"simulated":true}"#
        )
    }
}

struct InterpolationTests {
    @Test func keepsToALocalTimeOfDayAcrossAChangeOfClocks() throws {
        let zone = try #require(TimeZone(identifier: "America/Chicago"))
        let pattern = RecordingMap.Interpolation(every: .day, at: 8 * .hour, zone: zone)
        let start = try #require(Timestamp(rfc3339: "2016-03-12T08:00:00-06:00"))
        let end = try #require(Timestamp(rfc3339: "2016-03-15T08:00:00-05:00"))
        #expect(
            pattern.moments(after: start, before: end).map { $0.rfc3339(offsetMinutes: 0) } == [
                "2016-03-13T13:00:00+00:00", "2016-03-14T13:00:00+00:00",
            ]
        )
    }

    @Test func computesEachColumnBetweenItsOwnReadings() throws {
        func row(_ hour: Int64, _ values: [(Int, Double)]) -> RecordedRow {
            RecordedRow(
                time: Timestamp(milliseconds: hour * .hour),
                line: 1,
                values: values.map { RecordedRow.Value(column: $0.0, value: $0.1, method: .measured) }
            )
        }
        let pattern = RecordingMap.Interpolation(every: .hour, at: 0, zone: .gmt)
        let computed = pattern.rows(between: [row(0, [(0, 1), (1, 10)]), row(2, [(0, 3)]), row(3, [(1, 40)])])
        let seen = computed.map { "\($0.time.milliseconds / .hour):\($0.values[0].column)=\($0.values[0].value)" }
        #expect(seen.sorted() == ["1:0=2.0", "1:1=20.0", "2:1=30.0"])
    }
}
