// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

struct DevicesRetire: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retire",
        abstract: "Take a device out of use; its series and its history stay.",
        discussion: """
            What it publishes afterwards is quarantined as unknown_device. A device that a
            file declares is taken out there.

              poyang devices retire field7-soil --by 李工
            """
    )

    @Argument(help: "The device's id.")
    var id: String
    @Option(help: ArgumentHelp("Who takes it away; otherwise the name of the token or login.", valueName: "name"))
    var by: String?
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let person = self.by ?? self.connection.login
        let query = person.map { "?by=\(APIClient.component($0))" } ?? ""
        try await self.connection.withClient { client in
            try await client.delete("/api/devices/\(APIClient.component(self.id))\(query)")
        }
        StandardOutput.write("retired \(self.id)")
    }
}
