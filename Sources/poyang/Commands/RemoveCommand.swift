// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct RemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove stored samples, for good.",
        discussion: """
            What a broken sensor sent goes; warnings, and the ledger of who knew what when,
            stay as they are. See first how many series are meant:

              poyang remove --match 'water_level_meters{site="xingzi"}' \\
                --from 2022-06-21T16:00 --to 2022-06-21T18:00 --dry-run
            """
    )

    @Option(help: ArgumentHelp("Which series.", valueName: "selector"))
    var match: [String]
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The first moment that goes.", valueName: "t"),
        transform: MomentArgument.read
    )
    var from: MomentArgument?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The last moment that goes.", valueName: "t"),
        transform: MomentArgument.read
    )
    var to: MomentArgument?
    @Flag(help: "Remove whole series: neither --from nor --to is given.")
    var all = false
    @Flag(help: "Only say how many series would lose samples.")
    var dryRun = false
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        if self.match.isEmpty { throw ValidationError("give at least one --match SELECTOR") }
        if let from, let to, from.time > to.time { throw ValidationError("--from lies after --to") }
        let isBounded = self.from != nil || self.to != nil
        if self.all == isBounded { throw ValidationError("give --from or --to (or both), or --all for whole series") }
    }

    func run() async throws {
        let query: [(String, String?)] =
            self.match.map { ("match[]", $0) } + [
                ("start", self.from?.unixSeconds), ("end", self.to?.unixSeconds),
                ("dry_run", self.dryRun ? "true" : nil),
            ]
        let report = try await self.connection.withClient { client in
            try await client.post("/api/v1/admin/tsdb/delete_series", query: query)
        }
        let series = report["series"].integer ?? 0
        if self.dryRun {
            StandardOutput.write("\(series) series have samples there")
        } else {
            StandardOutput.write("removed \(report["samples"].integer ?? 0) samples of \(series) series")
        }
    }
}
