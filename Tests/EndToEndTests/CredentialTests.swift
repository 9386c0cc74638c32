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
            /// What a device has measured; all of them measure the same at one site.
            func samples(_ metric: String, of name: String) async throws -> [Double] {
                let report = try await service.json("/api/devices/\(name)")
                let channels = try #require(report["channels"] as? [[String: Any]])
                let channel = channels.first { $0["metric"] as? String == metric }
                let labels = channel?["labels"] as? [String: String]
                return try await service.samples(of: metric, at: "field", sensor: labels?["sensor"] ?? "").map(\.value)
            }
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
                try await samples("soil_moisture_percent", of: b.name).contains(22)
            }
            #expect(try await !samples("soil_moisture_percent", of: b.name).contains(99))

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
            // What has its id later is another device, and has none of its passwords.
            let again = try await PoyangProcess.run([
                "devices", "register", a.name, "--model", "generic/json", "--site", "field", "--data", data.path,
            ])
            #expect(again.status == 0, "\(again.errors)")
            #expect(try await credentials(a.name, "--revoke").text.contains("no valid credentials"))
            #expect(try await !self.publish(reading, to: a.name, as: rotated, at: plain))
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

    @Test(.timeLimit(.minutes(3)))
    func noDeviceTakesThePlaceOfAPersonOrOfTheService() async throws {
        try await withTemporaryFolder { folder in
            let broker = try await SecuredBroker(folder)
            let data = folder.appending(path: "data")
            let service = try await broker.serve(data: data)
            func run(_ arguments: String..., locale: String = "en_US.UTF-8") async throws -> PoyangProcess.Outcome {
                try await PoyangProcess.run(
                    ["devices"] + arguments + ["--data", data.path],
                    environment: ["LC_ALL": locale]
                )
            }
            func accounts(_ outcome: PoyangProcess.Outcome) throws -> [(name: String, password: String)] {
                let rows = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]]
                return try #require(rows, "\(outcome.errors)")
                    .map { (try #require($0["user"] as? String), try #require($0["password"] as? String)) }
            }
            let list = folder.appending(path: "devices.csv")
            var csv = "device_id,model,site_id,site_name,kind\n"
            for id in ["rtu-1", "alice", "bob", "poyang", "carol", "dave"] {
                csv += "\(id),generic/json,field,田,field\n"
            }
            try Data(csv.utf8).write(to: list)
            #expect(try await run("import-csv", list.path).status == 0)

            // The person alice has the password that was made for rtu-1; dave's line is a comment.
            let person = try #require(try accounts(try await run("credentials", "rtu-1", "--json")).first)
            let made = try String(contentsOf: broker.accounts.appending(path: "passwords"), encoding: .utf8)
            let hash = try #require(made.split(separator: "\n").first { $0.hasPrefix("rtu-1:") }).dropFirst(6)
            try write(
                [
                    "passwords.extra": "# people\n#dave:x\n alice :\(hash)\n",
                    "acl.extra": "user alice\ntopic read #\n\nuser  bob\ntopic read #\n",
                ],
                below: broker.accounts
            )
            for (name, place) in [
                ("alice", "passwords.extra"), ("bob", "acl.extra"), ("poyang", "POYANG_BROKER_USER"),
            ] {
                let refused = try await run("credentials", name)
                #expect(refused.status == 1 && refused.errors.contains("another user of the broker (\(place))"))
                let chinese = try await run("credentials", name, locale: "zh_CN.UTF-8")
                #expect(chinese.errors.contains("“\(name)”是代理上另一用户的名称（\(place)）"), "\(chinese.errors)")
            }
            let missing = try await run("credentials", "--missing", "--json")
            #expect(try accounts(missing).map(\.name) == ["carol", "dave"])
            for name in ["alice", "bob", "poyang"] {
                #expect(missing.errors.contains("skipped: '\(name)' is the name of another user"), "\(missing.errors)")
            }
            for name in ["alice", "bob", "poyang"] { #expect(try await run("retire", name).status == 0) }
            for name in ["alice", "bob", "poyang"] {
                let refused = try await run("credentials", "--gateway", name)
                #expect(refused.status == 1 && refused.errors.contains("another user of the broker"))
            }
            try await eventually("alice, with her own password") {
                try BareClient(port: broker.plain, user: "alice", password: person.password).returnCode == 0
            }
            try await service.stop()
            try await broker.stop()
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func whoPublishesForManyHasOneAccountThatReadsNothing() async throws {
        try await withTemporaryFolder { folder in
            let broker = try await SecuredBroker(folder)
            let data = folder.appending(path: "data")
            let files = folder.appending(path: "Devices")
            try FileManager.default.createDirectory(at: files, withIntermediateDirectories: true)
            let service = try await broker.serve(data: data, devices: files)
            func poyang(_ arguments: String..., fails: Bool = false) async throws -> String {
                let run = try await PoyangProcess.run(arguments)
                try #require((run.status == 1) == fails, "\(arguments): \(run.output)\(run.errors)")
                return fails ? run.output + run.errors : run.output
            }
            func account(_ arguments: String...) async throws -> (name: String, password: String) {
                let run = try await PoyangProcess.run(
                    ["devices", "credentials", "--json", "--data", data.path] + arguments
                )
                let rows = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [[String: Any]]
                let row = try #require(rows?.first, "\(run.errors)")
                #expect(row["device"] == nil || row["device"] is NSNull)
                return (try #require(row["user"] as? String), try #require(row["password"] as? String))
            }
            let list = folder.appending(path: "devices.csv")
            let csv = "device_id,model,site_id,site_name,kind,org\nrtu-1,generic/json,field,田,field,coop\n"
            try Data(csv.utf8).write(to: list)
            _ = try await poyang("devices", "import-csv", list.path, "--data", data.path)
            let gateway = try await account("--gateway", "our-gateway")
            let server = try await account("--network-server", "chirpstack")
            let listed = try await poyang("devices", "credentials", "--list", "--data", data.path)
            #expect(listed.contains("our-gateway") && listed.contains("application/+/device/+/event/+"), "\(listed)")

            // No device can have such a name, and no such account the name of a device or of the service.
            for name in ["rtu-1", "poyang", "a:b", "a/b"] {
                _ = try await poyang("devices", "credentials", "--gateway", name, "--data", data.path, fails: true)
            }
            let late = "device_id,model,site_id\nchirpstack,generic/json,field\nrtu-2,generic/json,field\n"
            try Data(late.utf8).write(to: list)
            let words = "'chirpstack' is the account of a gateway or network server"
            let rows = try await poyang("devices", "import-csv", list.path, "--data", data.path, fails: true)
            #expect(rows.contains("device_id: \(words)") && rows.contains("created 1,"), "\(rows)")
            let registered = try await poyang(
                "devices",
                "register",
                "chirpstack",
                "--model",
                "generic/json",
                "--site",
                "field",
                "--data",
                data.path,
                fails: true
            )
            #expect(
                registered.contains(words) && registered.contains("credentials chirpstack --revoke"),
                "\(registered)"
            )
            let replaced = try await poyang(
                "devices",
                "replace",
                "rtu-2",
                "--with",
                "chirpstack",
                "--data",
                data.path,
                fails: true
            )
            #expect(replaced.contains(words), "\(replaced)")
            let pond = """
                site: pond
                name: 塘
                kind: pond
                devices: [{ id: chirpstack, model: generic/json }]
                """
            try write(["sites/g/pond.yaml": pond], below: files)
            let applied = try await poyang("devices", "apply", "--data", data.path, fails: true)
            #expect(applied.contains("pond.yaml:4:17: \(words)"), "\(applied)")
            try FileManager.default.removeItem(at: files.appending(path: "sites"))

            // They speak for devices of every org: a token of one may neither make nor see nor revoke them.
            let token = try await poyang(
                "token",
                "create",
                "--role",
                "device-admin",
                "--org",
                "coop",
                "--json",
                "--data",
                data.path
            )
            let secret = try #require(
                (try JSONSerialization.jsonObject(with: Data(token.utf8)) as? [[String: Any]])?.first?["token"]
                    as? String,
                "\(token)"
            )
            let ask = ["--url", service.url, "--token", secret]
            for arguments in [
                ["--gateway", "mine"], ["--network-server", "mine"], ["our-gateway", "--revoke"],
                ["chirpstack", "--revoke"],
            ] {
                let run = try await PoyangProcess.run(["devices", "credentials"] + arguments + ask)
                #expect(run.status == 1, "\(arguments): \(run.output)")
            }
            let seen = try await PoyangProcess.run(["devices", "credentials", "--list"] + ask)
            #expect(seen.status == 0 && !seen.output.contains("our-gateway"), "\(seen.output)")

            // Each may publish its own kind of messages, and reads none.
            let overseer = try BareClient(port: broker.plain, user: "poyang", password: SecuredBroker.servicePassword)
            try overseer.subscribe(["poyang/v1/devices/#", "application/#", "v3/#"])
            var readers: [BareClient] = []
            for user in [gateway, server] {
                try await eventually("the account \(user.name)") {
                    try BareClient(port: broker.plain, user: user.name, password: user.password).returnCode == 0
                }
                let reader = try BareClient(port: broker.plain, user: user.name, password: user.password)
                try reader.subscribe(["#", "poyang/v1/devices/+/sl651", "application/#"])
                readers.append(reader)
            }
            func passes(_ user: (name: String, password: String), _ topic: String) async throws -> Bool {
                #expect(try await SecuredBroker.publish([0x7B], to: topic, as: user, at: broker.plainURL))
                return overseer.next(within: 1) != .nothing
            }
            let frames = "poyang/v1/devices/rtu-1/sl651"
            let uplinks = "application/1/device/0102030405060708/event/up"
            #expect(try await !passes(gateway, uplinks))
            #expect(try await !passes(gateway, "poyang/v1/devices/rtu-1/telemetry"))
            #expect(try await !passes(server, frames))
            #expect(try await !passes(server, "application/1/device/0102030405060708/command/down"))
            #expect(try await passes(gateway, frames))
            let second = try BareClient(port: broker.plain, user: "poyang", password: SecuredBroker.servicePassword)
            try second.subscribe(["application/#"])
            #expect(try await SecuredBroker.publish([0x7B], to: uplinks, as: server, at: broker.plainURL))
            #expect(second.next(within: 10) != .nothing)
            for reader in readers { #expect(reader.next(within: 1) == .nothing) }

            // Made again the password is another; revoked, connections end.
            let rotated = try await account("--gateway", gateway.name)
            #expect(readers[0].next(within: 20) == .end && rotated.password != gateway.password)
            _ = try await poyang("devices", "credentials", server.name, "--revoke", "--data", data.path)
            #expect(readers[1].next(within: 20) == .end)
            #expect(try BareClient(port: broker.plain, user: server.name, password: server.password).returnCode != 0)
            try await service.stop()
            try await broker.stop()
        }
    }
}
