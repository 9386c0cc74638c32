// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Samples are taken out again, with and without a service.
struct RemoveTests {
    private static func csv(_ rows: [String]) -> String {
        (["time,metric,value,quality,method,simulated,failed_test,site"] + rows).map { $0 + "\n" }.joined()
    }

    private static let rows = [
        "2022-06-21T16:00:00+08:00,water_level_meters,19,2,measured,false,,hukou",
        "2022-06-21T16:00:00+08:00,water_level_meters,18.86,2,measured,false,,xingzi",
        "2022-06-21T17:00:00+08:00,water_level_meters,99.9,3,measured,false,sender,xingzi",
        "2022-06-21T18:00:00+08:00,water_level_meters,18.87,2,measured,false,,xingzi",
    ]

    private func run(_ arguments: [String], _ data: String) async throws -> PoyangProcess.Outcome {
        try await PoyangProcess.run(arguments + ["--data", data])
    }

    @Test(.timeLimit(.minutes(1)))
    func takesOutWhatABrokenSensorSent() async throws {
        try await withTemporaryFolder { folder in
            let data = folder.appendingPathComponent("data").path
            let file = folder.appendingPathComponent("a.csv")
            try Data(Self.csv(Self.rows).utf8).write(to: file)
            #expect(try await self.run(["import", "--format", "csv", file.path], data).status == 0)

            let selector = ["remove", "--match", "water_level_meters{site=\"xingzi\"}"]
            #expect(try await self.run(selector, data).status == 64)
            let span = ["--from", "2022-06-21T17:00+08:00", "--to", "2022-06-21T17:00+08:00"]
            let look = try await self.run(selector + span + ["--dry-run"], data)
            #expect(look.output == "1 series have samples there\n", "\(look.errors)")
            let export = ["export", "--match", "water_level_meters", "--format", "csv"]
            #expect(try await self.run(export, data).output == Self.csv(Self.rows))
            let first = try await self.run(selector + span, data)
            #expect(first.output == "removed 1 samples of 1 series\n", "\(first.errors)")
            #expect(try await self.run(export, data).output == Self.csv([Self.rows[0], Self.rows[1], Self.rows[3]]))

            let service = try await RunningService.start(["--embedded-broker", "--data", data])
            let rest = try await self.run(selector + ["--all"], data)
            #expect(rest.output == "removed 2 samples of 1 series\n", "\(rest.errors)")
            #expect(try await self.run(export, data).output == Self.csv([Self.rows[0]]))
            let verified = try await self.run(["verify"], data)
            #expect(verified.status == 0, "\(verified.errors)")
            try await service.stop()
            #expect(try await self.run(export, data).output == Self.csv([Self.rows[0]]))
        }
    }
}
