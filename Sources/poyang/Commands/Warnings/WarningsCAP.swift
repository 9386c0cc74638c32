// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct WarningsCAP: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cap",
        abstract: "Print a warning's newest message, or all of them, as CAP 1.2.",
        discussion: """
              poyang warnings cap 2026-0007 > warning.xml
            """
    )

    @Argument(help: "The warning's number, as 'warnings list' shows it.")
    var number: String
    @Flag(help: "Every message from the first on, one XML document after another.")
    var all = false
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        try await self.connection.withClient { client in
            let warning = try await client.get("/api/warnings/\(APIClient.component(self.number))")
            let identifiers = warning["messages"].elements.compactMap { $0["identifier"].string }
            guard !identifiers.isEmpty else { throw CommandFailure("warning \(self.number) has no message yet") }
            for identifier in self.all ? identifiers[...] : identifiers.suffix(1) {
                let bytes = try await client.getBytes("/alerts/\(APIClient.component(identifier)).cap")
                let text = String(decoding: bytes, as: UTF8.self)
                StandardOutput.write(text.hasSuffix("\n") ? String(text.dropLast()) : text)
            }
        }
    }
}
