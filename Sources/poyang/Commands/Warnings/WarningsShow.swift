// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct WarningsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one warning: its messages, and who knew what when.",
        discussion: """
            With --json one object per ledger entry.

              poyang warnings show 2026-0007
            """
    )

    @Argument(help: "The warning's number, as 'warnings list' shows it.")
    var number: String
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    func run() async throws {
        let warning = try await self.connection.withClient { client in
            try await client.get("/api/warnings/\(APIClient.component(self.number))")
        }
        let ledger = WarningsShow.table(of: warning["ledger"].elements)
        if self.output.json {
            ledger.print(asJSON: true, empty: "")
            return
        }
        for name in WarningsList.columns where !warning[name].cellText.isEmpty {
            StandardOutput.write("\(name.replacing("_", with: " ")): \(warning[name].cellText)")
        }
        StandardOutput.write("\nmessages")
        WarningsShow.table(of: warning["messages"].elements).print(asJSON: false, empty: "none")
        StandardOutput.write("\nledger")
        ledger.print(asJSON: false, empty: "none")
    }

    /// A table with every member that some object has and that is no object itself, in the order of the names,
    /// times first.
    private static func table(of objects: [JSONValue]) -> Table {
        var names: Set<String> = []
        for case .object(let members) in objects {
            for (name, value) in members {
                if case .object = value { continue }
                names.insert(name)
            }
        }
        let first = ["sequence", "time", "at", "sent", "action", "event", "kind", "identifier"].filter(names.contains)
        return Table(columns: first + names.subtracting(first).sorted(), objects: objects)
    }
}
