// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct RulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules",
        abstract: "Check, test, try out, explain and export rules.",
        discussion: """
              poyang rules check Rules
              poyang rules test Rules/flood/stage.test.yaml
              poyang rules backtest --rules Rules/flood --from 2018-08-30 --to 2018-09-02
              poyang rules explain StageAtOrAboveThreshold --site xingzi
              poyang rules export > poyang.rules.yaml
            """,
        subcommands: [
            RulesCheck.self, RulesTest.self, RulesBacktest.self, RulesExplain.self, RulesExport.self,
        ]
    )
}
