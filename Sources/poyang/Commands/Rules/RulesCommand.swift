// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct RulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules",
        abstract: "Check, test and export rules.",
        discussion: """
              poyang rules check Rules
              poyang rules test Rules/flood/stage.test.yaml
              poyang rules export > poyang.rules.yaml
            """,
        subcommands: [
            RulesCheck.self, RulesTest.self, RulesExport.self,
        ]
    )
}
