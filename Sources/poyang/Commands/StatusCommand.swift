// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show every site: normal, warned, or unknown and since when.",
        discussion: """
            A site that does not report is 'unknown', with the age of its last reading;
            one without a device is 'not_instrumented'. What the service itself does goes
            to standard error.

              poyang status --basin poyang --kind lake
            """
    )

    @Option(help: ArgumentHelp("Only sites of this org.", valueName: "org"))
    var org: String?
    @Option(help: ArgumentHelp("Only sites of this basin.", valueName: "basin"))
    var basin: String?
    @Option(help: "Only sites of this kind.")
    var kind: SiteKindArgument?
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    func run() async throws {
        let query = [("org", self.org), ("basin", self.basin), ("kind", self.kind?.rawValue)]
        let status = try await self.connection.withClient { client in
            try await client.get("/api/status", query: query)
        }
        let columns = [
            "site", "name_zh", "name_en", "kind", "org", "basin", "state", "level", "hazard", "value", "metric", "unit",
            "last_reading_at", "age_seconds", "reason", "grade", "grade_since",
        ]
        var table = Table(columns: columns + ["warnings"])
        for site in status["sites"].elements {
            let warnings = site["warnings"].elements.map(\.cellText).joined(separator: " ")
            table.append(columns.map { site[$0] } + [warnings.isEmpty ? .null : .string(warnings)])
        }
        table.print(
            asJSON: self.output.json,
            empty: "no site matches; 'poyang sites list' shows all",
            details: ["name_en", "kind", "org", "basin", "metric"]
        )
        if case .object(let service) = status["service"], !self.output.json {
            let parts = service.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.cellText)" }
            StandardError.write("service: \(parts.joined(separator: ", "))")
        }
    }
}
