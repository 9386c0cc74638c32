// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// What is doubted raises, never lowers, says which test it failed, and survives a crash.
struct QualityTests {
    private static let files = [
        "models/acme/level.yaml": """
        channels:
          water_level_meters:
            key: level
            min: -5
            max: 20
            qc: { rate_of_change: { limit: 0.5, per: 5m, confirm: 20m }, spike: 0.3 }
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
        "sites/g/brook.yaml": """
        site: brook
        name: { zh: 涧, en: Brook }
        kind: river
        org: office
        qc: { water_level_meters: { neighbour: { sites: [creek], tolerance: 1, age: 10m } } }
        devices: [{ id: brook-1, model: acme/level }]
        """,
    ]

    private func message(_ device: String, _ level: Double, minute: Int) -> (topic: String, payload: [UInt8]) {
        let json = #"{"ts":\#(1_535_752_800_000 + minute * 60_000),"values":{"level":\#(level)}}"#
        return ("poyang/v1/devices/\(device)/telemetry", Array(json.utf8))
    }

    private func start(_ folder: URL) async throws -> RunningService {
        try await RunningService.start([
            "--embedded-broker", "--data", folder.appending(path: "data").path, "--devices",
            folder.appending(path: "Devices").path, "--clock", "data",
        ])
    }

    /// Oldest first.
    private func floods(_ service: RunningService) async throws -> [String] {
        let all = try await service.json("/alerts?start=2000-01-01T00:00:00Z")
        return try #require(all["features"] as? [[String: Any]])
            .compactMap { $0["properties"] as? [String: Any] }
            .filter { $0["hazard"] as? String == "flood" && $0["site"] as? String == "creek" }
            .map { "\($0["action"] ?? "") \($0["level"] ?? "")" }
            .reversed()
    }

    /// `minute value quality test` of each stored sample that is doubted.
    private func doubted(_ folder: URL, site: String = "creek") async throws -> [String] {
        let run = try await PoyangProcess.run([
            "export", "--match", "water_level_meters{site=\"\(site)\",__failed_test__!=\"\"}", "--format", "csv",
            "--data",
            folder.appending(path: "data").path,
        ])
        #expect(run.status == 0, "\(run.errors)")
        return run.output.split(separator: "\n").dropFirst()
            .map { line in
                let fields = line.split(separator: ",", omittingEmptySubsequences: false)
                return "\(fields[0].dropFirst(11).prefix(5)) \(fields[2]) \(fields[3]) \(fields[6])"
            }
    }

    @Test(.timeLimit(.minutes(3)))
    func whatIsDoubtedRaisesAndNeverEndsAndSaysWhy() async throws {
        try await withTemporaryFolder { folder in
            try write(Self.files, below: folder.appending(path: "Devices"))
            var service = try await self.start(folder)
            // A flood; the gauge drops to zero for a while and is back.
            let flood = [1.0, 1.2, 1.6, 0, 0, 1.6, 1.65].enumerated()
                .map { self.message("creek-1", $1, minute: $0 * 5) }
            try await TestPublisher.publish(flood, to: service.broker)
            try await service.settled(messages: flood.count)
            #expect(try await self.floods(service) == ["issued blue"])
            // It rises faster than the gauge is believed to see, and is back.
            try await TestPublisher.publish(
                [self.message("creek-1", 2.3, minute: 35), self.message("creek-1", 1.7, minute: 40)],
                to: service.broker
            )
            try await service.settled(messages: flood.count + 2)
            #expect(try await self.floods(service) == ["issued blue", "raised orange", "lowered blue"])
            let text = String(decoding: try await service.get("/alerts?start=2000-01-01T00:00:00Z").body, as: UTF8.self)
            #expect(text.contains("读数未通过合理性检验（变化过快），未核实。"))
            #expect(text.contains("(changed too fast) and is unconfirmed"))
            #expect(text.contains("rate_of_change"))
            // A spike is one when the next value is there.
            try await TestPublisher.publish(
                [self.message("creek-1", 2.05, minute: 45), self.message("creek-1", 1.7, minute: 50)],
                to: service.broker
            )
            try await service.settled(messages: flood.count + 4)
            let expected = [
                "06:15 0 3 rate_of_change", "06:20 0 3 rate_of_change", "06:35 2.3 3 rate_of_change",
                "06:45 2.05 3 spike",
            ]
            #expect(try await self.doubted(folder) == expected)

            try await service.die(by: .kill)
            service = try await self.start(folder)
            #expect(try await self.doubted(folder) == expected)
            // What was known before the crash tells of what comes after it: a late value between 06:35 and 06:40.
            try await TestPublisher.publish([self.message("creek-1", 2.25, minute: 37)], to: service.broker)
            try await service.settled(messages: 1)
            #expect(try await self.doubted(folder).contains("06:37 2.25 3 rate_of_change"))
            try await service.stop()
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func aNeighbourTellsLaterAndStoredHistoryIsTestedByACommand() async throws {
        try await withTemporaryFolder { folder in
            try write(Self.files, below: folder.appending(path: "Devices"))
            let data = folder.appending(path: "data").path
            let file = folder.appending(path: "history.csv")
            let rows = [1.0, 1.0, 4.0, 1.0, 1.0].enumerated()
                .map { "2018-08-30T06:0\($0):00+08:00,water_level_meters,\($1),creek" }
            try Data((["time,metric,value,site"] + rows).joined(separator: "\n").utf8).write(to: file)
            let load = try await PoyangProcess.run(["import", "--format", "csv", file.path, "--data", data])
            #expect(load.status == 0, "\(load.errors)")

            let service = try await self.start(folder)
            let command = ["qc", "run", "--site", "creek", "--json", "--data", data]
            let look = try await PoyangProcess.run(command + ["--values"])
            #expect(look.status == 0, "\(look.errors)")
            #expect(look.output.contains(#""failed_test":"rate_of_change""#), "\(look.output)")
            #expect(try await self.doubted(folder).isEmpty)
            let apply = try await PoyangProcess.run(command + ["--apply"])
            #expect(apply.status == 0 && apply.output.contains(#""changed":5"#), "\(apply.output) \(apply.errors)")
            #expect(try await self.doubted(folder) == ["06:02 4 3 rate_of_change"])
            // Once is enough.
            let again = try await PoyangProcess.run(command + ["--apply"])
            #expect(again.output.contains(#""changed":0"#), "\(again.output)")

            let levels = (0..<4)
                .flatMap { place in
                    [
                        self.message("brook-1", place < 2 ? 1.2 : 1.6, minute: place * 5),
                        self.message("creek-1", place < 2 ? 1.0 : 0.5, minute: place * 5),
                    ]
                }
            try await TestPublisher.publish(levels, to: service.broker)
            try await service.settled(messages: levels.count)
            let deadline = ContinuousClock.now + .seconds(60)
            var seen: [String] = []
            while seen.isEmpty, ContinuousClock.now < deadline {
                seen = try await self.doubted(folder, site: "brook")
                if seen.isEmpty { try await Task.sleep(for: .milliseconds(200)) }
            }
            #expect(seen == ["06:10 1.6 3 neighbour", "06:15 1.6 3 neighbour"])
            try await service.stop()
        }
    }

    /// The gauge is broken; a sender pushes zeros into its series, and somebody reads the staff.
    @Test(.timeLimit(.minutes(3)))
    func whatIsPushedIsDoubtedAndWhatAPersonReadsIsNot() async throws {
        try await withTemporaryFolder { folder in
            try write(Self.files, below: folder.appending(path: "Devices"))
            let data = folder.appending(path: "data")
            let service = try await self.start(folder)
            let rise = [1.0, 1.2, 1.6].enumerated().map { self.message("creek-1", $1, minute: $0 * 5) }
            try await TestPublisher.publish(rise, to: service.broker)
            try await service.settled(messages: rise.count)
            let token = try await RunningService.makeToken("admin", data: data).token
            let zeros = PushedBody.Series(
                ["__name__": "water_level_meters", "site": "creek"],
                [1_535_752_800_000 + 15 * 60_000: 0, 1_535_752_800_000 + 20 * 60_000: 0]
            )
            let answer = try await service.push(PushedBody.body([zeros]), token: token)
            #expect(answer.status == 204, "\(answer)")
            let pushed = ["06:15 0 3 rate_of_change", "06:20 0 3 rate_of_change"]
            #expect(try await self.doubted(folder) == pushed)
            let warnings = ["warnings", "list", "--active", "--json", "--data", data.path]
            #expect(try await PoyangProcess.run(warnings).output.contains(#""hazard":"flood""#), "zeros end nothing")
            let read = try await PoyangProcess.run([
                "readings", "add", "creek", "water_level_meters", "0.9", "--at", "2018-08-31T22:25:00Z", "--by", "王工",
                "--data", data.path,
            ])
            #expect(read.status == 0, "\(read.errors)")
            #expect(
                try await !PoyangProcess.run(warnings).output.contains(#""hazard":"flood""#),
                "a person is believed"
            )
            let run = try await PoyangProcess.run([
                "qc", "run", "--site", "creek", "--apply", "--json", "--data", data.path,
            ])
            #expect(run.output.contains(#""changed":0"#), "the stream has the flags of the batch: \(run.output)")
            #expect(try await self.doubted(folder) == pushed)
            try await service.stop()
        }
    }
}
