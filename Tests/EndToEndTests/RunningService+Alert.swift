// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport

extension RunningService {
    private static let gauge = "poyang/v1/devices/usgs-01581752-1/telemetry"

    /// Calls `body` with a service of which the demo gauge's lowest level fires since 2018-08-31T22:05Z, and its folder.
    static func withAlert(_ body: (RunningService, URL) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let service = try await self.start([
                "--embedded-broker", "--data", folder.path, "--clock", "data", "--exercise",
            ])
            let payloads = [
                #"{"ts":1535752800000,"values":{"gage_height_ft":2.0},"simulated":true}"#,
                #"{"ts":1535753100000,"values":{"gage_height_ft":3.2},"simulated":true}"#,
            ]
            try await TestPublisher.publish(payloads.map { (Self.gauge, Array($0.utf8)) }, to: service.broker)
            try await service.settled(messages: payloads.count)
            try await body(service, folder)
            try await service.stop()
        }
    }
}
