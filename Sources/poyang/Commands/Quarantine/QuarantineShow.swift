// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct QuarantineShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one refused payload whole: what is wrong with it, and its text.",
        discussion: """
            Of a long one the first 64 KiB are kept. Bytes that are no text are printed in
            hexadecimal digits; with --json they are in payload_hex.

              poyang quarantine show 12
            """
    )

    @Argument(help: "The number that 'quarantine list' shows.")
    var id: Int64
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    func run() async throws {
        let entry = try await self.connection.withClient { client in
            try await client.get("/api/quarantine/\(self.id)")
        }
        let columns = ["id", "received_at", "device", "topic", "length", "sha256", "reasons", "detail"]
        var table = Table(columns: columns + ["payload", "payload_hex"])
        table.append(table.columns.map { $0 == "reasons" ? .string(entry[$0].cellText) : entry[$0] })
        if self.output.json {
            table.print(asJSON: true, empty: "")
            return
        }
        for name in columns where !entry[name].cellText.isEmpty {
            StandardOutput.write("\(name.replacing("_", with: " ")): \(entry[name].cellText)")
        }
        StandardOutput.write("")
        StandardOutput.write((entry["payload_hex"].string ?? entry["payload"].string) ?? "")
    }
}
