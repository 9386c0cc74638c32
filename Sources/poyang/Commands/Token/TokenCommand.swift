// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Give and take access to the HTTP interface.",
        discussion: """
            A token for the duty desk of one office, shown once:

              poyang token create --role duty --org poyang-flood-office
            """,
        subcommands: [TokenCreate.self, TokenList.self, TokenRevoke.self]
    )
}
