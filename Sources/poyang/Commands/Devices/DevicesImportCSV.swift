// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

struct DevicesImportCSV: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import-csv",
        abstract: "Register devices from a CSV file, row by row with a verdict each.",
        discussion: """
            UTF-8 with a header row. Required: device_id,model,site_id. Optional:
            site_name,kind,latitude,longitude,org, basin,datum,interval,name,address
            (DevEUI, SL 651 address or MN),zero_elevation_m,mount_height_m. A site that is
            not known is created when site_name and kind are given. The Things Stack's ';'
            file is taken as it is.

              poyang devices import-csv devices.csv --dry-run

            Exit code 1 when a row was refused; the other rows are registered all the
            same.
            """
    )

    @Argument(help: "The file; - reads standard input.")
    var file: String
    @Flag(help: "Only check; register nothing.")
    var dryRun = false
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    func run() async throws {
        let body = try InputFile.readWhole(self.file)
        let result = try await self.connection.withClient(creating: true) { client in
            try await client.post(
                "/api/devices/import",
                query: [("dry_run", self.dryRun ? "1" : nil)],
                body: body,
                type: "text/csv"
            )
        }
        try ImportVerdicts(result: result, isDryRun: self.dryRun)
            .report([("row", "row"), ("device", "device"), ("verdict", "verdict")], asJSON: self.output.json)
    }
}
