// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct ClockCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clock",
        abstract: "Move the clocks of a service that runs with --clock data.",
        discussion: """
              poyang clock advance 2022-11-17T00:00+08:00
            """,
        subcommands: [ClockAdvance.self]
    )
}
