// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

struct SitesImportThresholds: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import-thresholds",
        abstract: "Register thresholds from a CSV file, with what changes row by row.",
        discussion: """
            UTF-8 with a header row. Required: site_id,hazard,level,value,valid_from,
            authority,source,confidence. Optional: name,unit,datum,window,valid_to,
            season_from,season_to; cells as in a site's file. A row of a later first day ends
            the threshold that was in force on that day; one of the same first day puts it
            right. Sites that a file declares have their thresholds there.

              poyang sites import-thresholds thresholds.csv --dry-run

            Exit code 1 when a row was refused; the others are registered all the same.
            """
    )

    @Argument(help: "The file; - reads standard input.")
    var file: String
    @Flag(help: "Only show what would change.")
    var dryRun = false
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    func run() async throws {
        let body = try InputFile.readWhole(self.file)
        let result = try await self.connection.withClient { client in
            try await client.post(
                "/api/thresholds/import",
                query: [("dry_run", self.dryRun ? "1" : nil)],
                body: body,
                type: "text/csv"
            )
        }
        try ImportVerdicts(result: result, isDryRun: self.dryRun)
            .report(
                [("row", "row"), ("site", "device"), ("verdict", "verdict"), ("difference", "difference")],
                asJSON: self.output.json
            )
    }
}
