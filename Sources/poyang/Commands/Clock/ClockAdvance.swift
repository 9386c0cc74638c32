// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Telemetry

struct ClockAdvance: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "advance",
        abstract: "Advance the data clock of one site or of all, and fire what is due.",
        discussion: """
            For 'serve --clock data' only. A clock never goes back. What happens when a
            gauge falls silent for an hour:

              poyang clock advance 2018-09-01T09:00+08:00 --site usgs-01581752
            """
    )

    @Argument(help: "The moment: RFC 3339, a date, or Unix seconds.", transform: MomentArgument.read)
    var to: MomentArgument
    @Option(help: ArgumentHelp("Only this site's clock.", valueName: "id"))
    var site: String?
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        _ = try await self.connection.withClient { client in
            try await client.post(
                "/api/clock/advance",
                members: [("to", .string(self.to.time.rfc3339())), ("site", self.site.map { .string($0) } ?? .null)]
            )
        }
        StandardOutput.write("advanced \(self.site ?? "every site") to \(self.to.time)")
    }
}
