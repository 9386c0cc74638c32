// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct DevicesList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the registered devices and their states.",
        discussion: """
            waiting: nothing has come yet; reporting; silent: longer without a reading
            than its schedule allows; maintenance: work is done on it.

              poyang devices list --state silent
            """
    )

    @Option(
        help: ArgumentHelp("Only devices in this state: waiting, reporting, silent or maintenance.", valueName: "state")
    )
    var state: String?
    @Option(help: ArgumentHelp("Only devices at this site.", valueName: "id"))
    var site: String?
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    func run() async throws {
        let devices = try await self.connection.withClient { client in try await client.get("/api/devices") }
        let shown = devices.elements.filter { device in
            (self.state == nil || device["state"].string == self.state)
                && (self.site == nil || device["site"].string == self.site)
        }
        let columns = [
            "device", "name", "model", "site", "source", "test", "state", "maintenance_until", "last_seen",
        ]
        Table(columns: columns, objects: shown)
            .print(
                asJSON: self.output.json,
                empty: "no device; register some with 'poyang devices import-csv FILE'"
            )
    }
}
