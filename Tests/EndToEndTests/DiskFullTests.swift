// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import MQTTIngest
import TestSupport
import Testing

/// A disk that refuses is said and waited for: the broker keeps what cannot be stored, and nothing is lost.
struct DiskFullTests {
    private static let topic = "poyang/v1/devices/coop-pond-1-node/telemetry"

    private func readings(_ range: Range<Int>) -> [(topic: String, payload: [UInt8])] {
        range.map { index in
            let json = #"{"ts":\#(1_700_000_000_000 + index * 1000),"values":{"ph":\#(index)}}"#
            return (Self.topic, Array(json.utf8))
        }
    }

    private func faults(_ service: RunningService) async throws -> String {
        (try await service.status()["faults"] as? [String] ?? []).joined(separator: "\n")
    }

    /// What the disk refuses, and what the operator reads then.
    @Test(.timeLimit(.minutes(3)), arguments: [("full", "the disk is full"), ("io", "the disk reports an error")])
    func aDiskThatRefusesLosesNothing(how: String, said: String) async throws {
        try await withTemporaryFolder { folder in
            // The broker is on another disk.
            let broker = try EmbeddedBroker(
                EmbeddedBroker.Options(directory: folder.appendingPathComponent("broker"))
            )
            defer { broker.stop() }
            let data = folder.appendingPathComponent("data").path
            let control = folder.appendingPathComponent("refuses")
            let service = try await RunningService.start(
                ["--data", data, "--broker", "\(broker.address)"],
                environment: try await Fault("diskfull", in: folder).disk(data: data, control: control.path)
            )
            try await TestPublisher.publish(self.readings(0..<50), to: service.broker)
            try await service.settled(messages: 50)

            // At once, so that now and then the rules have not saved their position yet and fail, too.
            try Data(how.utf8).write(to: control)
            try await TestPublisher.publish(self.readings(50..<100), to: service.broker)
            try await eventually("the refusal in the status") { try await self.faults(service).contains(said) }
            #expect(try await service.get("/-/ready").status == 503)
            #expect(service.process.errors.contains(said), "\(service.process.errors)")
            #expect(service.process.isRunning)

            try FileManager.default.removeItem(at: control)
            try await eventually("readiness", within: .seconds(60)) { try await service.isReady() }
            try await TestPublisher.publish(self.readings(100..<150), to: service.broker)
            try await eventually("the newest reading", within: .seconds(60)) {
                try await service.samples(of: "ph", at: "coop-pond-1").last?.value == 149
            }
            let values = try await service.samples(of: "ph", at: "coop-pond-1").map(\.value)
            #expect(values == (0..<150).map(Double.init))
            #expect(try await self.faults(service).isEmpty)
            try await service.stop()
            #expect(service.process.outcome.status == 0, "\(service.process.errors)")
            let wal = try? FileManager.default.attributesOfItem(atPath: data + "/samples.db-wal")[.size] as? Int
            #expect((wal ?? 0) == 0, "the WAL is left empty")
        }
    }

    /// While nothing can be written the service ends in order, and the next one goes on where it was.
    @Test(.timeLimit(.minutes(3)))
    func aServiceThatEndsOnAFullDiskLosesNothing() async throws {
        try await withTemporaryFolder { folder in
            let broker = try EmbeddedBroker(
                EmbeddedBroker.Options(directory: folder.appendingPathComponent("broker"))
            )
            defer { broker.stop() }
            let data = folder.appendingPathComponent("data").path
            let control = folder.appendingPathComponent("refuses")
            let environment = try await Fault("diskfull", in: folder).disk(data: data, control: control.path)
            let arguments = ["--data", data, "--broker", "\(broker.address)"]
            var service = try await RunningService.start(arguments, environment: environment)
            try await TestPublisher.publish(self.readings(0..<50), to: service.broker)
            try await service.settled(messages: 50)
            try Data("io".utf8).write(to: control)
            try await TestPublisher.publish(self.readings(50..<100), to: service.broker)
            try await eventually("the refusal in the status") { try await !self.faults(service).isEmpty }
            try await service.stop()
            try FileManager.default.removeItem(at: control)
            service = try await RunningService.start(arguments, environment: environment)
            try await eventually("the newest reading", within: .seconds(60)) {
                try await service.samples(of: "ph", at: "coop-pond-1").last?.value == 99
            }
            let values = try await service.samples(of: "ph", at: "coop-pond-1").map(\.value)
            #expect(values == (0..<100).map(Double.init))
            try await service.stop()
        }
    }
}
