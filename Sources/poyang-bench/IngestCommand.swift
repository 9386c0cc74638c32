// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import MQTTIngest

/// The whole way of a reading beside a client that does nothing.
struct IngestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingest",
        abstract: "Measures the service beside a discarding client: same broker, same run, QoS 1.",
        discussion: """
            In every round the same number of messages is published at full speed twice: to a client that
            counts and drops them on libmosquitto's plain loop, and to `poyang serve` with the given rules,
            until the last one is committed and judged. Every site has a threshold for each level of the
            ladder and of the rise, so that the rules of both match at every reading.

            Example: poyang-bench ingest --rules Rules --rounds 3 --json
            """
    )

    @Option(help: "Messages of each measurement.") var messages = 300_000
    @Option(help: "How many sites report.") var sites = 2000
    @Option(help: "How often both are measured.") var rounds = 3
    @Option(help: "The folder of the rules.") var rules = "Rules"
    @Option(help: "The program; by default the one beside this one.") var poyang: String?
    @Option(help: "Record the service with perf into this file.") var profile: String?
    @Option(help: "Measure again while so many clients ask range queries.") var queries = 0
    @Option(help: "The program that asks them.") var load = "ops/query-load"
    @Flag(help: "Print a JSON array instead of tables.") var json = false

    func validate() throws {
        guard self.messages > 0, self.sites > 0, self.rounds > 0 else {
            throw ValidationError("--messages, --sites and --rounds must be positive")
        }
    }

    func run() throws {
        try ServiceBench.run(RiverSites(count: self.sites), program: self.poyang, rules: self.rules, self.measure)
    }

    private func measure(_ bench: ServiceBench) throws {
        var measurement = IngestMeasurement(
            broker: bench.broker.address.port,
            brokerProcess: bench.broker.processID,
            service: bench.service,
            sites: self.sites
        )
        // Every site reports once before, so that all series are there.
        _ = try measurement.service(messages: self.sites)
        let recorder = try self.profile.map { try PerfRecorder(process: bench.service.processID, file: $0) }
        var results: [IngestMeasurement.Round] = []
        for _ in 0..<self.rounds {
            let discarding = try measurement.discarding(messages: self.messages)
            results.append(
                IngestMeasurement.Round(
                    discarding: discarding,
                    service: try measurement.service(messages: self.messages),
                    queried: self.queries > 0
                        ? try measurement.queried(messages: self.messages, clients: self.queries, program: self.load)
                        : nil
                )
            )
        }
        recorder?.stop()
        let report = IngestReport(rounds: results, sites: self.sites)
        print(self.json ? try (report.queries ?? report.rounds).json() : report.text)
    }
}

/// `perf record` attached to a process.
private final class PerfRecorder {
    private let process = Process()

    init(process target: Int32, file: String) throws {
        self.process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        self.process.arguments = ["perf", "record", "-q", "-F", "499", "-g", "-p", "\(target)", "-o", file]
        try self.process.run()
    }

    func stop() {
        self.process.interrupt()
        self.process.waitUntilExit()
    }
}
