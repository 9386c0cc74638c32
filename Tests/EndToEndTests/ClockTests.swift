// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry
import TestSupport
import Testing

/// Time is the reading's own: a bad clock, a device's or ours, harms nobody else.
struct ClockTests {
    private let now = Int64(Date().timeIntervalSince1970 * 1000)

    private func reading(_ device: String, _ value: Double, at milliseconds: Int64) -> (
        topic: String, payload: [UInt8]
    ) {
        let json = #"{"ts":\#(milliseconds),"values":{"soil_moisture_percent":\#(value)}}"#
        return ("poyang/v1/devices/\(device)/telemetry", Array(json.utf8))
    }

    /// The shipped devices, and a second one in the first field.
    private func devices(_ folder: URL) throws -> String {
        let devices = folder.appendingPathComponent("Devices")
        try FileManager.default.copyItem(at: PoyangProcess.project.appendingPathComponent("Devices"), to: devices)
        let file = devices.appendingPathComponent("sites/yunshang-demo-coop/coop-field-1.yaml")
        let second = "  - { id: coop-field-1-other, model: generic/json, interval: 10m, test: true }\n"
        let text = try String(contentsOf: file, encoding: .utf8)
        try text.replacingOccurrences(of: "notes:", with: second + "notes:")
            .write(to: file, atomically: true, encoding: .utf8)
        return devices.path
    }

    @Test(.timeLimit(.minutes(1)))
    func aDeviceWhoseClockIsFarAheadHarmsNobody() async throws {
        try await withTemporaryFolder { folder in
            let service = try await RunningService.start([
                "--embedded-broker", "--data", folder.appendingPathComponent("data").path,
                "--devices", try self.devices(folder),
            ])
            let minute: Int64 = 60_000
            try await TestPublisher.publish(
                [
                    self.reading("coop-field-1-node", 90, at: self.now + 60 * minute),
                    self.reading("coop-field-1-node", 91, at: self.now + 400 * 24 * 60 * minute),
                    // Within the skew: stored, and it counts when the clock reaches it.
                    self.reading("coop-field-1-node", 40, at: self.now + 8 * minute),
                    self.reading("coop-field-1-other", 31, at: self.now - minute),
                    self.reading("coop-field-1-other", 32, at: self.now),
                    self.reading("coop-field-2-node", 33, at: self.now - minute),
                ],
                to: service.broker
            )
            try await service.settled(messages: 6)
            let status = try await service.status()
            #expect(status["quarantined"] as? Int == 2)
            #expect(status["stored"] as? Int == 4)
            #expect(status["late_samples"] as? Int == 0, "a future sample moved its site's clock")
            #expect(status["is_own_clock_suspect"] as? Bool == false)
            let metrics = String(decoding: try await service.get("/metrics").body, as: UTF8.self)
            #expect(metrics.contains(#"reason="time_future"} 2"#))
            #expect(
                metrics.contains(#"poyang_device_clock_offset_seconds{device="coop-field-1-node"} -"#),
                "\(metrics)"
            )
            let run = try await PoyangProcess.run(
                ["devices", "show", "coop-field-1-node", "--data", folder.appendingPathComponent("data").path]
            )
            #expect(run.output.contains("clock offset seconds: -"), "\(run.output)\(run.errors)")
            for (site, value) in [("coop-field-1", 32.0), ("coop-field-2", 33.0)] {
                let seen = try await service.site(site)
                #expect(seen["value"] as? Double == value, "\(seen)")
                #expect(seen["age_seconds"] as? Int ?? .max < 120, "\(seen)")
                #expect(seen["state"] as? String == "normal", "\(seen)")
            }
            try await service.stop()
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aWrongClockOfOursIsSaidAndRefusesNothing() async throws {
        try await withTemporaryFolder { folder in
            let arguments = ["--embedded-broker", "--data", folder.appendingPathComponent("data").path]
            var service = try await RunningService.start(arguments)
            try await TestPublisher.publish([self.reading("coop-field-1-node", 30, at: self.now)], to: service.broker)
            try await service.settled(messages: 1)
            try await service.stop()

            let clock = try await Fault("clock", in: folder).clock(ahead: -30 * 86_400)
            service = try await RunningService.start(arguments, environment: clock)
            try await TestPublisher.publish(
                [
                    self.reading("coop-field-1-node", 31, at: self.now + 1000),
                    self.reading("coop-field-2-node", 32, at: self.now + 2000),
                ],
                to: service.broker
            )
            try await service.settled(messages: 2)
            var status = try await service.status()
            #expect(status["stored"] as? Int == 2)
            #expect(status["quarantined"] as? Int == 0)
            #expect(status["is_own_clock_suspect"] as? Bool == true)
            #expect((status["faults"] as? [String] ?? []).contains { $0.contains("our own clock") }, "\(status)")
            let field = try await service.site("coop-field-1")
            #expect(field["value"] as? Double == 31, "its clock follows its data: \(field)")
            #expect(service.process.errors.contains("the clock looks wrong"), "\(service.process.errors)")
            try await service.stop()

            service = try await RunningService.start(arguments)
            try await TestPublisher.publish(
                [self.reading("coop-field-1-node", 33, at: self.now + 3_600_000)],
                to: service.broker
            )
            try await service.settled(messages: 1)
            status = try await service.status()
            #expect(status["is_own_clock_suspect"] as? Bool == false)
            #expect(status["quarantined"] as? Int == 1, "with a clock that can be believed it is refused again")
            try await service.stop()
        }
    }
}
