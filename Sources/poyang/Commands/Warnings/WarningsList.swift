// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct WarningsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the warnings.",
        discussion: """
              poyang warnings list --active --json
            """
    )

    @Flag(help: "Only those that have not ended.")
    var active = false
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    static let columns = [
        "number", "org", "site", "hazard", "status", "level", "state", "issued_at", "updated_at", "ended_at", "held",
        "acknowledged_by",
        "headline_zh", "headline_en", "value", "threshold",
    ]

    func run() async throws {
        let warnings = try await self.connection.withClient { client in
            try await client.get("/api/warnings", query: [("active", self.active ? "1" : nil)])
        }
        Table(columns: WarningsList.columns, objects: warnings.elements)
            .print(
                asJSON: self.output.json,
                empty: self.active ? "no active warning" : "no warning yet",
                details: ["org", "updated_at", "ended_at", "acknowledged_by", "headline_en", "value", "threshold"]
            )
    }
}
