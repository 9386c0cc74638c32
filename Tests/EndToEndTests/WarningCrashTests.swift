// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import MQTTIngest
import TestSupport
import Testing

/// A service that dies during a flood says in the end what one says that lived.
struct WarningCrashTests {
    private static let kills = Int(ProcessInfo.processInfo.environment["POYANG_WARNING_KILLS"] ?? "") ?? 5

    /// The feed and the warnings, without what differs by the hour of the run.
    private struct Outcome: Equatable {
        var messages: [String]
        var warnings: [String]
        var ledger: [String]
    }

    private func outcome(_ service: RunningService) async throws -> Outcome {
        let answer = try await service.json("/alerts?start=2000-01-01T00:00:00Z")
        let features = try #require(answer["features"] as? [[String: Any]])
        let properties = features.reversed().compactMap { $0["properties"] as? [String: Any] }
        func text(_ row: [String: Any], _ names: [String]) -> String {
            names.map { "\(row[$0] ?? "-")" }.joined(separator: " ")
        }
        let warnings = try #require(
            try JSONSerialization.jsonObject(with: try await service.get("/api/warnings").body) as? [[String: Any]]
        )
        var ledger: [String] = []
        for number in warnings.compactMap({ $0["number"] as? String }).sorted() {
            let body = try await service.get("/api/warnings/\(number)/ledger").body
            let rows = try #require(try JSONSerialization.jsonObject(with: body) as? [[String: Any]])
            ledger += rows.map { number + " " + text($0, ["time", "kind", "what"]) }
        }
        let names = ["number", "action", "hazard", "level", "previousLevel", "eventTime", "value", "status"]
        return Outcome(
            messages: properties.map { text($0, names) },
            warnings: warnings.map { text($0, ["number", "hazard", "level", "state", "value", "issued_at"]) }.sorted(),
            ledger: ledger
        )
    }

    /// Replays the flood; the service dies `kills` times in it.
    private func run(crash: Crash?, kills: Int) async throws -> Outcome {
        try await withTemporaryFolder { folder in
            let broker = try EmbeddedBroker(EmbeddedBroker.Options(directory: folder.appendingPathComponent("broker")))
            defer { broker.stop() }
            let data = folder.appendingPathComponent("data").path
            let arguments = ["--data", data, "--broker", "\(broker.address)", "--clock", "data", "--exercise"]
            let environment = crash == .powerCut ? try await Fault("powercut", in: folder).powerCut(data: data) : [:]
            var service = try await RunningService.start(arguments, environment: environment)
            let flood = try FlashFlood()
            let count = flood.messages.count
            let stream = try TestStream(to: service.broker)
            async let publishing: Void = stream.run(count) { flood.messages[$0] }
            var generator = SeededGenerator.announced()
            for kill in 0..<kills {
                // Somewhere in the flood, some of whose readings are judged and some are not.
                let part = (Double(kill) + Double.random(in: 0..<1, using: &generator)) / Double(kills)
                stream.open(to: flood.rows(through: part))
                try await stream.reached(flood.rows(through: part) - 1)
                try await Task.sleep(for: .microseconds(Int.random(in: 0...60_000, using: &generator)))
                service.process.signal((crash ?? .kill).signal)
                try await service.process.waitForExit()
                service = try await RunningService.launch(arguments, environment: environment)
            }
            stream.open(to: count)
            try await publishing
            try await eventually("the last reading", within: .seconds(60)) {
                let newest = try await service.samples(of: "water_level_meters", at: "usgs-01581752").count
                let status = try await service.status()
                return newest == count && status["processed"] as? Int == status["position"] as? Int
            }
            let outcome = try await self.outcome(service)
            let identifiers = try await self.identifiers(service)
            #expect(Set(identifiers).count == identifiers.count)
            try await service.stop()
            return outcome
        }
    }

    private func identifiers(_ service: RunningService) async throws -> [String] {
        let answer = try await service.json("/alerts?start=2000-01-01T00:00:00Z")
        let features = try #require(answer["features"] as? [[String: Any]])
        return features.compactMap { ($0["properties"] as? [String: Any])?["id"] as? String }
    }

    @Test(.timeLimit(.minutes(20)))
    func afterCrashesInTheFloodWarningsAreThoseOfAnUndisturbedRun() async throws {
        let undisturbed = try await self.run(crash: nil, kills: 0)
        try #require(undisturbed.messages.count >= 5)
        for crash in Crash.allCases {
            let disturbed = try await self.run(crash: crash, kills: Self.kills)
            #expect(disturbed.messages == undisturbed.messages, "\(crash)")
            #expect(disturbed.warnings == undisturbed.warnings, "\(crash)")
            #expect(disturbed.ledger == undisturbed.ledger, "\(crash)")
        }
    }
}
