// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import MQTTIngest
import Telemetry

/// How long it takes from a reading to the warning that it causes.
struct LatencyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "latency",
        abstract: "Measures the time from publishing a reading to the event of the feed that it causes.",
        discussion: """
            A steady stream of readings flows to `poyang serve`; now and then one crosses a threshold, and some
            readings later one falls below it again. A client on /alerts/stream takes the time of both warning
            messages. Each reading is flushed to disk before it is judged, and each message before it is shown:
            the time of a flush of this disk, as it was between the readings, stands beside.

            Example: poyang-bench latency --rate 5000 --crossings 100 --seconds 60 --json
            """
    )

    @Option(help: "Readings a second.") var rate = 5000
    @Option(help: "Crossings of a threshold a minute.") var crossings = 100
    @Option(help: "How many sites report; the shipped rules make ten of each.") var sites = 100
    @Option(help: "How long it counts.") var seconds = 60
    @Option(help: "The folder of the rules.") var rules = "Rules"
    @Option(help: "The program; by default the one beside this one.") var poyang: String?
    @Flag(help: "Print a JSON array instead of a table.") var json = false

    func validate() throws {
        guard self.rate > 0, self.sites > 0, self.seconds > 0, self.crossings > 0,
            self.rate * 60 / self.crossings / self.sites >= 2
        else { throw ValidationError("between two crossings every site must report at least twice") }
    }

    func run() throws {
        let sites = RiverSites(count: self.sites)
        try ServiceBench.run(sites, program: self.poyang, rules: self.rules) { try self.measure(sites, $0) }
    }

    private func measure(_ sites: RiverSites, _ bench: ServiceBench) throws {
        let follower = try FeedClient(port: bench.service.port)
        let flushes = try FlushTimer(in: bench.folder)
        // A site at a time, high for the first half of the steps between two crossings.
        let period = self.rate * 60 / self.crossings / self.sites
        var published: [FeedClient.Event: UInt64] = [:]
        try BulkPublisher(rate: self.rate)
            .publish(port: bench.broker.address.port, count: self.rate * self.seconds) { number in
                let (site, step) = (number % self.sites, number / self.sites)
                let crossing = step / period
                let phase = crossing * 37 % self.sites == site ? step % period : period
                let action = phase == 0 ? "issued" : phase == period / 2 ? "ended" : nil
                if let action, crossing > 0 {
                    let event = FeedClient.Event(
                        site: RiverSites.id(site),
                        time: RiverSites.time(step).rfc3339(),
                        action: action
                    )
                    published[event] = MonotonicClock.now
                }
                // 0.05 m over the lowest threshold, and 0.20 m below it, where its alert ends.
                return sites.message(site, step, millimeters: crossing > 0 && phase < period / 2 ? 17_050 : 16_800)
            }
        let arrived = try follower.events(count: published.count, timeout: .seconds(30))
        let flush = flushes.stop()
        try self.report(published, arrived, flush)
    }

    private func report(
        _ published: [FeedClient.Event: UInt64],
        _ arrived: [FeedClient.Event: UInt64],
        _ flushes: [Double]
    ) throws {
        func row(_ name: String, _ values: [Double], missing: Int) throws -> [ReportTable.Cell] {
            let sorted = values.sorted()
            guard let last = sorted.last else { throw BenchFailure("no \(name)") }
            let quantiles = [0.5, 0.95, 0.99]
                .map { ReportTable.Cell.number(sorted[Int($0 * Double(sorted.count - 1))], 2) }
            return [.text(name), .number(Double(sorted.count), 0), .number(Double(missing), 0)] + quantiles
                + [.number(last, 2)]
        }
        var rows: [[ReportTable.Cell]] = []
        for action in ["issued", "ended"] {
            let wanted = published.filter { $0.key.action == action }
            let values = wanted.compactMap { event, began in arrived[event].map { Double($0 - began) / 1e6 } }
            rows.append(try row(action, values, missing: wanted.count - values.count))
        }
        rows.append(try row("flush", flushes, missing: 0))
        let table = ReportTable(
            columns: ["what", "count", "missing", "p50_ms", "p95_ms", "p99_ms", "max_ms"],
            rows: rows
        )
        print(self.json ? try table.json() : table.text)
    }
}
