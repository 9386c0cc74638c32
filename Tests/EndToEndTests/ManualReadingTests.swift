// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// What a person reads by hand counts as a reading does, and who read it is kept.
struct ManualReadingTests {
    private static let files = [
        "models/acme/level.yaml": """
        channels: { water_level_meters: { key: level, min: -5, max: 20 } }
        report: { every: 5m }
        """,
        "sites/g/creek.yaml": """
        site: creek
        name: { zh: 溪, en: Creek }
        kind: river
        org: office
        thresholds:
          - { hazard: flood, level: blue, value: 1.50, valid_from: 2000-01-01, authority: a, source: s, confidence: demo }
          - { hazard: flood, level: orange, value: 2.00, valid_from: 2000-01-01, authority: a, source: s, confidence: demo }
        devices: [{ id: creek-1, model: acme/level }]
        """,
        "sites/g/weir.yaml": """
        site: weir
        name: { zh: 堰, en: Weir }
        kind: river
        org: other-office
        thresholds:
          - { hazard: flood, level: blue, value: 1.50, valid_from: 2000-01-01, authority: a, source: s, confidence: demo }
        devices: [{ id: weir-1, model: generic/sl651, address: "12345678", interval: 5m }]
        """,
    ]

    private func withService(_ body: (RunningService, URL) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let devices = folder.appending(path: "Devices")
            try write(Self.files, below: devices)
            let data = folder.appending(path: "data")
            let service = try await RunningService.start([
                "--embedded-broker", "--data", data.path, "--devices", devices.path, "--clock", "data",
            ])
            try await body(service, data)
            try await service.stop()
        }
    }

    /// `poyang readings add` at a minute after 2018-08-31T22:00Z.
    private func add(
        _ value: String,
        minute: Int,
        data: URL,
        _ more: [String] = [],
        environment: [String: String] = [:]
    ) async throws -> PoyangProcess.Outcome {
        let time = Date(timeIntervalSince1970: Double(1_535_752_800 + minute * 60)).ISO8601Format()
        return try await PoyangProcess.run(
            ["readings", "add", "--at", time, "--by", "王工", "--data", data.path] + more
                + ["creek", "water_level_meters", "--", value],
            environment: environment
        )
    }

    /// Oldest first.
    private func floods(_ service: RunningService, at site: String) async throws -> [String] {
        let all = try await service.json("/alerts?start=2000-01-01T00:00:00Z")
        return try #require(all["features"] as? [[String: Any]])
            .compactMap { $0["properties"] as? [String: Any] }
            .filter { $0["hazard"] as? String == "flood" && $0["site"] as? String == site }
            .map { "\($0["action"] ?? "") \($0["level"] ?? "")" }
            .reversed()
    }

    @Test(.timeLimit(.minutes(3)))
    func aReadingByHandEndsUnknownRaisesAndEnds() async throws {
        try await self.withService { service, data in
            let topic = "poyang/v1/devices/creek-1/telemetry"
            let payload = #"{"ts":1535752800000,"values":{"level":1.52}}"#
            try await TestPublisher.publish([(topic, Array(payload.utf8))], to: service.broker)
            try await service.settled(messages: 1)
            let advance = try await PoyangProcess.run([
                "clock", "advance", "2018-08-31T23:05:00Z", "--site", "creek", "--data", data.path,
            ])
            try #require(advance.status == 0, "\(advance.errors)")
            #expect(try await service.site("creek")["state"] as? String == "unknown")
            let before = try await self.floods(service, at: "creek")

            // Judged when the command has answered.
            let raised = try await self.add("2.05", minute: 66, data: data)
            #expect(raised.status == 0 && raised.output.hasPrefix("stored: creek water_level_meters 2.05 m"))
            #expect(try await service.site("creek")["state"] as? String == "orange")
            #expect(try await self.floods(service, at: "creek").suffix(1) == ["raised orange"])
            #expect(before == ["issued blue", "amended blue"], "held while nobody knew")

            let again = try await self.add("2.05", minute: 66, data: data)
            #expect(again.status == 0 && again.output.hasPrefix("duplicate"))
            let other = try await self.add("1.05", minute: 66, data: data)
            #expect(other.status == 1 && other.errors.contains("2.05 (manual) is stored already"), "\(other.errors)")
            let chinese = try await self.add("1.05", minute: 66, data: data, environment: ["LC_ALL": "zh_CN.UTF-8"])
            #expect(chinese.errors.contains("已有值 2.05"), "\(chinese.errors)")
            #expect(try await self.add("-5.5", minute: 67, data: data).errors.contains("value: -5.5 m is beyond"))

            let corrected = try await self.add("1.05", minute: 66, data: data, ["--correct", "--note", "misread"])
            #expect(corrected.status == 0 && corrected.output.contains("(was 2.05)"), "\(corrected.errors)")
            #expect(try await service.site("creek")["state"] as? String == "normal")
            #expect(try await service.samples(of: "water_level_meters", at: "creek").map(\.value) == [1.52, 1.05])

            let list = try await PoyangProcess.run(["readings", "list", "--json", "--data", data.path])
            let rows = try #require(
                try JSONSerialization.jsonObject(with: Data(list.output.utf8)) as? [[String: Any]]
            )
            #expect(rows.map { $0["value"] as? Double } == [1.05, 2.05])
            #expect(rows.map { $0["by"] as? String } == ["王工", "王工"])
            #expect(rows[0]["replaced_value"] as? Double == 2.05 && rows[0]["replaced_method"] as? String == "manual")
            #expect(rows[0]["note"] as? String == "misread" && rows[0]["outcome"] as? String == "corrected")
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func onlyDutyAndWritersOfTheOrgEnterReadings() async throws {
        try await self.withService { service, data in
            func post(_ token: String, _ body: String) async throws -> (status: Int, text: String) {
                try await service.send("/api/readings", method: "POST", token: token, body: Data(body.utf8))
            }
            let reading = #"{"site":"creek","metric":"water_level_meters","value":1.6,"at":"2018-09-01T06:00"}"#
            let viewer = try await RunningService.makeToken("viewer", org: "office", data: data).token
            #expect(try await post(viewer, reading).status == 403)
            let stranger = try await RunningService.makeToken("duty", org: "other-office", data: data).token
            #expect(try await post(stranger, reading).status == 404)
            let duty = try await RunningService.makeToken("duty", org: "office", data: data)
            let answer = try await post(duty.token, reading)
            #expect(answer.status == 201 && answer.text.contains(#""by":"\#(duty.id)""#), "\(answer)")
            #expect(try await service.send("/api/readings", token: stranger).text == "[]")
            #expect(try await service.send("/api/readings", token: viewer).text.contains(#""value":1.6"#))
            let bad = try await post(
                duty.token,
                #"{"site":"creek","metric":"level","value":1.6,"at":"2018-09-01T06:00","labels":{"colour":"red"}}"#
            )
            #expect(bad.status == 422 && bad.text.contains("metric: 'level' is no metric"), "\(bad)")
            #expect(bad.text.contains(#""detail_zh":"metric：“level”不是要素名"#), "\(bad)")
            #expect(try await post(duty.token, #"{"site":"creek"}"#).text.contains("'metric' is missing"))
        }
    }

    /// Function 35 of SL 651, as the keeper of a station types it into the terminal.
    @Test(.timeLimit(.minutes(3)))
    func aFrameOfAReadingByHandIsJudgedToo() async throws {
        try await self.withService { service, _ in
            let body = hex("0001 180901060000 F2F2") + Array("Z 1.62".utf8)
            let frame = sl651Frame(0x35, body, station: "0012345678")
            try await TestPublisher.publish([("poyang/v1/devices/weir-1/sl651", frame)], to: service.broker)
            try await service.settled(messages: 1)
            #expect(try await service.samples(of: "water_level_meters", at: "weir").map(\.value) == [1.62])
            #expect(try await self.floods(service, at: "weir") == ["issued blue"])
            let message = try #require(
                (try await service.json("/alerts/active")["features"] as? [[String: Any]])?.first
            )
            #expect("\(message)".contains("manual"), "\(message)")
        }
    }
}
