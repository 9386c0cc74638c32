// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Telemetry

struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Publish recorded readings over MQTT, as their devices would have.",
        discussion: """
            Every message carries "simulated":true, so 'serve' without --exercise stores
            it only for test devices, and it never raises an Actual warning. Several files
            are merged in the order of event time. Blank cells are missing values, never
            zero. A file that is not in the order of time is sorted first.

              cd ops/demo-data
              poyang replay published_levels.csv --map xingzi-2022.map.yaml --speed 86400

            A map says what the columns are. Without --map the one beside the file is used
            (x.csv.map.yaml or x.map.yaml); one --map serves all files, else give one per
            file in the same order.

              time: { column: time_utc, zone: UTC }
              columns:
                gage_height_ft: { device: usgs-01581752-1, key: gage_height_ft }
              where: { station: 星子, datum: 吴淞 }
              from: 2022-06-21
              to: 2022-11-17
              interpolate: { every: 1d, at: "08:00", zone: Asia/Shanghai }

            time: 'column: [date, time]' joins two columns; 'zone' is an IANA name with
            its summer time, or +08:00; 'format' is rfc3339 (the default; also a date
            alone), unix, unix_ms, or a pattern like 'M/d/yyyy H:mm'.
            columns: also 'method: { column: … }'.
            where, from, to (a whole day, or a moment, itself included): optional; only
            these rows.
            interpolate: optional; values on the straight line between two readings,
            rounded to 3 decimals, with method interpolated.
            """
    )

    @Argument(help: "CSV files.")
    var files: [String]
    @Option(help: ArgumentHelp("What the columns are.", valueName: "map"))
    var map: [String] = []
    @Option(help: ArgumentHelp("How many times faster than it happened; 0: as fast as acknowledged.", valueName: "n"))
    var speed = 0.0
    @Option(help: ArgumentHelp("The MQTT broker; also POYANG_BROKER.", valueName: "mqtt[s]://host:port"))
    var broker: String?
    @Flag(help: "One file after the other, instead of merged in event time.")
    var sequential = false
    @Option(help: ArgumentHelp("Longer pauses of the recording are cut to this (of our time).", valueName: "span"))
    var longestPause = SpanArgument(milliseconds: 10 * .second)
    @OptionGroup var output: TableOptions
    @Flag(help: "Print the messages, publish nothing.")
    var dryRun = false

    func validate() throws {
        guard self.speed.isFinite, self.speed >= 0 else { throw ValidationError("--speed is a number from 0 on") }
        guard [0, 1, self.files.count].contains(self.map.count) else {
            throw ValidationError("\(self.map.count) maps for \(self.files.count) files; give one for all, or one each")
        }
    }

    func run() async throws {
        let recordings = try self.files.enumerated()
            .map { index, path in
                let given = self.map.count == 1 ? self.map[0] : self.map.isEmpty ? nil : self.map[index]
                let map = try RecordingMap.load(given, for: path)
                guard map.columns.allSatisfy({ if case .channel = $0.target { true } else { false } }) else {
                    throw CommandFailure(
                        "the map of \(path) has columns with 'metric', for import; replay needs device and key"
                    )
                }
                return try RecordedFile(path, map: map)
            }
        for note in recordings.flatMap(\.notes) { StandardError.write("note: \(note)") }
        var order = try ReplayOrder(recordings, merged: !self.sequential)
        if self.dryRun {
            while let message = try order.next() { StandardOutput.write("\(message.topic) \(message.payload)") }
            return
        }
        let publisher = try await BrokerPublisher(try BrokerLogin(self.broker), as: "replay")
        try await self.publish(&order, rows: recordings.reduce(0) { $0 + $1.count }, to: publisher)
    }

    private func publish(_ order: inout ReplayOrder, rows: Int, to publisher: any ReplayPublisher) async throws {
        var pace = ReplayPace(speed: self.speed, longestPause: self.longestPause.milliseconds)
        var progress = Progress(total: Int64(rows), unit: "messages")
        let clock = ContinuousClock()
        let start = clock.now
        var span: (first: Timestamp, last: Timestamp)?
        while let message = try order.next() {
            let due = start + pace.due(at: message.time)
            if due > clock.now { try await clock.sleep(until: due) }
            try await publisher.publish(topic: message.topic, payload: Array(message.payload.utf8))
            span = (min(span?.first ?? message.time, message.time), max(span?.last ?? message.time, message.time))
            progress.advance(by: 1)
        }
        try await publisher.finish()
        let period = span.map { ", from \($0.first) to \($0.last)" } ?? ""
        progress.finish(saying: "replayed \(progress.done) messages\(period), all acknowledged")
        guard self.output.json else { return }
        var table = Table(columns: ["messages", "from", "to"])
        table.append([
            .integer(progress.done), span.map { .string("\($0.first)") } ?? .null,
            span.map { .string("\($0.last)") } ?? .null,
        ])
        table.print(asJSON: true, empty: "")
    }
}
