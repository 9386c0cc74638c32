// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Telemetry

struct DevicesCalibration: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibration",
        abstract: "Write down a calibration with the values before and after, or list them.",
        discussion: """
            It is a log: readings are not changed by it. Without --metric all calibrations
            of the device are listed.

              poyang devices calibration pond-1 --metric ph --before 7.31 --after 7.02 \\
                  --reference 7.00 --by 李工
              poyang devices calibration pond-1
            """
    )

    @Argument(help: "The device's id.")
    var id: String
    @Option(help: ArgumentHelp("The metric, in whose unit the values are.", valueName: "name"))
    var metric: String?
    @Option(help: ArgumentHelp("What it showed before; below zero write --before=-1.5.", valueName: "v"))
    var before: Double?
    @Option(help: ArgumentHelp("What it showed afterwards.", valueName: "v"))
    var after: Double?
    @Option(help: ArgumentHelp("What a standard showed.", valueName: "v"))
    var reference: Double?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("When; otherwise now.", valueName: "t"),
        transform: MomentArgument.read
    )
    var at: MomentArgument?
    @Option(help: ArgumentHelp("Who calibrated it; otherwise the token's name.", valueName: "name"))
    var by: String?
    @Option(help: ArgumentHelp("A remark that is kept with it.", valueName: "text"))
    var note: String?
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    func validate() throws {
        let given = [self.metric != nil, self.before != nil, self.after != nil]
        guard given.allSatisfy({ $0 == given[0] }) else {
            throw ValidationError("a calibration has --metric, --before and --after; give all three, or none to list")
        }
    }

    func run() async throws {
        let path = "/api/devices/\(APIClient.component(self.id))/calibrations"
        let rows = try await self.connection.withClient { client -> [JSONValue] in
            guard let metric, let before, let after else { return try await client.get(path).elements }
            let members: [(String, JSONValue)] = [
                ("metric", .string(metric)), ("before", .number(before)), ("after", .number(after)),
                ("reference", self.reference.map { .number($0) } ?? .null),
                ("at", self.at.map { .string($0.time.rfc3339()) } ?? .null),
                ("by", self.by.map { .string($0) } ?? .null), ("note", self.note.map { .string($0) } ?? .null),
            ]
            return [try await client.post(path, members: members)]
        }
        let columns = [
            "time", "device", "metric", "before", "after", "change", "reference", "unit", "by", "via", "note",
        ]
        Table(columns: columns, objects: rows)
            .print(asJSON: self.output.json, empty: "'\(self.id)' has no calibration on record", details: ["via"])
    }
}
