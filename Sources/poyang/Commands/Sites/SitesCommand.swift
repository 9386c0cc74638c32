// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct SitesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sites",
        abstract: "The places that are watched, with their datum and thresholds.",
        discussion: """
            What is 星子 warned by, and on whose authority:

              poyang sites show xingzi
            """,
        subcommands: [SitesList.self, SitesShow.self, SitesImportThresholds.self]
    )
}
