// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Simulated days through a broker.
struct SimulateTests {
    private static let radar = """
        channels:
          water_level_meters: { key: level, unit: cm, min: 0, max: 1500, zero: site }
          rainfall_accumulated_millimeters: { key: rain, min: 0, max: 9999 }
        report: { every: 5m }
        """
    private static let creek = """
        site: creek
        name: { zh: 溪, en: Creek }
        kind: river
        thresholds:
          - { hazard: flood, level: blue, value: 19, valid_from: 2000-01-01, authority: a, source: s, confidence: demo }
          - { hazard: flood, level: yellow, value: 20, valid_from: 2000-01-01, authority: a, source: s, confidence: demo }
          - { hazard: flood, level: orange, value: 21, valid_from: 2000-01-01, authority: a, source: s, confidence: demo }
        devices:
          - { id: creek-1, model: acme/radar, zero_elevation_m: 14 }
        """
    private static let lake = """
        site: mere
        name: { zh: 湖, en: Mere }
        kind: lake
        devices: [{ id: mere-1, model: generic/sl651 }]
        """

    @Test(.timeLimit(.minutes(3)))
    func aFloodIsMadeInAnExerciseAndRefusedOutsideOfOne() async throws {
        try await withTemporaryFolder { folder in
            let devices = folder.appending(path: "Devices")
            let files = [
                "models/acme/radar.yaml": Self.radar, "sites/g/creek.yaml": Self.creek, "sites/g/mere.yaml": Self.lake,
            ]
            try write(files, below: devices)
            let data = folder.appending(path: "data").path
            let arguments = [
                "--embedded-broker", "--data", data, "--devices", devices.path, "--rules",
                PoyangProcess.project.appending(path: "Rules/flood").path,
            ]
            func simulate(_ service: RunningService, _ more: String...) async throws -> PoyangProcess.Outcome {
                try await PoyangProcess.run(["simulate", "--data", data, "--broker", service.broker] + more)
            }
            let service = try await RunningService.start(arguments + ["--exercise"])
            let run = try await simulate(service, "--from", "-10h", "--profile", "flood", "--seed", "5", "--json")
            #expect(run.status == 0, "\(run.errors)")
            let table = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [[String: Any]])
            let sent = try #require(table.first?["messages"] as? Int)
            #expect((170...190).contains(sent), "\(table)")
            try await service.settled(messages: sent)
            #expect(try await service.status()["quarantined"] as? Int == 0)
            let levels = try await service.samples(of: "water_level_meters", at: "creek").map(\.value)
            #expect(levels.count > 110 && levels[0] < 19 && levels.contains { $0 > 21 }, "\(levels)")
            let history = try await service.json("/alerts?start=2000-01-01T00:00:00Z")
            let messages = try #require(history["features"] as? [[String: Any]])
                .compactMap { $0["properties"] as? [String: Any] }
            #expect(messages.contains { $0["level"] as? String == "orange" }, "\(messages.count)")
            #expect(messages.allSatisfy { $0["status"] as? String == "Exercise" })

            // Live, at a rate.
            let live = try await simulate(service, "--devices", "1", "--rate", "50/s", "--for", "2s")
            #expect(live.status == 0, "\(live.errors)")
            #expect(live.errors.contains("messages of 1 devices, all acknowledged"), "\(live.errors)")
            try await service.settled(messages: sent + 90)
            try await service.stop()

            let real = try await RunningService.start(arguments)
            let refused = try await simulate(real, "--from", "-1h", "--devices", "1")
            #expect(refused.status == 0, "\(refused.errors)")
            try await eventually("refusals") { (try await real.status()["quarantined"] as? Int ?? 0) > 20 }
            #expect(try await real.status()["stored"] as? Int == 0)
            let wrong = try await PoyangProcess.run(["simulate", "--profile", "storm"])
            #expect(wrong.status == 64 && wrong.errors.contains("calm"), "\(wrong.errors)")
            try await real.stop()
        }
    }
}
