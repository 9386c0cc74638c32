// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// No drill looks real, nothing real looks like a drill.
struct DrillTests {
    private func reading(_ device: String, _ key: String, _ value: Double, minute: Int, isSimulated: Bool) -> (
        topic: String, payload: [UInt8]
    ) {
        let mark = isSimulated ? #","simulated":true"# : ""
        let json = #"{"ts":\#(1_535_752_800_000 + minute * 60_000),"values":{"\#(key)":\#(value)}\#(mark)}"#
        return ("poyang/v1/devices/\(device)/telemetry", Array(json.utf8))
    }

    private func statuses(_ service: RunningService) async throws -> Set<String> {
        let answer = try await service.json("/alerts?start=2000-01-01T00:00:00Z")
        let features = try #require(answer["features"] as? [[String: Any]])
        return Set(features.compactMap { ($0["properties"] as? [String: Any])?["status"] as? String })
    }

    /// A cooperative's field and the demo gauge, the field's device marked as real.
    private func devices(_ folder: URL) throws -> String {
        let devices = folder.appendingPathComponent("Devices")
        try FileManager.default.copyItem(at: PoyangProcess.project.appendingPathComponent("Devices"), to: devices)
        let file = devices.appendingPathComponent("sites/yunshang-demo-coop/coop-field-1.yaml")
        let text = try String(contentsOf: file, encoding: .utf8)
        try text.replacingOccurrences(of: "test: true", with: "test: false")
            .write(to: file, atomically: true, encoding: .utf8)
        return devices.path
    }

    @Test(.timeLimit(.minutes(1)))
    func withoutExerciseAReplayedFloodWarnsNobodyAndARealOneDoes() async throws {
        try await withTemporaryFolder { folder in
            let service = try await RunningService.start([
                "--embedded-broker", "--data", folder.appendingPathComponent("data").path, "--clock", "data",
                "--devices", try self.devices(folder),
            ])
            let gauge = "usgs-01581752-1"
            try await TestPublisher.publish(
                [
                    self.reading(gauge, "gage_height_ft", 2.0, minute: 0, isSimulated: true),
                    self.reading(gauge, "gage_height_ft", 6.5, minute: 5, isSimulated: true),
                    self.reading("coop-field-1-node", "soil_moisture_percent", 30, minute: 5, isSimulated: true),
                ],
                to: service.broker
            )
            try await service.settled(messages: 3)
            let status = try await service.status()
            #expect(status["stored"] as? Int == 2)
            #expect(status["quarantined"] as? Int == 1)
            #expect(try await !self.statuses(service).contains("Actual"))
            let body = try await service.json("/alerts/active")
            let active = try #require(body["features"] as? [[String: Any]])
            #expect(active.allSatisfy { ($0["properties"] as? [String: Any])?["status"] as? String == "Exercise" })

            // The same water, not replayed.
            try await TestPublisher.publish(
                [
                    self.reading(gauge, "gage_height_ft", 2.0, minute: 60, isSimulated: false),
                    self.reading(gauge, "gage_height_ft", 6.5, minute: 65, isSimulated: false),
                ],
                to: service.broker
            )
            try await service.settled(messages: 5)
            #expect(try await self.statuses(service).contains("Actual"))
            try await service.stop()
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func inAnExerciseEvenARealReadingRaisesAnExercise() async throws {
        try await withTemporaryFolder { folder in
            let service = try await RunningService.start([
                "--embedded-broker", "--data", folder.path, "--clock", "data", "--exercise",
            ])
            try await TestPublisher.publish(
                [
                    self.reading("usgs-01581752-1", "gage_height_ft", 2.0, minute: 0, isSimulated: false),
                    self.reading("usgs-01581752-1", "gage_height_ft", 6.5, minute: 5, isSimulated: false),
                ],
                to: service.broker
            )
            try await service.settled(messages: 2)
            #expect(try await self.statuses(service) == ["Exercise"])
            try await service.stop()
        }
    }
}
