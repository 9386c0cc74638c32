// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Telemetry

struct QueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query",
        abstract: "Ask the series with PromQL, at one moment or over a range.",
        discussion: """
            Times are RFC 3339, dates (read at +08:00), Unix seconds or 'now'; spans are
            written 5m, 1h, 1d.

              poyang query 'water_level_meters{site="xingzi"}' --at 2022-06-21T16:00+08:00
              poyang query 'max by (site) (water_level_meters)' --from 2022-06-01 --to 2022-11-18 --step 1d --csv
            """
    )

    @Argument(help: "The expression.")
    var expression: String
    @Option(help: ArgumentHelp("The moment (default: now).", valueName: "time"))
    var at: MomentArgument?
    @Option(help: ArgumentHelp("The first moment of a range.", valueName: "time"))
    var from: MomentArgument?
    @Option(help: ArgumentHelp("The last moment of a range (default: now).", valueName: "time"))
    var to: MomentArgument?
    @Option(help: ArgumentHelp("The distance between two moments of a range.", valueName: "span"))
    var step: SpanArgument?
    @Flag(help: "Print CSV.")
    var csv = false
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    func validate() throws {
        if self.at != nil, self.from != nil { throw ValidationError("--at and --from exclude each other") }
        if self.from == nil, self.to != nil || self.step != nil {
            throw ValidationError("--to and --step need --from")
        }
        if let step = self.step, step.milliseconds <= 0 { throw ValidationError("--step must be longer than zero") }
        if self.csv, self.output.json { throw ValidationError("--csv and --json exclude each other") }
    }

    func run() async throws {
        let answer = try await self.connection.withClient { client in
            guard let from = self.from else {
                return try await client.postForm(
                    "/api/v1/query",
                    [("query", self.expression), ("time", self.at?.unixSeconds)]
                )
            }
            let to = self.to ?? MomentArgument(argument: "now") ?? from
            let step = self.step?.milliseconds ?? QueryCommand.step(from: from.time, to: to.time)
            return try await client.postForm(
                "/api/v1/query_range",
                [
                    ("query", self.expression), ("start", from.unixSeconds), ("end", to.unixSeconds),
                    ("step", String(Double(step) / 1000)),
                ]
            )
        }
        for warning in answer["warnings"].elements { StandardError.write("warning: \(warning.cellText)") }
        let table = QueryResult.table(of: answer["data"])
        if self.csv {
            StandardOutput.write(table.csvText)
        } else {
            table.print(asJSON: self.output.json, empty: "no series matches at that time")
        }
    }

    /// About 200 steps, in whole seconds.
    static func step(from: Timestamp, to: Timestamp) -> Milliseconds {
        max(.second, (to - from) / 200 / .second * .second)
    }
}

/// The answer of the query interface as a table: the labels in the order of their names, then time and value.
enum QueryResult {
    static func table(of data: JSONValue) -> Table {
        guard data["resultType"].string != "scalar", data["resultType"].string != "string" else {
            var table = Table(columns: ["time", "value"])
            table.append(self.point(data["result"]))
            return table
        }
        var names: Set<String> = []
        for series in data["result"].elements {
            if case .object(let labels) = series["metric"] { names.formUnion(labels.keys) }
        }
        let metric = names.remove("__name__") == nil ? [] : ["__name__"]
        let columns = metric + names.sorted()
        var table = Table(columns: columns.map { $0 == "__name__" ? "metric" : $0 } + ["time", "value"])
        for series in data["result"].elements {
            let labels = columns.map { series["metric"][$0] }
            let points = series["values"].isNull ? [series["value"]] : series["values"].elements
            for point in points { table.append(labels + self.point(point)) }
        }
        return table
    }

    /// `[seconds, "value"]` as time and number; NaN and infinities stay text, which JSON has no number for.
    private static func point(_ point: JSONValue) -> [JSONValue] {
        let parts = point.elements
        guard parts.count == 2, let seconds = parts[0].double else { return [.null, .null] }
        let time = Timestamp(milliseconds: Int64((seconds * 1000).rounded()))
        let text = parts[1].cellText
        if let whole = Int64(text) { return [.string(time.rfc3339()), .integer(whole)] }
        guard let number = Double(text), number.isFinite else { return [.string(time.rfc3339()), .string(text)] }
        return [.string(time.rfc3339()), .number(number)]
    }
}
