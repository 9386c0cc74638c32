// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Bad input gets a clear reason, loses nothing and never blocks the next reading.
struct BadInputTests {
    /// What the field sends, and where each value of it must end.
    private struct Case {
        let device: String
        let payload: String
        var reasons: [String] = []
        var refused = 0
        var stored = 0
        var duplicates = 0
    }

    private static let cases = [
        Case(
            device: "coop-field-1-node",
            payload: #"{"soil_moisture_percent": 31.5, "ts":1"#,
            reasons: ["malformed"],
            refused: 1
        ),
        Case(
            device: "coop-field-1-node",
            payload: #"{"ts":1700000000000,"values":{"soil_moisture_percent":31.5}}"#
                + String(repeating: " ", count: 10 << 20),
            reasons: ["too_large"],
            refused: 1
        ),
        Case(device: "nobody", payload: #"{"soil_moisture_percent": 31.5}"#, reasons: ["unknown_device"], refused: 1),
        Case(
            device: "coop-field-1-node",
            payload: #"{"ts":"2059-01-01T00:00:00Z","values":{"soil_moisture_percent":31.5}}"#,
            reasons: ["time_future"],
            refused: 1
        ),
        Case(
            device: "coop-field-1-node",
            payload: #"{"soil_moisture_percent": NaN}"#,
            reasons: ["not_a_number"],
            refused: 1
        ),
        Case(
            device: "coop-field-1-node",
            payload: #"{"soil_moisture_percent": "wet"}"#,
            reasons: ["not_a_number"],
            refused: 1
        ),
        Case(
            device: "coop-field-1-node",
            payload: #"{"ts":1700000100000,"values":{"soil_moisture_percent":31.5}}"#,
            stored: 1
        ),
        Case(
            device: "coop-field-1-node",
            payload: #"{"ts":1700000100000,"values":{"soil_moisture_percent":31.5}}"#,
            duplicates: 1
        ),
        Case(
            device: "coop-field-1-node",
            payload: #"""
                {"ts":1700000200000,"values":{"soil_moisture_percent":31.6,"air_temperature_celsius":21.5,
                "relative_humidity_percent":60,"battery_volts":"low","wind_speed_meters_per_second":1.5}}
                """#,
            reasons: ["not_a_number"],
            refused: 1,
            stored: 4
        ),
    ]

    @Test(.timeLimit(.minutes(2)))
    func everyValueEndsInOnePlaceWithAReason() async throws {
        try await withTemporaryFolder { folder in
            let service = try await RunningService.start([
                "--embedded-broker", "--data", folder.path, "--devices", "Devices", "--rules", "Rules",
            ])
            try await TestPublisher.publish(
                Self.cases.map { ("poyang/v1/devices/\($0.device)/telemetry", Array($0.payload.utf8)) },
                to: service.broker
            )
            try await service.settled(messages: Self.cases.count)

            let status = try await service.status()
            #expect(status["stored"] as? Int == Self.cases.reduce(0) { $0 + $1.stored })
            #expect(status["duplicates"] as? Int == Self.cases.reduce(0) { $0 + $1.duplicates })
            #expect(status["quarantined"] as? Int == Self.cases.reduce(0) { $0 + $1.refused })

            let run = try await PoyangProcess.run(["quarantine", "list", "--json", "--data", folder.path])
            let rows = try #require(
                try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [[String: Any]],
                "\(run.errors)"
            )
            let reasons = rows.compactMap { $0["reasons"] as? String }.sorted()
            #expect(reasons == Self.cases.flatMap(\.reasons).sorted())
            for row in rows {
                let detail = try #require(row["detail"] as? String)
                #expect(detail.count > 20, "an engineer should understand: \(detail)")
            }
            let large = try #require(rows.first { $0["reasons"] as? String == "too_large" })
            #expect(large["length"] as? Int ?? 0 > 10 << 20)
            let metrics = String(decoding: try await service.get("/metrics").body, as: UTF8.self)
            #expect(metrics.contains("poyang_messages_total \(Self.cases.count)\n"), "\(metrics)")
            #expect(metrics.contains(#"poyang_readings_total{outcome="quarantined",reason="not_a_number"} 3"#))
            try await service.stop()
        }
    }
}
