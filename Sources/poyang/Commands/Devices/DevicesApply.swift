// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct DevicesApply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Read the device and rule files again: print what changes, then do it.",
        discussion: """
            All files are checked first; where one is wrong nothing is changed and every
            problem is printed with its place. The plan reads like a diff: + new, ~ changed,
            - gone. Without --dry-run it is put in force, as by SIGHUP.

              poyang devices apply --dry-run
              poyang devices apply
            """
    )

    @Flag(help: "Only print the plan.")
    var dryRun = false
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    func run() async throws {
        let result = try await self.connection.withClient { client in
            try await client.post("/api/reload", query: [("dry_run", self.dryRun ? "1" : nil)])
        }
        let plan = result["plan"].elements
        if self.output.json {
            Table(columns: ["action", "kind", "id", "what"], objects: plan).print(asJSON: true, empty: "")
        } else {
            for change in plan {
                let cells = ["action", "kind", "id"].map { change[$0].cellText }.joined(separator: " ")
                StandardOutput.write("\(cells): \(change["what"].cellText)")
            }
            if plan.isEmpty { StandardOutput.write("no difference in devices, sites, areas and models") }
            StandardOutput.write(
                "\(self.dryRun ? "would be" : "applied"): \(result["sites"].cellText) sites, \(result["devices"].cellText) devices, "
                    + "\(result["rules"].cellText) rules"
            )
        }
    }
}
