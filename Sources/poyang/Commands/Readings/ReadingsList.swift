// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct ReadingsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the newest readings that people entered, with what they replaced.",
        discussion: """
              poyang readings list --site xingzi --limit 20
            """
    )

    @Option(help: ArgumentHelp("Only readings of this site.", valueName: "id"))
    var site: String?
    @Option(help: ArgumentHelp("How many at most.", valueName: "n"))
    var limit = 100
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    func run() async throws {
        let readings = try await self.connection.withClient { client in
            try await client.get("/api/readings", query: [("site", self.site), ("limit", String(self.limit))])
        }
        Self.table(readings.elements).print(asJSON: self.output.json, empty: "nobody has entered a reading")
    }

    static func table(_ readings: [JSONValue]) -> Table {
        let columns = [
            "time", "site", "metric", "labels", "value", "unit", "by", "via", "entered_at", "outcome", "replaced_value",
            "replaced_method", "note",
        ]
        var table = Table(columns: columns)
        for reading in readings {
            table.append(
                columns.map { column in
                    if case .object(let members) = reading[column], members.isEmpty { return .null }
                    return column == "labels" ? DevicesShow.flat(reading[column]) : reading[column]
                }
            )
        }
        return table
    }
}
