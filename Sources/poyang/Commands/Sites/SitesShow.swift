// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct SitesShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one site with its thresholds, their validity, authority and source.",
        discussion: """
            With --json one object per threshold.

              poyang sites show xingzi
            """
    )

    @Argument(help: "The site's id.")
    var id: String
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    func run() async throws {
        let site = try await self.connection.withClient { client in
            try await client.get("/api/sites/\(APIClient.component(self.id))")
        }
        let own = [
            "site", "name_zh", "name_en", "kind", "org", "basin", "admin_code", "latitude", "longitude", "datum",
            "devices",
        ]
        let ofThreshold = [
            "hazard", "level", "name", "value", "unit", "window", "season", "valid_from", "valid_to", "authority",
            "source", "confidence",
        ]
        let thresholds = site["thresholds"].elements
        if self.output.json {
            var table = Table(columns: own + ofThreshold)
            for threshold in thresholds.isEmpty ? [.null] : thresholds {
                table.append(own.map { SitesShow.flat(site[$0]) } + ofThreshold.map { threshold[$0] })
            }
            table.print(asJSON: true, empty: "")
            return
        }
        for name in own where !site[name].cellText.isEmpty {
            StandardOutput.write("\(name.replacing("_", with: " ")): \(site[name].cellText)")
        }
        StandardOutput.write("")
        Table(columns: ofThreshold, objects: thresholds).print(asJSON: false, empty: "no threshold")
    }

    private static func flat(_ value: JSONValue) -> JSONValue {
        guard case .array = value else { return value }
        return value.elements.isEmpty ? .null : .string(value.cellText)
    }
}
