// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Telemetry

struct ReadingsAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Enter a reading by hand (人工置数).",
        discussion: """
            It is stored with the method 'manual' and judged by the rules at once: it ends
            'unknown', raises and lowers as a sensor's reading does. The value is in the
            metric's own unit and, for a level, in the site's datum.

              poyang readings add xingzi water_level_meters 19.07 --at 2022-06-21T16:00 --by 王工

            Where another value is stored at that time, --correct puts the new one in its
            place; 'readings list' and the store keep the original. A value below zero
            goes behind two dashes:

              poyang readings add --at now --by 王工 hukou discharge_cubic_meters_per_second -- -1200
            """
    )

    @Argument(help: "The site's id.")
    var site: String
    @Argument(help: "The metric, such as water_level_meters.")
    var metric: String
    @Argument(help: "The value.")
    var value: Double
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("When it was read: RFC 3339, a date with time (+08:00), now, -10m.", valueName: "t"),
        transform: MomentArgument.read
    )
    var at: MomentArgument
    @Option(help: ArgumentHelp("Who read it.", valueName: "name"))
    var by: String
    @Option(help: ArgumentHelp("A label of the series, such as depth=20cm; several times.", valueName: "name=value"))
    var label: [String] = []
    @Option(help: ArgumentHelp("A remark that is kept with it.", valueName: "text"))
    var note: String?
    @Flag(help: "Replace another value of that time; the original is kept.")
    var correct = false
    @Flag(help: "Take a value beyond what the device here can report.")
    var force = false
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    func validate() throws {
        guard self.value.isFinite else {
            throw ValidationError("the value '\(self.value)' is no number that can be stored; give one such as 19.07")
        }
        for pair in self.label where !pair.contains("=") {
            throw ValidationError("--label '\(pair)' should be name=value, such as depth=20cm")
        }
    }

    func run() async throws {
        var labels: [String: JSONValue] = [:]
        for pair in self.label {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            labels[String(parts[0])] = .string(String(parts[1]))
        }
        let members: [(String, JSONValue)] = [
            ("site", .string(self.site)), ("metric", .string(self.metric)), ("value", .number(self.value)),
            ("at", .string(self.at.time.rfc3339())), ("by", .string(self.by)), ("labels", .object(labels)),
            ("note", self.note.map { .string($0) } ?? .null), ("correct", .bool(self.correct)),
            ("force", .bool(self.force)),
        ]
        let report = try await self.connection.withClient { client in
            try await client.post("/api/readings", members: members)
        }
        if self.output.json {
            ReadingsList.table([report]).print(asJSON: true, empty: "")
            return
        }
        let unit = report["unit"].cellText
        let value = report["value"].cellText + (unit.isEmpty ? "" : " " + unit)
        let replaced = report["replaced_value"].isNull ? "" : " (was \(report["replaced_value"].cellText))"
        StandardOutput.write(
            "\(report["outcome"].cellText): \(self.site) \(self.metric) \(value)\(replaced) at \(report["time"].cellText)"
        )
    }
}
