// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Recording rules in the service: on arrival, for the history before them, and when their file is edited.
struct RecordingRuleTests {
    private static let gauge = "poyang/v1/devices/usgs-01581752-1/telemetry"
    private static let start = 1_535_752_800_000

    private static func payload(_ minute: Int, _ feet: Double) -> (topic: String, payload: [UInt8]) {
        let time = Self.start + minute * 60_000
        return (
            Self.gauge, Array(#"{"ts":\#(time),"values":{"gage_height_ft":\#(feet)},"simulated":true}"#.utf8)
        )
    }

    private static func write(_ expression: String, to rules: URL) throws {
        let text = """
            groups:
              - name: derived
                rules:
                  - record: water_level_millimeters
                    expr: \(expression)

            """
        try Data(text.utf8).write(to: rules.appending(path: "derived.yaml"))
    }

    @Test(.timeLimit(.minutes(2)))
    func aRuleIsBackfilledAndRecordsFromThenOn() async throws {
        try await withTemporaryFolder { folder in
            let rules = folder.appending(path: "Rules")
            try FileManager.default.createDirectory(at: rules, withIntermediateDirectories: true)
            let service = try await RunningService.start([
                "--embedded-broker", "--data", folder.appending(path: "data").path, "--clock", "data", "--exercise",
                "--rules", rules.path,
            ])
            func values() async throws -> [Double] {
                try await service.samples(of: "water_level_millimeters", at: "usgs-01581752").map(\.value)
            }
            let first = (0..<10).map { Self.payload($0 * 5, 2 + Double($0) / 10) }
            try await TestPublisher.publish(first, to: service.broker)
            try await service.settled(messages: 10)
            #expect(try await values().isEmpty)

            // Saved while the service runs: noticed, and the ten readings before it are recorded, too.
            try Self.write("round(water_level_meters * 1000)", to: rules)
            try await eventually("the history", within: .seconds(60)) { try await values().count == 10 }
            try await TestPublisher.publish([Self.payload(50, 4)], to: service.broker)
            try await eventually("the reading after it", within: .seconds(60)) { try await values().count == 11 }
            #expect(try await values().last == 1219)

            // Another expression takes the place of what the one before it gave.
            try Self.write("round(water_level_meters * 1000) + 1", to: rules)
            try await eventually("the corrected history", within: .seconds(60)) {
                try await values() == [611, 641, 672, 702, 733, 763, 793, 824, 854, 885, 1220]
            }

            // A file that is wrong changes nothing.
            try Self.write("round(", to: rules)
            try await eventually("the refusal", within: .seconds(60)) {
                service.process.errors.contains("nothing was changed")
            }
            try await TestPublisher.publish([Self.payload(55, 4)], to: service.broker)
            try await eventually("the rule of before", within: .seconds(60)) { try await values().count == 12 }
            #expect(try await values().last == 1220)
            try await service.stop()
        }
    }
}
