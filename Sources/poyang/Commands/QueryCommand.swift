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
            Times are RFC 3339, '2022-06-21 16:00' (read at +08:00), Unix seconds, 'now' or
            relative to now, as in -6h; spans are written 5m, 1h, 1d. A range without --step
            has about 250 moments. --plot draws: lines over a range, bars at one moment.

              poyang query 'water_level_meters{site="xingzi"}' --at 2022-06-21T16:00+08:00
              poyang query 'max by (site) (water_level_meters)' --from 2022-06-01 --to 2022-11-18 --step 1d --csv
              poyang query water_level_meters --from -7d --plot
            """
    )

    @Argument(help: "The expression.", completion: .custom(QueryCompletion.candidates))
    var expression: String
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The moment (default: now).", valueName: "time"),
        transform: MomentArgument.read
    )
    var at: MomentArgument?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The first moment of a range.", valueName: "time"),
        transform: MomentArgument.read
    )
    var from: MomentArgument?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The last moment of a range (default: now).", valueName: "time"),
        transform: MomentArgument.read
    )
    var to: MomentArgument?
    @Option(help: ArgumentHelp("The distance between two moments of a range.", valueName: "span"))
    var step: SpanArgument?
    @Flag(help: "Print CSV.")
    var csv = false
    @Flag(help: "Draw a chart.")
    var plot = false
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    func validate() throws {
        if self.at != nil, self.from != nil { throw ValidationError("--at and --from exclude each other") }
        if self.from == nil, self.to != nil || self.step != nil {
            throw ValidationError("--to and --step need --from")
        }
        if let from = self.from, let to = self.to, to.time < from.time {
            throw ValidationError("--to is \(to.time), before --from, \(from.time)")
        }
        if let step = self.step, step.milliseconds <= 0 { throw ValidationError("--step must be longer than zero") }
        if [self.csv, self.output.json, self.plot].count(where: { $0 }) > 1 {
            throw ValidationError("--csv, --json and --plot exclude each other")
        }
    }

    func run() async throws {
        let clock = ContinuousClock()
        let start = clock.now
        let range = self.range()
        let answer: JSONValue
        do {
            answer = try await self.connection.withClient { client in try await self.ask(client, range) }
        } catch let failure as CommandFailure {
            throw self.explained(failure)
        }
        for warning in answer["warnings"].elements { StandardError.write("warning: \(warning.cellText)") }
        for info in answer["infos"].elements { StandardError.write("info: \(info.cellText)") }
        let data = answer["data"]
        self.show(data, range)
        if StandardError.isTerminal {
            let milliseconds = Int(((clock.now - start) / .milliseconds(1)).rounded())
            StandardError.write("\(data["result"].elements.count) series in \(milliseconds) ms")
        }
    }

    private func range() -> QueryRange? {
        guard let from = self.from else { return nil }
        let to = self.to ?? .now
        let step = self.step?.milliseconds ?? QueryStep.fitting(from: from.time, to: to.time)
        return QueryRange(from: from, to: to, step: step)
    }

    private func ask(_ client: APIClient, _ range: QueryRange?) async throws -> JSONValue {
        guard let range else {
            return try await client.postForm(
                "/api/v1/query",
                [("query", self.expression), ("time", self.at?.unixSeconds)]
            )
        }
        return try await client.postForm(
            "/api/v1/query_range",
            [
                ("query", self.expression), ("start", range.from.unixSeconds), ("end", range.to.unixSeconds),
                ("step", String(Double(range.step) / 1000)),
            ]
        )
    }

    private func show(_ data: JSONValue, _ range: QueryRange?) {
        if self.plot, let chart = self.chart(of: data, range) {
            StandardOutput.write(chart)
            return
        }
        let table = QueryResult.table(of: data)
        if self.csv {
            StandardOutput.write(table.csvText)
        } else {
            table.print(asJSON: self.output.json, empty: "no series matches at that time")
        }
    }

    /// Nil where there is nothing to draw: one number, a text, no series.
    private func chart(of data: JSONValue, _ range: QueryRange?) -> String? {
        let kind = data["resultType"].string
        guard kind == "vector" || kind == "matrix" else { return nil }
        let series = PlotSeries.all(of: data)
        let times = series.lazy.flatMap(\.points).map(\.time)
        guard let first = times.min(), let last = times.max() else { return nil }
        let unit = PlotUnit(ofQuery: self.expression)
        let terminal = Terminal.current()
        if kind == "vector" { return BarChart(series: series, unit: unit, terminal: terminal).text }
        return LineChart(
            series: series,
            from: range?.from.time ?? first,
            through: range?.to.time ?? last,
            step: range?.step ?? PlotSeries.usualDistance(series),
            unit: unit,
            terminal: terminal
        )
        .text
    }

    /// An error that names a place in the query, with that place shown.
    private func explained(_ failure: CommandFailure) -> CommandFailure {
        guard let fault = QueryFault(failure.message) else { return failure }
        return CommandFailure(fault.text(in: self.expression, width: Terminal.current().width))
    }
}

/// What a range query asks for.
private struct QueryRange {
    let from: MomentArgument
    let to: MomentArgument
    let step: Milliseconds
}
