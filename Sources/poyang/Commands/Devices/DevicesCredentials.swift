// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct DevicesCredentials: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "credentials",
        abstract: "Make, rotate or revoke an account at the broker, of a device or for many.",
        discussion: """
            The user is the device's id; the password is printed once. Whoever has an account
            publishes below the device's own topics and reads nothing. Calling it again
            rotates: the old password ends at once. The service has to keep the broker's
            files (ops/mosquitto.conf).

            A gateway and a network server publish for many devices under one account:
            --gateway for 'poyang gateway sl651', --network-server for ChirpStack (its
            integration's events) and The Things Stack (uplinks).

              poyang devices credentials field7-soil
              poyang devices credentials field7-soil --revoke
              poyang devices credentials --missing --csv > accounts.csv
              poyang devices credentials --gateway sl651-gateway
              poyang devices credentials --network-server chirpstack
              poyang devices credentials --list
            """
    )

    @Argument(help: "The device's id; with --revoke also the name of another account.")
    var id: String?
    @Option(help: ArgumentHelp("Make an account for a gateway of SL 651 stations.", valueName: "name"))
    var gateway: String?
    @Option(help: ArgumentHelp("Make an account for a LoRaWAN network server.", valueName: "name"))
    var networkServer: String?
    @Flag(help: "Take the account away; connections of it end.")
    var revoke = false
    @Flag(help: "Make accounts for all devices that have none; names those that can have none.")
    var missing = false
    @Flag(help: "List who has an account, without passwords.")
    var list = false
    @Option(help: ArgumentHelp("Who does it; otherwise the name of the token or login.", valueName: "name"))
    var by: String?
    @Flag(help: "Print CSV.")
    var csv = false
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    func validate() throws {
        let wanted = [
            self.id != nil, self.gateway != nil, self.networkServer != nil, self.missing, self.list,
        ]
        guard wanted.count(where: { $0 }) == 1 else {
            throw ValidationError(
                "give one of: the ID of a device, --missing for all that have none, --gateway, --network-server, --list"
            )
        }
        if self.revoke, self.id == nil {
            throw ValidationError("--revoke needs the ID of a device or the name of an account")
        }
    }

    /// Of an account that is none of a device.
    private var role: String? {
        if self.gateway != nil { return "gateway" }
        return self.networkServer != nil ? "network_server" : nil
    }

    func run() async throws {
        let person = self.by ?? self.connection.login
        let answers = try await self.connection.withClient { client -> [JSONValue] in
            if self.list { return try await client.get("/api/credentials").elements }
            if self.revoke, let id {
                let path = "/api/devices/\(APIClient.component(id))/credentials"
                return [try await client.delete(path, query: [("by", person)])]
            }
            let members: [(String, JSONValue)] = [
                ("devices", self.id.map { .array([.string($0)]) } ?? .null),
                ("user", (self.gateway ?? self.networkServer).map { .string($0) } ?? .null),
                ("role", self.role.map { .string($0) } ?? .null),
                ("by", person.map { .string($0) } ?? .null),
            ]
            return try await client.post("/api/credentials", members: members).elements
        }
        for skipped in answers where skipped["problem"] != .null {
            let text = skipped[Terminal.isChinese && skipped["problem_zh"] != .null ? "problem_zh" : "problem"]
            StandardError.write("\(Terminal.isChinese ? "跳过" : "skipped"): \(text.cellText)")
        }
        let rows = answers.filter { $0["problem"] == .null }
        let columns = ["device", "user", "role", "password", "topic", "created_at", "revoked_at", "by"]
        let table = Table(columns: columns, objects: rows)
        if self.csv {
            StandardOutput.write(table.csvText)
        } else {
            table.print(asJSON: self.output.json, empty: "no account", details: ["device"])
        }
        if let toDo = rows.first?["to_do"].string { StandardError.write("note: \(toDo)") }
    }
}
