// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct QuarantineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine",
        abstract: "See what was refused, and why, and take it in again.",
        discussion: """
              poyang quarantine list
              poyang quarantine show 12
              poyang quarantine retry 12
            """,
        subcommands: [QuarantineList.self, QuarantineShow.self, QuarantineRetry.self]
    )
}
