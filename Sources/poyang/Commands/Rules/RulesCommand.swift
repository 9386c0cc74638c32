// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct RulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules",
        abstract: "Check and test rules.",
        discussion: """
              poyang rules check Rules
              poyang rules test Rules/flood/stage.test.yaml
            """,
        subcommands: [
            RulesCheck.self, RulesTest.self,
        ]
    )
}
