// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct QuarantineList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the newest refused payloads with their reasons.",
        discussion: """
              poyang quarantine list --device field7-soil --limit 20
            """
    )

    @Option(help: ArgumentHelp("How many at most.", valueName: "n"))
    var limit = 100
    @Option(help: ArgumentHelp("Only payloads of this device.", valueName: "id"))
    var device: String?
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    func run() async throws {
        let entries = try await self.connection.withClient { client in
            try await client.get("/api/quarantine", query: [("limit", String(self.limit)), ("device", self.device)])
        }
        let shown = entries.elements.filter { self.device == nil || $0["device"].string == self.device }
        let columns = ["id", "received_at", "device", "topic", "length", "reasons", "detail"]
        var table = Table(columns: self.output.json ? columns + ["sha256", "payload", "payload_hex"] : columns)
        for entry in shown {
            table.append(
                table.columns.map { column in
                    column == "reasons" ? .string(entry[column].cellText) : entry[column]
                }
            )
        }
        table.print(asJSON: self.output.json, empty: "nothing was refused")
    }
}
