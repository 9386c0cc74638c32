// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct DevicesApply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Let the running service read its device and rule files again.",
        discussion: """
            All files are checked first; where one is wrong nothing is changed and every
            problem is printed with its place. The same as SIGHUP.

              poyang devices apply
            """
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    func run() async throws {
        let result = try await self.connection.withClient { client in try await client.post("/api/reload") }
        if self.output.json {
            Table(columns: ["sites", "devices", "rules"], objects: [result]).print(asJSON: true, empty: "")
        } else {
            StandardOutput.write(
                "applied: \(result["sites"].cellText) sites, \(result["devices"].cellText) devices, "
                    + "\(result["rules"].cellText) rules"
            )
        }
    }
}
