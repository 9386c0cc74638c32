// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import MQTTIngest
import TestSupport
import Testing

/// Alerts of a recorded flood as series, over a kill of the service.
struct AlertSeriesTests {
    private static let range: KeyValuePairs = [
        "query": "ALERTS", "start": "1535673600", "end": "1536000000", "step": "300",
    ]

    /// Publishes the flood until its last quarter, so that something still fires.
    private func start(_ folder: URL, _ broker: String, _ arguments: [String]) async throws -> RunningService {
        let service = try await RunningService.start(arguments)
        let flood = try FlashFlood()
        let count = flood.rows(through: 0.75)
        try await TestPublisher.publish(Array(flood.messages.prefix(count)), to: broker)
        try await service.settled(messages: count)
        return service
    }

    @Test(.timeLimit(.minutes(3)))
    func theHistoryOfAlertsIsThatOfAServiceThatWasKilled() async throws {
        try await withTemporaryFolder { folder in
            let broker = try EmbeddedBroker(EmbeddedBroker.Options(directory: folder.appendingPathComponent("broker")))
            defer { broker.stop() }
            let data = folder.appendingPathComponent("data")
            let arguments = ["--data", data.path, "--broker", "\(broker.address)", "--clock", "data", "--exercise"]
            var service = try await self.start(folder, "\(broker.address)", arguments)
            let viewer = try await RunningService.makeToken("viewer", data: data).token
            let own = try await RunningService.makeToken("viewer", org: "poyang-demo", data: data).token
            let other = try await RunningService.makeToken("viewer", org: "yunshang-demo-coop", data: data).token
            let before = try await service.ask("/api/v1/query_range", Self.range, token: viewer)
            #expect(before.text.contains(#""alertstate":"firing""#), "\(before.text)")
            #expect(before.text.contains(#""org":"poyang-demo""#), "\(before.text)")
            service.process.signal(SIGKILL)
            try await service.process.waitForExit()
            service = try await RunningService.start(arguments)
            let after = try await service.ask("/api/v1/query_range", Self.range, token: viewer)
            #expect(after.data == before.data)

            #expect(try await service.ask("/api/v1/query_range", Self.range, token: own).data == before.data)
            let foreign = try await service.ask("/api/v1/query_range", Self.range, token: other)
            #expect(foreign.data == #"{"result":[],"resultType":"matrix"}"#)
            let series = try await service.ask("/api/v1/series", ["match[]": "ALERTS_FOR_STATE"], token: own)
            #expect(series.text.contains("usgs-01581752"), "\(series.text)")
            let hidden = try await service.ask("/api/v1/series", ["match[]": #"{__name__=~"A.*"}"#], token: other)
            #expect(hidden.data == "[]")
            try await service.stop()
        }
    }
}
