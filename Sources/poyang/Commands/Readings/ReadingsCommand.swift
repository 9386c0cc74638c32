// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct ReadingsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "readings",
        abstract: "Enter what somebody read by hand, and see who entered what.",
        discussion: """
              poyang readings add xingzi water_level_meters 19.07 --at -10m --by 王工
              poyang readings list --site xingzi
            """,
        subcommands: [ReadingsAdd.self, ReadingsList.self]
    )
}
