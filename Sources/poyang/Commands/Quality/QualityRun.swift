// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct QualityRun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Say which stored values fail which test, and store that where told.",
        discussion: """
            The tests are those of the models and sites (qc: in their files). What comes in is
            tested as it comes; imported history is not, nor what came before its tests:

              poyang qc run --site xingzi --from 2022-06-01 --to 2022-07-01
              poyang qc run --match 'rainfall_millimeters{basin="poyang"}' --values --json
              poyang qc run --site xingzi --apply

            --apply changes flags, never values; what was stored is kept as a revision, and the
            rules see the change as they see late readings.
            """
    )

    @Option(help: ArgumentHelp("All series of a site.", valueName: "id"))
    var site: String?
    @Option(help: ArgumentHelp("Which series, by a PromQL selector; several times.", valueName: "selector"))
    var match: [String] = []
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The first moment; without it all from the beginning.", valueName: "t"),
        transform: MomentArgument.read
    )
    var from: MomentArgument?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The last moment; without it all to the end.", valueName: "t"),
        transform: MomentArgument.read
    )
    var to: MomentArgument?
    @Flag(help: "List each value that fails a test, or did.")
    var values = false
    @Flag(help: "Store the flags that differ.")
    var apply = false
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    func validate() throws {
        if self.site == nil, self.match.isEmpty { throw ValidationError("give --site ID or --match SELECTOR") }
        if let site, !site.allSatisfy({ $0.isLetter || $0.isNumber || "._:-".contains($0) }) {
            throw ValidationError("--site '\(site)' is no id; they are made of A-Z a-z 0-9 . _ : -")
        }
        if let from, let to, from.time > to.time { throw ValidationError("--from lies after --to") }
    }

    func run() async throws {
        let selectors = self.match + (self.site.map { ["{site=\"\($0)\"}"] } ?? [])
        let query: [(String, String?)] =
            selectors.map { ("match[]", $0) } + [("start", self.from?.unixSeconds), ("end", self.to?.unixSeconds)]
        let reports = try await self.connection.withClient { client in
            if self.apply {
                try await client.post("/api/qc", query: query)
            } else {
                try await client.get("/api/qc", query: query)
            }
        }
        let table = self.values ? Self.valueTable(reports.elements) : Self.table(reports.elements)
        table.print(
            asJSON: self.output.json,
            empty: self.values && !reports.elements.isEmpty
                ? "no value fails a test" : "there is no such series in that time"
        )
    }

    /// One row for each series.
    static func table(_ reports: [JSONValue]) -> Table {
        var table = Table(columns: [
            "site", "metric", "labels", "tested", "samples", "passed", "suspect", "failed", "changed", "tests",
        ])
        for report in reports {
            var counts: [String: Int] = [:]
            for value in report["values"].elements {
                if case .string(let test) = value["failed_test"] { counts[test, default: 0] += 1 }
            }
            let tests = counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
            table.append(
                ["site", "metric"].map { report[$0] } + [Self.labels(of: report)]
                    + ["tested", "samples", "passed", "suspect", "failed", "changed"].map { report[$0] }
                    + [tests.isEmpty ? .null : .string(tests)]
            )
        }
        return table
    }

    /// One row for each value that fails a test, or did.
    static func valueTable(_ reports: [JSONValue]) -> Table {
        let columns = ["time", "value", "quality", "failed_test", "failed_test_zh", "stored_quality", "stored_test"]
        var table = Table(columns: ["site", "metric", "labels"] + columns)
        for report in reports {
            for value in report["values"].elements {
                table.append([report["site"], report["metric"], Self.labels(of: report)] + columns.map { value[$0] })
            }
        }
        return table
    }

    private static func labels(of report: JSONValue) -> JSONValue {
        if case .object(let members) = report["labels"], members.isEmpty { return .null }
        return DevicesShow.flat(report["labels"])
    }
}
