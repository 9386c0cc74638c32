// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import MQTTIngest
import TestSupport
import Testing

/// kill -9 of the service in the middle of a stream loses nothing and stores nothing twice.
struct KillTests {
    /// Small here; `ops/soak` sets 200,000 readings and 20 kills.
    private static let readings = Int(ProcessInfo.processInfo.environment["POYANG_KILL_READINGS"] ?? "") ?? 12_000
    private static let kills = Int(ProcessInfo.processInfo.environment["POYANG_KILLS"] ?? "") ?? 4

    private static let keys = [
        "water_temperature_celsius", "dissolved_oxygen_milligrams_per_liter", "ph", "battery_volts",
    ]

    /// Reading number `index`: three of four carry their own time; the others count on the receive time.
    private static func message(_ index: Int) -> (topic: String, payload: [UInt8]) {
        let key = Self.keys[index % 4]
        let json =
            index % 4 == 3
            ? #"{"\#(key)":\#(index)}"#
            : #"{"ts":\#(1_700_000_000_000 + index * 1000),"values":{"\#(key)":\#(index)}}"#
        return ("poyang/v1/devices/coop-pond-1-node/telemetry", Array(json.utf8))
    }

    @Test(.timeLimit(.minutes(30)))
    func everyReadingIsStoredExactlyOnce() async throws {
        try await withTemporaryFolder { folder in
            let broker = try EmbeddedBroker(EmbeddedBroker.Options(directory: folder.appendingPathComponent("broker")))
            defer { broker.stop() }
            let url = "\(broker.address)"
            let data = folder.appendingPathComponent("data").path
            func start() async throws -> RunningService {
                let process = try PoyangProcess([
                    "serve", "--listen", "127.0.0.1:0", "--data", data, "--broker", url,
                ])
                let service = RunningService(
                    process: process, url: try await process.announced("ready "), broker: url)
                try await eventually("readiness") { try await service.isReady() }
                return service
            }
            var service = try await start()
            let publishing = Task {
                try await TestPublisher.publish((0..<Self.readings).map(Self.message), to: url)
            }
            var generator = SeededGenerator.announced()
            for _ in 0..<Self.kills {
                try await Task.sleep(for: .milliseconds(Int.random(in: 20...400, using: &generator)))
                service.process.kill()
                try await service.process.waitForExit()
                service = try await start()
            }
            try await publishing.value
            let values = try await self.settledValues(service)
            let twice = Dictionary(grouping: values) { $0 }.filter { $1.count > 1 }.keys.sorted()
            #expect(twice.isEmpty, "stored twice: \(twice.count), such as \(twice.prefix(8)) … \(twice.suffix(3))")
            #expect(Set(values) == Set(0..<Self.readings))
            try await service.stop()
        }
    }

    /// All stored values, once their number no longer grows.
    private func settledValues(_ service: RunningService) async throws -> [Int] {
        func count() async throws -> Int {
            try await service.status()["samples"] as? Int ?? 0
        }
        try await eventually("\(Self.readings) samples in the store", within: .seconds(120)) {
            let status = try await service.status()
            return try await count() >= Self.readings && status["processed"] as? Int == status["position"] as? Int
        }
        var values: [Int] = []
        for key in Self.keys {
            let answer = try await service.json("/api/v1/query?query=\(key)%7Bsite%3D%22coop-pond-1%22%7D%5B100y%5D")
            let result = try #require((answer["data"] as? [String: Any])?["result"] as? [[String: Any]])
            try #require(result.count == 1, "one series of \(key)")
            values += (result[0]["values"] as? [[Any]] ?? []).compactMap { point in
                (point.last as? String).flatMap(Double.init).map { Int($0) }
            }
        }
        return values
    }
}
