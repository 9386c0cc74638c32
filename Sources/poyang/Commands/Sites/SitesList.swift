// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct SitesList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the sites.",
        discussion: """
              poyang sites list --kind lake --json
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
        let sites = try await self.connection.withClient { client in try await client.get("/api/sites") }
        let shown = sites.elements.filter { site in
            (self.org == nil || site["org"].string == self.org)
                && (self.basin == nil || site["basin"].string == self.basin)
                && (self.kind == nil || site["kind"].string == self.kind?.rawValue)
        }
        let columns = [
            "site", "name_zh", "name_en", "kind", "org", "basin", "admin_code", "latitude", "longitude", "datum",
        ]
        var table = Table(columns: columns + ["devices"])
        for site in shown {
            let devices = site["devices"].cellText
            table.append(columns.map { site[$0] } + [devices == "[]" || devices.isEmpty ? .null : .string(devices)])
        }
        table.print(asJSON: self.output.json, empty: "no site; Devices/sites/ holds their files")
    }
}

/// What a site is; the words of the site files.
enum SiteKindArgument: String, CaseIterable, ExpressibleByArgument {
    case field
    case river
    case lake
    case reservoir
    case rain
    case pond
}
