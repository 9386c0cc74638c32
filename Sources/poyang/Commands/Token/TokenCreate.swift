// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct TokenCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create a token; it is printed once and kept only as a hash.",
        discussion: """
            viewer reads its org; duty also acknowledges; device-admin registers devices;
            writer imports samples; admin does everything. As soon as one token exists,
            reading needs one too.

              poyang token create --role viewer --org yunshang-gannong
            """
    )

    enum Role: String, CaseIterable, ExpressibleByArgument {
        case viewer
        case duty
        case deviceAdmin = "device-admin"
        case writer
        case admin
    }

    @Option(help: "What it may do.")
    var role: Role
    @Option(help: ArgumentHelp("The org it is bound to.", valueName: "org"))
    var org: String?
    @Option(help: ArgumentHelp("Whose it is; the ledger shows it.", valueName: "text"))
    var label: String?
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    func run() async throws {
        let created = try await self.connection.withClient(creating: true) { client in
            try await client.post(
                "/api/tokens",
                members: [
                    ("role", .string(self.role.rawValue)), ("org", self.org.map { .string($0) } ?? .null),
                    ("label", self.label.map { .string($0) } ?? .null),
                ]
            )
        }
        if self.output.json {
            Table(columns: ["id", "role", "org", "label", "token"], objects: [created]).print(asJSON: true, empty: "")
        } else {
            StandardError.write("token \(created["id"].cellText), shown this once:")
            StandardOutput.write(created["token"].cellText)
        }
    }
}
