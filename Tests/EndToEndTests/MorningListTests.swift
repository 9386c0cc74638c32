// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Silence that is not urgent waits for 08:00, in wall time and in that of the data.
struct MorningListTests {
    private static let files = [
        "models/acme/level.yaml": """
        channels: { water_level_meters: { key: level } }
        report: { every: 5m }
        """,
        "sites/g/a.yaml": """
        site: a
        name: { zh: 甲, en: A }
        kind: river
        org: office
        devices: [{ id: a-1, model: acme/level }]
        """,
    ]

    private static let topic = "poyang/v1/devices/a-1/telemetry"

    private func arguments(_ folder: URL, _ more: [String]) throws -> [String] {
        try write(Self.files, below: folder.appending(path: "Devices"))
        return [
            "--data", folder.appending(path: "data").path, "--devices", folder.appending(path: "Devices").path,
        ] + more
    }

    /// Every message of the feed: its hazard and action.
    private func messages(_ service: RunningService) async throws -> [[String: Any]] {
        let all = try await service.json("/alerts?start=2000-01-01T00:00:00Z")
        return try #require(all["features"] as? [[String: Any]]).compactMap { $0["properties"] as? [String: Any] }
    }

    private func states(_ service: RunningService) async throws -> [String] {
        let answer = try await service.get("/api/warnings?active=true")
        let rows = try JSONSerialization.jsonObject(with: answer.body) as? [[String: Any]]
        return try #require(rows).map { "\($0["hazard"] ?? "") \($0["state"] ?? "")" }
    }

    @Test(.timeLimit(.minutes(2)))
    func aNightOfSilenceIsToldOnceAtEight() async throws {
        try await withTemporaryFolder { folder in
            let arguments = try self.arguments(folder, ["--embedded-broker"])
            // By the service's clock it is 07:30, and each step is of twenty minutes.
            let half = try #require(ISO8601DateFormatter().date(from: "2030-01-01T07:30:00+08:00"))
            let fault = try await Fault("clock", in: folder)
            func clock(_ minutes: Int) -> [String: String] {
                fault.clock(ahead: Int(half.timeIntervalSinceNow) + minutes * 60, step: 1200)
            }
            var service = try await RunningService.start(arguments, environment: clock(0))
            try await TestPublisher.publish([(Self.topic, Array(#"{"level":1}"#.utf8))], to: service.broker)
            try await service.settled(messages: 1)
            service.process.signal(SIGUSR1)
            try await eventually("the silence to be noticed") { try await self.states(service) == ["silence waiting"] }
            #expect(try await self.messages(service).isEmpty, "at 07:50 nobody is called")
            service.process.signal(SIGUSR1)
            try await eventually("the list") { try await !self.messages(service).isEmpty }
            service.process.kill()
            try await service.process.waitForExit()

            // At 08:11 again: it reports, and falls silent once more.
            service = try await RunningService.start(arguments, environment: clock(41))
            try await TestPublisher.publish([(Self.topic, Array(#"{"level":1}"#.utf8))], to: service.broker)
            try await service.settled(messages: 1)
            service.process.signal(SIGUSR1)
            try await eventually("the silence to be noticed again") {
                try await self.states(service).sorted() == ["silence active", "silence waiting"]
            }
            let found = try await self.messages(service)
            #expect(found.count == 1, "\(found)")
            #expect(found.first?["headline"] as? String == "office设备失联清单：1 个通道，1 个站点")
            #expect(found.first?["status"] as? String == "Actual")
            #expect(found.first?["urgency"] as? String == "Expected")
            let time = found.first?["eventTime"] as? String ?? ""
            #expect(time.hasPrefix("2030-01-01T08:1"), "\(found)")
            let channels = found.first?["silentChannels"] as? [[String: String]]
            #expect(channels?.map { $0["device"] } == ["a-1"])
            try await service.stop()
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aReplayHasTheListOfItsOwnMorning() async throws {
        try await withTemporaryFolder { folder in
            let service = try await RunningService.start(
                try self.arguments(folder, ["--embedded-broker", "--clock", "data", "--exercise"]),
                environment: ["POYANG_MORNING_LIST": "07:15"]
            )
            // 22:00 +08:00
            try await TestPublisher.publish(
                [(Self.topic, Array(#"{"ts":1535724000000,"values":{"level":1}}"#.utf8))],
                to: service.broker
            )
            try await service.settled(messages: 1)
            for time in ["2018-09-01T07:14:59+08:00", "2018-09-01T07:15:00+08:00", "2018-09-01T23:00:00+08:00"] {
                let advance = try await PoyangProcess.run([
                    "clock", "advance", time, "--data", folder.appending(path: "data").path,
                ])
                try #require(advance.status == 0, "\(advance.errors)")
                let found = try await self.messages(service)
                #expect(found.count == (time.contains("07:14") ? 0 : 1), "\(time): \(found)")
            }
            let list = try await self.messages(service).first
            #expect(list?["eventTime"] as? String == "2018-09-01T07:15:00+08:00")
            #expect(list?["headline"] as? String == "[演练] office设备失联清单：1 个通道，1 个站点")
            try await service.stop()
        }
    }
}
