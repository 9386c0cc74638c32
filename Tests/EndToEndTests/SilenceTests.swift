// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Silence is never "all clear".
struct SilenceTests {
    private static let topic = "poyang/v1/devices/usgs-01581752-1/telemetry"

    /// A reading of the demo gauge, minutes after 2018-08-31T22:00Z, in feet.
    private func reading(minute: Int, feet: Double) -> (topic: String, payload: [UInt8]) {
        let milliseconds = 1_535_752_800_000 + minute * 60_000
        let json = #"{"ts":\#(milliseconds),"values":{"gage_height_ft":\#(feet)},"simulated":true}"#
        return (Self.topic, Array(json.utf8))
    }

    @Test(.timeLimit(.minutes(2)))
    func aGaugeThatStopsIsUnknownAndItsWarningIsHeld() async throws {
        try await withTemporaryFolder { folder in
            let service = try await RunningService.start([
                "--embedded-broker", "--data", folder.path, "--clock", "data", "--exercise",
            ])
            try await TestPublisher.publish(
                [self.reading(minute: 0, feet: 2.0), self.reading(minute: 5, feet: 3.2)],
                to: service.broker
            )
            try await service.settled(messages: 2)
            #expect(try await service.site("usgs-01581752")["state"] as? String == "blue")

            let advance = try await PoyangProcess.run([
                "clock", "advance", "2018-08-31T23:05:00Z", "--site", "usgs-01581752", "--data", folder.path,
            ])
            try #require(advance.status == 0, "\(advance.errors)")
            let silent = try await service.site("usgs-01581752")
            #expect(silent["state"] as? String == "unknown")
            #expect(silent["age_seconds"] as? Int == 3600)
            #expect(silent["reason"] as? String == "no_data")
            #expect(silent["level"] as? String == "blue")
            let active = try await service.json("/alerts/active")
            let features = try #require(active["features"] as? [[String: Any]])
            let flood = try #require(
                features.compactMap { $0["properties"] as? [String: Any] }.first { $0["hazard"] as? String == "flood" }
            )
            #expect((flood["headline"] as? String ?? "").contains("数据中断"), "\(flood)")
            #expect(flood["level"] as? String == "blue")

            try await TestPublisher.publish(
                [self.reading(minute: 70, feet: 3.3), self.reading(minute: 75, feet: 3.3)],
                to: service.broker
            )
            try await service.settled(messages: 4)
            #expect(try await service.site("usgs-01581752")["state"] as? String == "blue")
            #expect(try await service.status()["stored"] as? Int == 4)
            let all = try await service.json("/alerts?start=2000-01-01T00:00:00Z")
            let history = try #require(all["features"] as? [[String: Any]])
            let actions = history.compactMap { $0["properties"] as? [String: Any] }
                .filter { $0["hazard"] as? String == "flood" }.compactMap { $0["action"] as? String }
            #expect(actions.contains("issued") && actions.contains("amended"))
            #expect(!actions.contains("lowered") && !actions.contains("ended"))
            try await service.stop()
        }
    }
}
