// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct WarningsAck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ack",
        abstract: "Acknowledge a warning, with a note; the ledger keeps who and when.",
        discussion: """
            Who acknowledges is what the token says. A raise reopens acknowledgement.

              poyang warnings ack 2026-0007 --note '已通知值班长'
            """
    )

    @Argument(help: "The warning's number, as 'warnings list' shows it.")
    var number: String
    @Option(help: ArgumentHelp("What was done.", valueName: "text"))
    var note: String?
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        _ = try await self.connection.withClient { client in
            try await client.post(
                "/api/warnings/\(APIClient.component(self.number))/ack",
                members: [("note", self.note.map { .string($0) } ?? .null)]
            )
        }
        StandardOutput.write("acknowledged \(self.number)")
    }
}
