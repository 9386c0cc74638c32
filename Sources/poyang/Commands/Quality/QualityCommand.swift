// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct QualityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "qc",
        abstract: "Test stored values for plausibility, after QARTOD.",
        discussion: """
              poyang qc run --site xingzi --from 2022-06-01 --to 2022-07-01
            """,
        subcommands: [QualityRun.self]
    )
}
