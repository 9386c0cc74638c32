// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Devices of one site that gain the same channel, over a crash.
struct TwinKillTests {
    /// The other one of the site may report before the device that was put in the place of the first.
    @Test(.timeLimit(.minutes(1)))
    func whoReplacesADeviceHasItsPlainSeriesAlsoWhenTheOtherIsFirst() async throws {
        try await withTemporaryFolder { folder in
            let service = try await RunningService.start(["--embedded-broker", "--data", folder.path])
            func poyang(_ arguments: String...) async throws {
                let run = try await PoyangProcess.run(arguments + ["--data", folder.path])
                try #require(run.status == 0, "\(run.errors)")
            }
            for device in ["a", "b"] {
                try await poyang(
                    "devices",
                    "register",
                    device,
                    "--model",
                    "generic/json",
                    "--site",
                    "tw",
                    "--site-name",
                    "双",
                    "--kind",
                    "river"
                )
            }
            try await self.publish("a", 6, to: service)
            try await service.settled(messages: 1)
            try await poyang("devices", "replace", "a", "--with", "c", "--by", "team")
            try await self.publish("b", 7, to: service)
            try await self.publish("c", 8, to: service)
            try await service.settled(messages: 3)
            #expect(try await service.samples(of: "ph", at: "tw", sensor: "").map(\.value) == [6, 8])
            #expect(try await service.samples(of: "ph", at: "tw", sensor: "b").map(\.value) == [7])
            try await service.stop()
        }
    }

    private func publish(_ device: String, _ value: Double, to service: RunningService) async throws {
        let json = #"{"ts":\#(1_700_000_000_000 + Int(value) * 1000),"values":{"ph":\#(value)}}"#
        try await TestPublisher.publish(
            [("poyang/v1/devices/\(device)/telemetry", Array(json.utf8))],
            to: service.broker
        )
    }

    @Test(.timeLimit(.minutes(1)))
    func thePlainSeriesIsThatOfWhoReportedFirstAlsoWhenTheOtherIsFirstAfterAKill() async throws {
        try await withTemporaryFolder { folder in
            let (data, file) = (folder.appending(path: "data"), folder.appending(path: "devices.csv"))
            let csv = "device_id,model,site_id,site_name,kind\na,generic/json,tw,双,river\nb,generic/json,tw,,\n"
            try Data(csv.utf8).write(to: file)
            let arguments = ["--embedded-broker", "--data", data.path]
            var service = try await RunningService.start(arguments)
            let imported = try await PoyangProcess.run(["devices", "import-csv", file.path, "--data", data.path])
            try #require(imported.status == 0, "\(imported.errors)")
            try await self.publish("b", 6, to: service)
            try await service.settled(messages: 1)
            service.process.kill()
            try await service.process.waitForExit()
            service = try await RunningService.start(arguments)
            try await self.publish("a", 7, to: service)
            try await self.publish("b", 8, to: service)
            try await service.settled(messages: 2)
            #expect(try await service.samples(of: "ph", at: "tw", sensor: "").map(\.value) == [6, 8])
            #expect(try await service.samples(of: "ph", at: "tw", sensor: "a").map(\.value) == [7])
            try await service.stop()
        }
    }
}
