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
            let isChinese = Terminal.isChinese
            if plan.isEmpty {
                StandardOutput.write(
                    isChinese ? "设备、站点、区域和型号均无变化" : "no difference in devices, sites, areas and models"
                )
            }
            let (sites, devices, rules) = (
                result["sites"].cellText, result["devices"].cellText, result["rules"].cellText
            )
            StandardOutput.write(
                isChinese
                    ? "\(self.dryRun ? "试运行，未生效" : "已生效")：站点 \(sites)，设备 \(devices)，规则 \(rules)"
                    : "\(self.dryRun ? "would be" : "applied"): \(sites) sites, \(devices) devices, \(rules) rules"
            )
        }
    }
}
