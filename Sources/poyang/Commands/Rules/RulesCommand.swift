// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct RulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules",
        abstract: "Check and test rule files, without a service.",
        discussion: """
              poyang rules check Rules
              poyang rules test Rules/flood/lake.test.yaml
            """,
        subcommands: [RulesCheck.self, RulesTest.self]
    )
}
