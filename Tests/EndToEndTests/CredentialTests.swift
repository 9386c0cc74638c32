// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Each device is a user of the broker, by the files that the service keeps for mosquitto.
struct CredentialTests {
    /// Few here; `ops/soak` sets ten thousand.
    private static let devices = Int(ProcessInfo.processInfo.environment["POYANG_ACCOUNTS"] ?? "") ?? 100

    /// Publishes native JSON to a device's topic; returns whether the broker took it.
    private func publish(
        _ payload: String,
        to device: String,
        as user: (name: String, password: String),
        at url: String,
        authority: String? = nil
    ) async throws -> Bool {
        try await SecuredBroker.publish(
            Array(payload.utf8),
            to: "poyang/v1/devices/\(device)/telemetry",
            as: user,
            at: url,
            authority: authority
        )
    }

    /// Publishes without end, a reading after the other, until it is cancelled; returns how many were acknowledged.
    private func publishOn(_ user: (name: String, password: String), at url: String) async throws -> Int {
        var taken = 0
        while !Task.isCancelled {
            let json = #"{"ts":\#(1_655_773_200_000 + taken * 1000),"values":{"soil_temperature_celsius":21.5}}"#
            if try await self.publish(json, to: user.name, as: user, at: url) { taken += 1 }
        }
        return taken
    }

    @Test(.timeLimit(.minutes(10)))
    func aDevicePublishesItsOwnAndNothingElse() async throws {
        try await withTemporaryFolder { folder in
            let broker = try await SecuredBroker(folder)
            let data = folder.appending(path: "data")
            let (plain, secure) = (broker.plainURL, broker.secureURL)
            let service = try await broker.serve(data: data)

            var csv = "device_id,model,site_id,site_name,kind\n"
            for number in 0..<Self.devices { csv += "node-\(number),generic/json,field,田,field\n" }
            csv += "odd:node,generic/json,field,,\n"
            let file = folder.appending(path: "devices.csv")
            try Data(csv.utf8).write(to: file)
            let imported = try await PoyangProcess.run(["devices", "import-csv", file.path, "--data", data.path])
            try #require(imported.status == 0, "\(imported.errors)")

            func credentials(_ arguments: String...) async throws -> (
                status: Int32, rows: [[String: Any]], text: String
            ) {
                let run = try await PoyangProcess.run(
                    ["devices", "credentials", "--json", "--data", data.path] + arguments
                )
                let rows = try? JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [[String: Any]]
                return (run.status, rows ?? [], run.output + run.errors)
            }
            let made = try await credentials("--missing")
            #expect(made.rows.count == Self.devices, "a colon cannot be in a user's name: \(made.text.prefix(500))")
            #expect(try await credentials("odd:node").text.contains("holds a colon"))
            func account(_ row: [String: Any]) throws -> (name: String, password: String) {
                (try #require(row["user"] as? String), try #require(row["password"] as? String))
            }
            let a = try account(made.rows[0])
            let b = try account(made.rows[1])
            let c = try account(made.rows[2])
            let reading = #"{"soil_moisture_percent":21.4}"#

            // Once mosquitto has read its files.
            try await eventually("the first reading") {
                try await self.publish(reading, to: a.name, as: a, at: plain)
            }
            // Meanwhile another one reports.
            let reporting = Task { try await self.publishOn(c, at: plain) }
            defer { reporting.cancel() }
            #expect(try await self.publish(reading, to: b.name, as: b, at: secure, authority: broker.authority.path))
            #expect(try await !self.publish(reading, to: b.name, as: (a.name, "wrong"), at: plain))
            // mosquitto acknowledges what it then drops.
            _ = try await self.publish(#"{"soil_moisture_percent":99}"#, to: b.name, as: a, at: plain)
            _ = try await self.publish(#"{"soil_moisture_percent":22}"#, to: b.name, as: b, at: plain)
            try await eventually("both readings of B") {
                try await service.samples(of: "soil_moisture_percent", at: "field").map(\.value).contains(22)
            }
            #expect(try await !service.samples(of: "soil_moisture_percent", at: "field").map(\.value).contains(99))

            let listener = try BareClient(port: broker.plain, user: a.name, password: a.password)
            #expect(listener.returnCode == 0)
            try listener.subscribe(["poyang/v1/devices/#", "poyang/v1/devices/\(b.name)/telemetry", "#"])
            #expect(try await self.publish(reading, to: b.name, as: b, at: plain))
            #expect(listener.next(within: 2) == .nothing, "A reads what B sends")
            let overseer = try BareClient(
                port: broker.plain,
                user: "poyang",
                password: SecuredBroker.servicePassword
            )
            try overseer.subscribe(["poyang/v1/devices/#"])
            #expect(try await self.publish(reading, to: b.name, as: b, at: plain))
            #expect(overseer.next(within: 10) != .nothing, "who may read does")

            let rotated = try account(try #require(try await credentials(a.name).rows.first))
            try await eventually("the new password") {
                try await self.publish(reading, to: a.name, as: rotated, at: plain)
            }
            #expect(try await !self.publish(reading, to: a.name, as: a, at: plain), "the old password ends")

            let connected = try BareClient(port: broker.plain, user: b.name, password: b.password)
            #expect(connected.returnCode == 0)
            #expect(try await credentials(b.name, "--revoke").status == 0)
            #expect(connected.next(within: 20) == .end, "a connection of a revoked account ends")
            #expect(try await !self.publish(reading, to: b.name, as: b, at: plain))
            #expect(try await credentials(b.name, "--revoke").text.contains("no valid credentials"))
            let retired = try await PoyangProcess.run(["devices", "retire", a.name, "--data", data.path])
            #expect(retired.status == 0)
            try await eventually("the end of A's account") {
                try await !self.publish(reading, to: a.name, as: rotated, at: plain)
            }
            reporting.cancel()
            let reported = try await reporting.value
            #expect(reported > 0)
            try await eventually("all that was acknowledged") {
                try await service.samples(of: "soil_temperature_celsius", at: "field").count == reported
            }
            try await service.stop()
            try await broker.stop()
        }
    }
}
