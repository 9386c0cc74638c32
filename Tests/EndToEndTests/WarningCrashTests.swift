// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import MQTTIngest
import TestSupport
import Testing

/// A service that dies during a flood says in the end what one says that lived.
struct WarningCrashTests {
    private static let kills = Int(ProcessInfo.processInfo.environment["POYANG_WARNING_KILLS"] ?? "") ?? 5

    /// Replays the floods; the service dies `kills` times in them.
    private func run(crash: Crash?, kills: Int) async throws -> Account {
        try await withTemporaryFolder { folder in
            let broker = try EmbeddedBroker(EmbeddedBroker.Options(directory: folder.appendingPathComponent("broker")))
            defer { broker.stop() }
            let data = folder.appendingPathComponent("data").path
            let arguments = ["--data", data, "--broker", "\(broker.address)", "--clock", "data", "--exercise"]
            let environment = crash == .powerCut ? try await Fault("powercut", in: folder).powerCut(data: data) : [:]
            var service = try await RunningService.start(arguments, environment: environment)
            let flood = try FlashFlood(FlashFlood.all)
            let count = flood.messages.count
            let stream = try TestStream(to: service.broker)
            async let publishing: Void = stream.run(count) { flood.messages[$0] }
            var generator = SeededGenerator.announced()
            for kill in 0..<kills {
                // Somewhere in a flood, some of whose readings are judged and some are not.
                let part = (Double(kill) + Double.random(in: 0..<1, using: &generator)) / Double(kills)
                stream.open(to: flood.rows(through: part))
                try await stream.reached(flood.rows(through: part) - 1)
                try await Task.sleep(for: .microseconds(Int.random(in: 0...60_000, using: &generator)))
                try await service.die(by: crash ?? .kill)
                if Int.random(in: 0..<4, using: &generator) == 0 {
                    // And again while it starts, with what it has not judged before it.
                    service = try await RunningService.launch(arguments, environment: environment)
                    try await Task.sleep(for: .microseconds(Int.random(in: 0...200_000, using: &generator)))
                    try await service.die(by: crash ?? .kill)
                }
                service = try await RunningService.launch(arguments, environment: environment)
            }
            stream.open(to: count)
            try await publishing
            try await eventually("the last reading", within: .seconds(60)) {
                let newest = try await service.samples(of: "water_level_meters", at: "usgs-01581752").count
                let status = try await service.status()
                return newest == count && status["processed"] as? Int == status["position"] as? Int
            }
            let account = try await Account(of: service, alertsIn: flood.spans)
            try await service.stop()
            return account
        }
    }

    @Test(.timeLimit(.minutes(30)))
    func afterCrashesInFloodsEverythingSaidIsWhatAnUndisturbedRunSays() async throws {
        let undisturbed = try await self.run(crash: nil, kills: 0)
        try #require(undisturbed.messages.count >= 15)
        #expect(Set(undisturbed.messages).count == undisturbed.messages.count)
        for crash in Crash.allCases {
            let disturbed = try await self.run(crash: crash, kills: Self.kills)
            let difference = disturbed.difference(from: undisturbed)
            #expect(difference == nil, "\(crash)")
        }
    }
}
