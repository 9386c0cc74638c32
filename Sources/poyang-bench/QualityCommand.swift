// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import DeviceCatalog
import Foundation
import StrictYAML
import Telemetry

/// The way of a reading to its series, with and without tests of quality.
struct QualityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quality",
        abstract: "Resolves readings in memory, on one core, with and without tests of quality.",
        discussion: "Example: poyang-bench quality --readings 2000000 --json"
    )

    @Option(help: "How many readings of each kind.") var readings = 1_000_000
    @Option(help: "Of how many series.") var series = 2000
    @Flag(help: "Print a JSON array instead of a table.") var json = false

    func run() throws {
        let tests = [
            ("none", ""),
            ("range_and_rate", "gross_range: { min: -5, max: 90 }, rate_of_change: { limit: 1, per: 5m }"),
            (
                "all_of_one_series",
                "gross_range: { min: -5, max: 90 }, rate_of_change: { limit: 1, per: 5m }, spike: 0.3, "
                    + "flat_line: { for: 12h }, gap: 1h, climatology: [{ months: [6, 7], min: 0, max: 80 }]"
            ),
        ]
        var rows: [[ReportTable.Cell]] = []
        var bare = 0.0
        for (name, parameters) in tests {
            let nanoseconds = try self.measure(parameters)
            if parameters.isEmpty { bare = nanoseconds }
            rows.append([.text(name), .number(nanoseconds, 1), .number(nanoseconds - bare, 1)])
        }
        let table = ReportTable(columns: ["tests", "nanoseconds_per_reading", "of_which_tests"], rows: rows)
        print(self.json ? try table.json() : table.text)
    }

    /// Nanoseconds of each reading; messages of one reading, batches of 2,000, a store that shows nothing.
    private func measure(_ tests: String) throws -> Double {
        let qc = tests.isEmpty ? "" : ", qc: { \(tests) }"
        let model = "channels: { water_level_meters: { key: level, min: -5, max: 100\(qc) } }\nreport: { every: 5m }\n"
        var sources = [SourceText(path: "Devices/models/bench/river.yaml", text: model)]
        for number in 0..<self.series {
            let site = "river-\(number)"
            let text = "site: \(site)\nname: \(site)\nkind: river\ndevices: [{ id: \(site)-1, model: bench/river }]\n"
            sources.append(SourceText(path: "Devices/sites/bench/\(site).yaml", text: text))
        }
        let catalog = try Catalog(files: CatalogFiles.parse(sources))
        let resolver = CatalogResolver(catalog: catalog, history: EmptyHistory())
        let devices = (0..<self.series).map { "river-\($0)-1" }
        var batch: [ResolvedReading] = []
        batch.reserveCapacity(4096)
        var flags = 0
        let start = Timestamp(milliseconds: 1_767_225_600_000)
        func feed(_ numbers: Range<Int>) {
            for number in numbers {
                let (series, step) = (number % self.series, number / self.series)
                let time = start + Milliseconds(step) * 5 * .minute
                let value = 10 + Double((step * 7 + series) % 40) / 100
                let reading = Reading(key: "level", value: value, time: time)
                _ = resolver.resolve(device: devices[series], readings: [reading], receivedAt: time, into: &batch)
                if batch.count >= 2000 {
                    flags += batch.count { $0.sample.mark.quality == .pass }
                    batch.removeAll(keepingCapacity: true)
                }
            }
        }
        feed(0..<self.series * 10)
        let began = MonotonicClock.now
        feed(self.series * 10..<self.series * 10 + self.readings)
        let spent = Double(MonotonicClock.now - began)
        guard tests.isEmpty == (flags == 0) else { throw BenchFailure("\(flags) readings passed their tests") }
        return spent / Double(self.readings)
    }
}

/// A store without samples.
private struct EmptyHistory: SeriesReader {
    func select(_ request: SelectRequest) -> [SeriesColumns] { [] }
    func series(matching matchers: [LabelMatcher], after: Timestamp, through: Timestamp) -> [Labels] { [] }
}
