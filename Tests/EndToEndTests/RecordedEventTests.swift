// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Recorded events go in over MQTT, warnings come out at the times that are known.
struct RecordedEventTests {
    /// One message as `poyang warnings watch --json` prints it.
    private struct Line: Decodable {
        let number: String
        let identifier: String
        let action: String
        let status: String
        let hazard: String
        let level: String
        let site: String
        let eventTime: String
        let value: Double?
        let headline: String

        private enum CodingKeys: String, CodingKey {
            case number, identifier, action, status, hazard, level, site, value, headline
            case eventTime = "event_time"
        }

        /// Such as `flood raised yellow 2018-09-01T06:50:00+08:00`.
        var step: String { "\(self.hazard) \(self.action) \(self.level) \(self.eventTime)" }
    }

    private static let demoData = "ops/demo-data/"

    /// What a replay left: all messages of the feed, and since when each low-water grade has been in force.
    private struct Outcome {
        let lines: [Line]
        let grades: [String: String]
    }

    /// Replays recordings through a private broker.
    private func replay(_ runs: [(map: String, file: String)]) async throws -> Outcome {
        try await withTemporaryFolder { folder in
            let service = try await RunningService.start([
                "--embedded-broker", "--data", folder.path, "--clock", "data", "--exercise",
            ])
            var published = 0
            for run in runs {
                let replay = try await PoyangProcess.run([
                    "replay", "--json", "--broker", service.broker, "--speed", "0", "--map", Self.demoData + run.map,
                    run.file,
                ])
                try #require(replay.status == 0, "\(replay.errors)")
                let rows = try #require(
                    try JSONSerialization.jsonObject(with: Data(replay.output.utf8)) as? [[String: Any]]
                )
                published += rows.compactMap { $0["messages"] as? Int }.reduce(0, +)
            }
            try #require(published > 0)
            try await service.settled(messages: published)
            let last = try #require(try await service.status()["feed"] as? Int)
            let watch = try PoyangProcess(["warnings", "watch", "--json", "--from", "0", "--url", service.url])
            try await eventually("\(last) messages") { watch.output.split(separator: "\n").count >= last }
            watch.kill()
            let data = try #require(try await service.json("/api/v1/alerts")["data"] as? [String: Any])
            var grades: [String: String] = [:]
            for alert in try #require(data["alerts"] as? [[String: Any]]) {
                guard let grade = (alert["labels"] as? [String: String])?["grade"] else { continue }
                grades[grade] = alert["activeAt"] as? String
            }
            try await service.stop()
            let lines = try watch.output.split(separator: "\n")
                .map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
            return Outcome(lines: lines, grades: grades)
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func theFlashFloodAndTheLakeOf2022() async throws {
        let outcome = try await self.replay([
            ("usgs-01581752.map.yaml", Self.demoData + "usgs_01581752_event1_20180831.csv"),
            ("xingzi-2022.map.yaml", Self.demoData + "published_levels.csv"),
        ])
        let lines = outcome.lines
        #expect(Set(lines.map(\.identifier)).count == lines.count)
        #expect(lines.allSatisfy { $0.status == "Exercise" })

        let creek = lines.filter { $0.site == "usgs-01581752" && $0.hazard == "flood" }
        #expect(
            creek.prefix(4).map(\.step) == [
                "flood issued blue 2018-09-01T06:40:00+08:00",
                "flood raised yellow 2018-09-01T06:50:00+08:00",
                "flood raised orange 2018-09-01T06:55:00+08:00",
                "flood raised red 2018-09-01T07:15:00+08:00",
            ]
        )
        let end = try #require(creek.last)
        #expect(end.action == "ended")
        #expect(end.eventTime <= "2018-09-01T09:35:00+08:00")
        #expect(Set(creek.map(\.number)).count == 1)

        let lake = lines.filter { $0.site == "xingzi" }
        #expect(
            lake.filter { $0.hazard == "flood" }.map(\.step) == [
                "flood issued blue 2022-06-21T16:00:00+08:00",
                "flood ended blue 2022-06-26T08:00:00+08:00",
            ]
        )
        let ended = try #require(lake.first { $0.action == "ended" })
        #expect(ended.value == 18.867)
        #expect(
            lake.filter { $0.hazard == "low_water" }.map(\.step) == [
                "low_water issued blue 2022-09-06T08:00:00+08:00",
                "low_water raised yellow 2022-09-16T08:00:00+08:00",
                "low_water raised orange 2022-09-22T06:00:00+08:00",
                "low_water raised red 2022-09-23T06:00:00+08:00",
            ]
        )
        #expect(lake.allSatisfy { $0.hazard != "low_water_season" }, "the season warns nobody")
        #expect(
            outcome.grades == [
                "枯水": "2022-08-06T08:00:00+08:00", "低枯": "2022-08-19T08:00:00+08:00",
                "极枯": "2022-09-06T08:00:00+08:00",
            ]
        )
        let interpolated = lake.filter { $0.headline.contains("插补值") }.map(\.step)
        #expect(
            interpolated == [
                "flood ended blue 2022-06-26T08:00:00+08:00", "low_water raised yellow 2022-09-16T08:00:00+08:00",
            ],
            "what rests on an interpolated value says so"
        )
    }

    @Test(
        .timeLimit(.minutes(2)),
        arguments: ["usgs_01581752_event2_20170818.csv", "usgs_01581752_event3_20160225.csv"]
    )
    func otherRecordingsOfTheGaugeWorkTheSameWay(file: String) async throws {
        let lines = try await self.replay([("usgs-01581752.map.yaml", Self.demoData + file)]).lines
        let flood = lines.filter { $0.hazard == "flood" }
        #expect(flood.first?.action == "issued")
        #expect(flood.contains { $0.action == "raised" })
        #expect(flood.last?.action == "ended")
    }
}
