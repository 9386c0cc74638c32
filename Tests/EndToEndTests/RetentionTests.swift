// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// What the configuration file says about retention happens, at the start and after a reload.
struct RetentionTests {
    private static let topic = "poyang/v1/devices/coop-pond-1-node/telemetry"

    @Test(.timeLimit(.minutes(2)))
    func removesAndThinsAsTheFileSays() async throws {
        try await withTemporaryFolder { folder in
            let config = folder.appendingPathComponent("poyang.yaml")
            try Data(
                """
                retention:
                  - match: 'ph{site="coop-pond-1"}'
                    keep: 30d
                  - match: '{kind=~".+"}'
                    thin: [{ after: 30d, to: 1h, by: maximum }]
                """
                .utf8
            )
            .write(to: config)
            let data = folder.appendingPathComponent("data").path
            let arguments = ["--data", data, "--embedded-broker"]
            var service = try await RunningService.start(arguments)
            // Of 2023, ten minutes apart, on a whole hour.
            let old = (1...12)
                .map { index in
                    let time = 1_699_999_200_000 + index * 600_000
                    let json = #"{"ts":\#(time),"values":{"ph":\#(index),"battery_volts":\#(index)}}"#
                    return (topic: Self.topic, payload: Array(json.utf8))
                }
            // One of now, because the wall clock counts up to a day beyond the newest sample only.
            let fresh = (topic: Self.topic, payload: Array(#"{"water_temperature_celsius":20}"#.utf8))
            try await TestPublisher.publish(old + [fresh], to: service.broker)
            try await service.settled(messages: 13)
            try await service.stop()

            service = try await RunningService.start(arguments + ["--config", config.path])
            try await eventually("the old to be gone") {
                try await service.samples(of: "ph", at: "coop-pond-1").isEmpty
            }
            try await eventually("the time in the metrics") {
                String(decoding: try await service.get("/metrics").body, as: UTF8.self)
                    .contains("\npoyang_store_retained_timestamp_seconds 1")
            }
            let store = try #require(try await service.status()["store"] as? [String: Any])
            #expect(store["last_retention_at"] is String, "\(store)")
            // Thinned once it is sealed, which so few readings are not.
            #expect(try await service.samples(of: "battery_volts", at: "coop-pond-1").count == 12)

            try await TestPublisher.publish(old.suffix(1), to: service.broker)
            try await service.settled(messages: 1)
            try await eventually("the late sample") {
                try await service.samples(of: "ph", at: "coop-pond-1").count == 1
            }
            service.process.signal(SIGHUP)
            try await eventually("the late sample to be gone") {
                try await service.samples(of: "ph", at: "coop-pond-1").isEmpty
            }
            try await service.stop()
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func refusesAWrongRuleWithItsPlace() async throws {
        try await withTemporaryFolder { folder in
            let config = folder.appendingPathComponent("poyang.yaml")
            try Data("retention:\n  - match: 'ph{site='\n    keep: 90\n".utf8).write(to: config)
            let run = try await PoyangProcess.run(["serve", "--config", config.path])
            #expect(run.status != 0)
            #expect(run.errors.contains("poyang.yaml:2:") && run.errors.contains("poyang.yaml:3:11: "), "\(run.errors)")
        }
    }
}
