// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct TokenRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Take a token away, at once.",
        discussion: """
              poyang token revoke 3
            """
    )

    @Argument(help: "The number that 'token list' shows.")
    var id: String
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        try await self.connection.withClient { client in
            try await client.delete("/api/tokens/\(APIClient.component(self.id))")
        }
        StandardOutput.write("revoked \(self.id)")
    }
}
