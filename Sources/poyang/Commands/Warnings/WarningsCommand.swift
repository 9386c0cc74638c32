// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct WarningsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "warnings",
        abstract: "See, follow and acknowledge warnings.",
        discussion: """
              poyang warnings list --active
              poyang warnings ack 2026-0007 --note '已通知值班长'
              poyang warnings watch --json
            """,
        subcommands: [WarningsList.self, WarningsShow.self, WarningsCAP.self, WarningsWatch.self, WarningsAck.self]
    )
}
