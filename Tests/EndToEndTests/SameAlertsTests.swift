// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry
import TestSupport
import Testing

/// A recorded flood gives the same alerts and warnings at any speed, and in a rule test.
struct SameAlertsTests {
    /// Replays the recording; `speed` 0 is as fast as acknowledged.
    private func replay(_ flood: FlashFlood, speed: Int) async throws -> (account: Account, alerts: [Alert]) {
        try await withTemporaryFolder { folder in
            let service = try await RunningService.start([
                "--embedded-broker", "--data", folder.path, "--clock", "data", "--exercise",
            ])
            let replay = try await PoyangProcess.run([
                "replay", "--broker", service.broker, "--speed", "\(speed)", FlashFlood.file(FlashFlood.newest).path,
                "--map", FlashFlood.file("usgs-01581752.map.yaml").path,
            ])
            try #require(replay.status == 0, "\(replay.errors)")
            try await service.settled(messages: flood.messages.count)
            let account = try await Account(of: service, alertsIn: flood.spans)
            let alerts = try await self.alerts(service, flood)
            try await service.stop()
            return (account, alerts)
        }
    }

    /// One alert of the rules of stage and rise, and when it was raised and ended.
    private struct Alert {
        let name: String
        let level: String
        let raised: Timestamp
        let ended: Timestamp
    }

    private func alerts(_ service: RunningService, _ flood: FlashFlood) async throws -> [Alert] {
        let span = try #require(flood.spans.first)
        let answer = try await service.ask(
            "/api/v1/query_range",
            [
                "query": #"ALERTS{alertstate="firing",hazard=~"flood|flood_rise"}"#,
                "start": "\(span.lowerBound)", "end": "\(span.upperBound)", "step": "300",
            ]
        )
        let result = try #require((try answer.json()["data"] as? [String: Any])?["result"] as? [[String: Any]])
        var alerts: [Alert] = []
        for series in result {
            let labels = try #require(series["metric"] as? [String: String])
            let name = try #require(labels["alertname"])
            let level = try #require(labels["level"])
            var times = (series["values"] as? [[Any]] ?? []).compactMap { $0.first as? Int }[...]
            while let first = times.first {
                // A reading each five minutes: it ends where it is no longer seen.
                var end = first + 300
                while times.first.map({ $0 <= end }) ?? false { end = times.removeFirst() + 300 }
                alerts.append(
                    Alert(
                        name: name,
                        level: level,
                        raised: Timestamp(milliseconds: Int64(first) * 1000),
                        ended: Timestamp(milliseconds: Int64(end) * 1000)
                    )
                )
            }
        }
        return alerts
    }

    /// A rule test that feeds the recording to the shipped rules and expects these alerts, and no others.
    private func ruleTest(_ flood: FlashFlood, _ alerts: [Alert]) throws -> String {
        let rules = PoyangProcess.project.appendingPathComponent("Rules").path
        let start = try #require(flood.levels.first).time
        let levels = ["notice", "blue", "yellow", "orange", "red"]
        var transitions = alerts.map { ("raised", $0.raised, $0) } + alerts.map { ("ended", $0.ended, $0) }
        // The order in which the engine says them: by time, then as the rules stand in their files.
        transitions.sort { left, right in
            if left.1 != right.1 { return left.1 < right.1 }
            if left.2.name != right.2.name { return left.2.name < right.2.name }
            return levels.firstIndex(of: left.2.level) ?? 0 < levels.firstIndex(of: right.2.level) ?? 0
        }
        let thresholds = [
            "hazard: flood, level: blue, value: 0.90", "hazard: flood, level: yellow, value: 1.20",
            "hazard: flood, level: orange, value: 1.50", "hazard: flood, level: red, value: 1.80",
            "hazard: flood_rise, level: notice, value: 0.50, unit: m/h",
        ]
        let expected = transitions.map { change, time, alert in
            "{ at: \(time.rfc3339()), change: \(change), alertname: \(alert.name), level: \(alert.level) }"
        }
        return """
            rule_files: [\(rules)/flood/stage.yaml, \(rules)/flood_rise/rise.yaml]
            tests:
              - name: the recording
                start_timestamp: \(start.rfc3339())
                interval: 5m
                thresholds: [\(thresholds.map { "{ site: usgs-01581752, \($0) }" }.joined(separator: ", "))]
                channels:
                  - { series: 'water_level_meters{site="usgs-01581752"}', every: 5m }
                input_series:
                  - series: water_level_meters{site="usgs-01581752"}
                    values: \(flood.levels.map { "\($0.meters)" }.joined(separator: " "))
                exp_transitions: [\(expected.joined(separator: ", "))]

            """
    }

    private func run(_ test: String) async throws -> PoyangProcess.Outcome {
        try await withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("recording.test.yaml")
            try test.write(to: file, atomically: false, encoding: .utf8)
            return try await PoyangProcess.run(["rules", "test", file.path])
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func atTwoSpeedsAndInARuleTest() async throws {
        let flood = try FlashFlood()
        // Five days in nine seconds.
        let slow = try await self.replay(flood, speed: 50_000)
        let fast = try await self.replay(flood, speed: 0)
        #expect(slow.account.difference(from: fast.account) == nil)
        try #require(fast.alerts.count >= 5)
        let test = try self.ruleTest(flood, fast.alerts)
        let verdict = try await self.run(test)
        #expect(verdict.status == 0, "\(verdict.output)\(verdict.errors)")
        // It is these transitions that the test looks at.
        let other = try self.ruleTest(flood, Array(fast.alerts.dropLast()))
        #expect(try await self.run(other).status == 1)
    }
}
