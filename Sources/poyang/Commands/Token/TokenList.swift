// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct TokenList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the tokens, without their secrets.",
        discussion: """
              poyang token list --json
            """
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    func run() async throws {
        let tokens = try await self.connection.withClient { client in try await client.get("/api/tokens") }
        Table(columns: ["id", "role", "org", "label", "created_at", "revoked_at"], objects: tokens.elements)
            .print(
                asJSON: self.output.json,
                empty: "no token; reading is open on loopback addresses only"
            )
    }
}
