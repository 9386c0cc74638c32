// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Samples that are pushed by remote write take the way of readings: durable when answered, and seen by the rules.
struct RemoteWriteTests {
    private static let coop = "yunshang-demo-coop"
    private static let start: Int64 = 1_700_000_000_000

    private func points(_ service: RunningService, _ selector: String, token: String) async throws -> [[String]] {
        let end = Int(Date().timeIntervalSince1970) + 600
        let query = try #require("\(selector)[100y]".addingPercentEncoding(withAllowedCharacters: .alphanumerics))
        let answer = try await service.send("/api/v1/query?query=\(query)&time=\(end)", token: token)
        let json = try JSONSerialization.jsonObject(with: Data(answer.text.utf8)) as? [String: Any]
        let result = try #require((json?["data"] as? [String: Any])?["result"] as? [[String: Any]], "\(answer.text)")
        return result.flatMap { series in
            (series["values"] as? [[Any]] ?? []).map { $0.map { "\($0)" } }
        }
    }

    private func settled(_ service: RunningService, token: String) async throws {
        try await eventually("all judged") {
            let text = try await service.send("/api/status", token: token).text
            let json = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
            let status = try #require(json?["service"] as? [String: Any], "\(text)")
            return status["processed"] as? Int == status["position"] as? Int
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func whatWasAnsweredFor204SurvivesAPowerCut() async throws {
        try await withTemporaryFolder { folder in
            let data = folder.appendingPathComponent("data")
            let fault = try await Fault("powercut", in: folder)
            let arguments = ["--embedded-broker", "--data", data.path]
            var service = try await RunningService.start(arguments, environment: fault.powerCut(data: data.path))
            let token = try await RunningService.makeToken("writer", data: data).token
            for round in 0..<3 {
                let series = (0..<50)
                    .map {
                        PushedBody.Series(
                            ["__name__": "m", "n": "\($0)"],
                            [Self.start + Int64(round): Double(round) / 8]
                        )
                    }
                let answer = try await service.push(PushedBody.body(series), token: token)
                #expect(answer.status == 204 && answer.text.isEmpty, "\(answer)")
                service.process.signal(Crash.powerCut.signal)
                try await service.process.waitForExit()
                service = try await RunningService.start(arguments, environment: fault.powerCut(data: data.path))
                try await self.settled(service, token: token)
                let points = try await self.points(service, "m", token: token)
                #expect(points.count == 50 * (round + 1))
                #expect(points.count { $0[1] == "0" } == 50)
            }
            try await service.stop()
        }
    }

    /// Pushes levels of the demo gauge, each five minutes after the one before, in requests of their own.
    private func pushLevels(_ metres: [Double], from minute: Int64, to service: RunningService, token: String)
        async throws
    {
        for (index, value) in metres.enumerated() {
            let time = 1_535_752_800_000 + (minute + 5 * Int64(index)) * 60_000
            let labels: KeyValuePairs = ["__name__": "water_level_meters", "site": "usgs-01581752"]
            let answer = try await service.push(
                PushedBody.body([PushedBody.Series(labels, [time: value])]),
                token: token
            )
            #expect(answer.status == 204, "\(answer)")
        }
        try await self.settled(service, token: token)
    }

    @Test(.timeLimit(.minutes(1)))
    func rulesSeeWhatIsPushedForARegisteredChannel() async throws {
        try await withTemporaryFolder { folder in
            let arguments = ["--embedded-broker", "--data", folder.path, "--clock", "data", "--exercise"]
            var service = try await RunningService.start(arguments)
            let token = try await RunningService.makeToken("writer", data: folder).token
            try await self.pushLevels([0.5, 1.2, 2.9], from: 0, to: service, token: token)
            let warnings = try await service.send("/api/warnings", token: token).text
            #expect(warnings.contains("usgs-01581752"), "\(warnings)")
            // What is no number in JSON is stored, and judged, and kept in the alerts.
            let stale = Double(bitPattern: 0x7FF0_0000_0000_0002)
            try await self.pushLevels(
                [.nan, -.infinity, 1e308, -1e-308, stale, .infinity],
                from: 15,
                to: service,
                token: token
            )
            let all = #"water_level_meters{site="usgs-01581752",__quality__=~"1|2|3|4"}"#
            let points = try await self.points(service, all, token: token)
            #expect(points.map { $0[1] }.suffix(5) == ["NaN", "-Inf", "1e+308", "-1e-308", "+Inf"], "\(points)")
            // It is tested as what the gauge itself sends: no water stands that high.
            let failed = #"water_level_meters{site="usgs-01581752",__quality__="4"}"#
            #expect(try await self.points(service, failed, token: token).map { $0[1] } == ["1e+308"])
            let status = try await service.send("/api/status", token: token).text
            #expect(status.contains(#""value":"+Inf""#), "\(status)")
            let alerts = try await service.send("/api/v1/alerts", token: token).text
            #expect(alerts.contains("firing"), "\(alerts)")
            try await service.stop()
            #expect(service.process.outcome.status == 0, "\(service.process.errors)")
            service = try await RunningService.start(arguments)
            #expect(try await service.send("/api/v1/alerts", token: token).text == alerts)
            try await service.stop()
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func badSamplesAreNamedCountedAndKeptAsideAndTheOthersStored() async throws {
        try await withTemporaryFolder { folder in
            let service = try await RunningService.start(["--embedded-broker", "--data", folder.path])
            let token = try await RunningService.makeToken("admin", data: folder).token
            let now = Int64(Date().timeIntervalSince1970 * 1000)
            let series = [
                PushedBody.Series(["__name__": "m"], [now: 1, now + 3_600_000: 2, 1_700_000_000: 3]),
                PushedBody.Series(["n": "no name"], [now: 4]),
            ]
            let answer = try await service.push(PushedBody.body(series), token: token)
            #expect(answer.status == 400)
            for text in ["3 of 4 samples were refused", "time_future (1)", "time_invalid (1)", "__name__ is missing"] {
                #expect(answer.text.contains(text), "\(answer.text)")
            }
            #expect(try await service.push(PushedBody.body([series[0]]), token: token).status == 400)
            try await self.settled(service, token: token)
            #expect(try await self.points(service, "m", token: token).map { $0[1] } == ["1"])
            let metrics = try await service.send("/metrics", token: token).text
            for line in [
                #"poyang_readings_total{outcome="stored",reason=""} 1"#,
                #"poyang_readings_total{outcome="duplicate",reason=""} 1"#,
                #"poyang_readings_total{outcome="quarantined",reason="time_future"} 2"#,
                #"poyang_readings_total{outcome="quarantined",reason="time_invalid"} 2"#,
                #"poyang_readings_total{outcome="quarantined",reason="malformed"} 1"#,
                #"poyang_remote_write_requests_total{outcome="partial"} 2"#,
            ] { #expect(metrics.contains(line + "\n"), "\(line) in \(metrics)") }
            let quarantine = try await service.send("/api/quarantine", token: token).text
            // The sender is the token, by its id.
            #expect(quarantine.contains("write from "), "\(quarantine)")
            try await service.stop()
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func refusesWhatIsNotRemoteWriteOne() async throws {
        try await withTemporaryFolder { folder in
            let service = try await RunningService.start(["--embedded-broker", "--data", folder.path])
            let token = try await RunningService.makeToken("writer", data: folder).token
            let viewer = try await RunningService.makeToken("viewer", data: folder).token
            let body = PushedBody.body([PushedBody.Series(["__name__": "m"], [Self.start: 1])])
            #expect(try await service.push(body, token: nil).status == 401)
            #expect(try await service.push(body, token: viewer).status == 403)
            let second = "application/x-protobuf;proto=io.prometheus.write.v2.Request"
            for headers in [["Content-Type": second], ["Content-Type": "text/plain"], ["Content-Encoding": "zstd"]] {
                let answer = try await service.push(body, token: token, headers: headers)
                #expect(answer.status == 415 && answer.text.contains("should be"), "\(headers): \(answer)")
            }
            let first = "application/x-protobuf; proto=prometheus.WriteRequest"
            #expect(try await service.push(body, token: token, headers: ["Content-Type": first]).status == 204)
            #expect(try await service.push([1, 2, 3], token: token).status == 400)
            #expect(try await service.push(PushedBody.varint(1 << 31) + [0], token: token).status == 413)
            let long = [UInt8](repeating: 0, count: 33 << 20)
            #expect(try await service.push(long, token: token).status == 413)
            try await service.stop()
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aTokenOfAnOrgWritesIntoItAlone() async throws {
        try await withTemporaryFolder { folder in
            let service = try await RunningService.start([
                "--embedded-broker", "--data", folder.path, "--clock", "data", "--exercise",
            ])
            let token = try await RunningService.makeToken("writer", org: Self.coop, data: folder).token
            let refused: [KeyValuePairs<String, String>] = [
                ["__name__": "water_level_meters", "site": "usgs-01581752"],
                ["__name__": "water_level_meters", "org": Self.coop, "site": "usgs-01581752"],
                ["__name__": "m", "org": "other", "site": "coop-field-1"], ["__name__": "m", "org": "other"],
                ["__name__": "m", "site": "nowhere"], ["__name__": "m", "org": Self.coop, "site": "nowhere"],
                ["__name__": "m"],
            ]
            for labels in refused {
                let body = PushedBody.body([PushedBody.Series(labels, [Self.start: 1])])
                let answer = try await service.push(body, token: token)
                #expect(answer.status == 400 && answer.text.contains("wrong_address (1)"), "\(labels): \(answer)")
                let metric = labels.map { "\"\($0.key)\":\"\($0.value)\"" }.joined(separator: ",")
                let line = "{\"metric\":{\(metric)},\"values\":[1],\"timestamps\":[\(Self.start)]}\n"
                let imported = try await service.send(
                    "/api/v1/import",
                    method: "POST",
                    token: token,
                    body: Data(line.utf8)
                )
                #expect(imported.text.contains("\"refused\":1"), "\(labels): \(imported)")
            }
            let series: [KeyValuePairs<String, String>] = [
                ["__name__": "taken_a", "site": "coop-field-1"],
                ["__name__": "taken_b", "org": Self.coop, "site": "coop-field-1"],
                ["__name__": "taken_c", "org": Self.coop],
            ]
            let body = PushedBody.body(series.map { PushedBody.Series($0, [Self.start: 1]) })
            let answer = try await service.push(body, token: token)
            #expect(answer.status == 204, "\(answer)")
            try await self.settled(service, token: token)
            let everything = try await RunningService.makeToken("viewer", data: folder).token
            #expect(try await self.points(service, #"{__name__=~"taken_."}"#, token: everything).count == series.count)
            #expect(try await self.points(service, #"{__name__=~"taken_."}"#, token: token).count == series.count)
            #expect(try await self.points(service, #"{__name__=~"m|water_level_meters"}"#, token: everything).isEmpty)
            try await service.stop()
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func aFullDiskSendsTheSenderAwayForLater() async throws {
        try await withTemporaryFolder { folder in
            let data = folder.appendingPathComponent("data")
            let control = folder.appendingPathComponent("refuses")
            let service = try await RunningService.start(
                ["--embedded-broker", "--data", data.path],
                environment: try await Fault("diskfull", in: folder).disk(data: data.path, control: control.path)
            )
            let token = try await RunningService.makeToken("writer", data: data).token
            let body = PushedBody.body([PushedBody.Series(["__name__": "m"], [Self.start: 1])])
            try Data("full".utf8).write(to: control)
            let answer = try await service.push(body, token: token)
            #expect(answer.status == 503 && answer.text.contains("the disk is full"), "\(answer)")
            try FileManager.default.removeItem(at: control)
            #expect(try await service.push(body, token: token).status == 204)
            try await self.settled(service, token: token)
            #expect(try await self.points(service, "m", token: token).count == 1)
            try await service.stop()
            #expect(service.process.outcome.status == 0, "\(service.process.errors)")
        }
    }
}
