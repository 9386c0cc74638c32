// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Counts add up over the life of the data, whoever counted.
struct CountingTests {
    private static let topic = "poyang/v1/devices/coop-pond-1-node/telemetry"

    /// Two good values, of which one comes twice, and one bad value, for each index.
    private func messages(_ range: Range<Int>) -> [(topic: String, payload: [UInt8])] {
        range.flatMap { index in
            let time = 1_700_000_000_000 + index * 1000
            return [
                #"{"ts":\#(time),"values":{"ph":7,"battery_volts":3.7}}"#, #"{"ts":\#(time),"values":{"ph":7}}"#,
                #"{"ts":\#(time),"values":{"ph":"sour"}}"#,
            ]
        }
        .map { (Self.topic, Array($0.utf8)) }
    }

    private func quarantined(_ folder: URL) async throws -> Int {
        let run = try await PoyangProcess.run(["quarantine", "list", "--json", "--data", folder.path])
        return try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [Any], "\(run.errors)")
            .count
    }

    @Test(.timeLimit(.minutes(1)))
    func everyValueIsInOnePlaceBeforeAndAfterARestart() async throws {
        try await withTemporaryFolder { folder in
            let arguments = ["--embedded-broker", "--data", folder.path]
            var published = 0
            for part in [0..<20, 20..<35] {
                let service = try await RunningService.start(arguments)
                try await TestPublisher.publish(self.messages(part), to: service.broker)
                published += part.count
                try await service.settled(messages: part.count * 3)
                let status = try await service.status()
                #expect(status["messages"] as? Int == part.count * 3)
                #expect(status["stored"] as? Int == part.count * 2)
                #expect(status["duplicates"] as? Int == part.count)
                #expect(status["quarantined"] as? Int == part.count)
                #expect(status["samples"] as? Int == published * 2)
                #expect(try await self.quarantined(folder) == published)
                let metrics = String(decoding: try await service.get("/metrics").body, as: UTF8.self)
                #expect(metrics.contains(#"poyang_readings_total{outcome="stored",reason=""} \#(part.count * 2)"#))
                try await service.stop()
                #expect(service.process.outcome.status == 0, "\(service.process.errors)")
            }
        }
    }

    /// What was judged twice because of the crash is counted once in the store.
    @Test(.timeLimit(.minutes(1)))
    func afterAKillTheStoreHoldsEveryValueOnce() async throws {
        try await withTemporaryFolder { folder in
            let arguments = ["--embedded-broker", "--data", folder.path]
            var service = try await RunningService.start(arguments)
            try await TestPublisher.publish(self.messages(0..<20), to: service.broker)
            try await service.settled(messages: 60)
            service.process.kill()
            try await service.process.waitForExit()
            service = try await RunningService.start(arguments)
            try await TestPublisher.publish(self.messages(20..<35), to: service.broker)
            try await eventually("all samples") { try await service.status()["samples"] as? Int ?? 0 >= 70 }
            try await service.settled(messages: 45)
            #expect(try await service.status()["samples"] as? Int == 70)
            #expect(try await self.quarantined(folder) == 35)
            try await service.stop()
        }
    }
}
