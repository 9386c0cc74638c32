// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import MQTTIngest
import TestSupport
import Testing

/// The broker comes late, goes and comes back, or forgets us: nothing that it kept is lost.
struct BrokerAwayTests {
    private static let topic = "poyang/v1/devices/coop-pond-1-node/telemetry"

    /// Readings of one series with times of their own, a second apart.
    private func readings(_ range: Range<Int>) -> [(topic: String, payload: [UInt8])] {
        range.map { index in
            let json = #"{"ts":\#(1_700_000_000_000 + index * 1000),"values":{"ph":\#(index)}}"#
            return (Self.topic, Array(json.utf8))
        }
    }

    /// The same reading again and again, which counts on the receive time.
    private func timeless(_ count: Int) -> [(topic: String, payload: [UInt8])] {
        (0..<count).map { _ in (Self.topic, Array(#"{"battery_volts":3.7}"#.utf8)) }
    }

    private func options(_ folder: URL, port: UInt16? = nil) -> EmbeddedBroker.Options {
        EmbeddedBroker.Options(directory: folder.appendingPathComponent("broker"), port: port)
    }

    private func values(of metric: String, _ service: RunningService) async throws -> [Double] {
        try await service.samples(of: metric, at: "coop-pond-1").map(\.value)
    }

    @Test(.timeLimit(.minutes(1)))
    func aBrokerThatComesLaterIsFound() async throws {
        try await withTemporaryFolder { folder in
            let first = try EmbeddedBroker(self.options(folder))
            let address = first.address
            first.stop()
            let service = try await RunningService.launch([
                "--data", folder.appendingPathComponent("data").path, "--broker", "\(address)",
            ])
            #expect(try await service.get("/-/ready").status == 503)
            let broker = try EmbeddedBroker(self.options(folder, port: UInt16(address.port)))
            defer { broker.stop() }
            try await eventually("readiness", within: .seconds(45)) { try await service.isReady() }
            try await TestPublisher.publish(self.readings(0..<10), to: service.broker)
            try await service.settled(messages: 10)
            #expect(try await self.values(of: "ph", service) == (0..<10).map(Double.init))
            try await service.stop()
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func whatTheBrokerKeptWhileWeWereAwayComesAfterItsRestart() async throws {
        try await withTemporaryFolder { folder in
            let first = try EmbeddedBroker(self.options(folder))
            let arguments = ["--data", folder.appendingPathComponent("data").path, "--broker", "\(first.address)"]
            var service = try await RunningService.start(arguments)
            try await TestPublisher.publish(self.readings(0..<50) + self.timeless(5), to: service.broker)
            try await service.settled(messages: 55)
            service.process.kill()
            try await service.process.waitForExit()
            try await TestPublisher.publish(self.readings(50..<100) + self.timeless(5), to: service.broker)
            first.stop()

            let second = try EmbeddedBroker(self.options(folder, port: UInt16(first.address.port)))
            defer { second.stop() }
            service = try await RunningService.start(arguments)
            try await TestPublisher.publish(self.readings(100..<120), to: service.broker)
            try await eventually("the newest reading") { try await self.values(of: "ph", service).last == 119 }
            #expect(try await self.values(of: "ph", service) == (0..<120).map(Double.init))
            #expect(try await self.values(of: "battery_volts", service).count == 10)
            try await service.stop()
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func aRestartOfTheBrokerUnderARunningServiceLosesNothing() async throws {
        try await withTemporaryFolder { folder in
            let first = try EmbeddedBroker(self.options(folder))
            let service = try await RunningService.start([
                "--data", folder.appendingPathComponent("data").path, "--broker", "\(first.address)",
            ])
            let count = 2_000
            let stream = try TestStream(to: service.broker)
            let all = self.readings(0..<count)
            async let publishing: Void = stream.run(count) { all[$0] }
            stream.open(to: count / 2)
            try await stream.reached(count / 4)
            first.stop()
            try await eventually("the loss of the broker to be noticed") { try await !service.isReady() }
            let second = try EmbeddedBroker(self.options(folder, port: UInt16(first.address.port)))
            defer { second.stop() }
            stream.open(to: count)
            try await publishing
            try await eventually("the newest reading", within: .seconds(60)) {
                try await self.values(of: "ph", service).last == Double(count - 1)
            }
            #expect(try await self.values(of: "ph", service) == (0..<count).map(Double.init))
            try await service.stop()
        }
    }

    /// Twenty minutes by the service's clock, which is longer than a node may be silent.
    @Test(.timeLimit(.minutes(2)))
    func aBrokerThatIsAwayForLongIsOneWarningAndNobodyIsSilent() async throws {
        try await withTemporaryFolder { folder in
            let first = try EmbeddedBroker(self.options(folder))
            let service = try await RunningService.start(
                ["--data", folder.appendingPathComponent("data").path, "--broker", "\(first.address)"],
                environment: try await Fault("clock", in: folder).clock(ahead: 0, step: 1800)
            )
            func told() async throws -> [String] {
                let answer = try await service.json("/alerts?start=2000-01-01T00:00:00Z")
                let features = try #require(answer["features"] as? [[String: Any]])
                return features.compactMap { $0["properties"] as? [String: Any] }
                    .map { "\($0["hazard"] ?? "") \($0["action"] ?? "")" }
            }
            func warned() async throws -> [String] {
                let answer = try await service.get("/api/warnings?active=true")
                let rows = try JSONSerialization.jsonObject(with: answer.body) as? [[String: Any]]
                return try #require(rows).map { "\($0["hazard"] ?? "") \($0["state"] ?? "")" }
            }
            try await TestPublisher.publish(self.timeless(1), to: service.broker)
            try await service.settled(messages: 1)
            first.stop()
            try await eventually("the rules to notice the loss of the broker") {
                let metrics = String(decoding: try await service.get("/metrics").body, as: UTF8.self)
                return metrics.contains("\npoyang_broker_away_seconds ")
                    && !metrics.contains("\npoyang_broker_away_seconds 0\n")
            }
            service.process.signal(SIGUSR1)
            try await eventually("the warning") { try await told() == ["system issued"] }
            #expect(try await warned() == ["system active"], "the node's silence is the broker's")

            let second = try EmbeddedBroker(self.options(folder, port: UInt16(first.address.port)))
            defer { second.stop() }
            try await eventually("the end of the warning", within: .seconds(60)) {
                try await told().sorted() == ["system ended", "system issued"]
            }
            #expect(try await warned().isEmpty)
            // It says nothing now, either: after the grace of the return that is its own silence.
            service.process.signal(SIGUSR1)
            try await eventually("the silence of the node") { try await warned() == ["silence waiting"] }
            try await service.stop()
        }
    }

    /// Packet ids begin anew then: the same payload under the same id is a new message.
    @Test(.timeLimit(.minutes(2)))
    func aForgottenSessionIsSaidAndTheServiceGoesOn() async throws {
        try await withTemporaryFolder { folder in
            let first = try EmbeddedBroker(self.options(folder))
            let service = try await RunningService.start([
                "--data", folder.appendingPathComponent("data").path, "--broker", "\(first.address)",
            ])
            try await TestPublisher.publish(self.timeless(20), to: service.broker)
            try await service.settled(messages: 20)
            first.stop()
            try await eventually("the loss of the broker to be noticed") { try await !service.isReady() }
            let store = folder.appendingPathComponent("broker/mosquitto.db")
            try FileManager.default.removeItem(at: store)
            let second = try EmbeddedBroker(self.options(folder, port: UInt16(first.address.port)))
            defer { second.stop() }
            try await eventually("readiness", within: .seconds(45)) { try await service.isReady() }
            #expect(service.process.errors.contains("forgotten our session"), "\(service.process.errors)")
            let metrics = String(decoding: try await service.get("/metrics").body, as: UTF8.self)
            #expect(metrics.contains("poyang_sessions_lost_total 1\n"), "\(metrics)")
            try await TestPublisher.publish(self.timeless(20), to: service.broker)
            try await service.settled(messages: 40)
            #expect(try await self.values(of: "battery_volts", service).count == 40)
            try await service.stop()
        }
    }
}
