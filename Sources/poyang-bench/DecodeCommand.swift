// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PayloadCodecs

/// The decoders alone, of every format that is read.
struct DecodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decode",
        abstract: "Decodes payloads in memory, on one core, format by format.",
        discussion: "Example: poyang-bench decode --messages 1000000 --json"
    )

    @Option(help: "How many payloads of each format.") var messages = 1_000_000
    @Flag(help: "Print a JSON array instead of a table.") var json = false

    func run() throws {
        let sites = RiverSites(count: 2000)
        let native = (0..<2000).map { Array(sites.message($0, root: "poyang/v1").payload.utf8) }
        let rows = [
            try self.measure("native_json", NativeJSONCodec(limit: 1 << 20), native, readings: 1),
            try self.measure("sl651_report", SL651Codec(), (0..<2000).map(FieldPayloads.report), readings: 4),
            try self.measure("sl651_hour", SL651Codec(), (0..<2000).map(FieldPayloads.hour), readings: 26),
            try self.measure("hj212", HJ212Codec(), (0..<2000).map(FieldPayloads.waterQuality), readings: 6),
            try self.measure("senml", SenMLCodec(), (0..<2000).map(NetworkPayloads.senML), readings: 4),
            try self.measure(
                "chirpstack_up",
                ChirpStackCodec(),
                (0..<2000).map(NetworkPayloads.chirpStack),
                readings: 5
            ),
            try self.measure(
                "things_stack_up",
                ThingsStackCodec(),
                (0..<2000).map(NetworkPayloads.thingsStack),
                readings: 5
            ),
            try self.measure(
                "gateway_telemetry",
                GatewayTelemetryCodec(),
                (0..<2000).map(NetworkPayloads.gateway),
                readings: 6
            ),
            try self.measure("layout_fixed", LayoutBench.fixed(), (0..<2000).map(LayoutBench.fixedFrame), readings: 4),
            try self.measure(
                "layout_tagged",
                LayoutBench.tagged(),
                (0..<2000).map(LayoutBench.taggedFrame),
                readings: 4
            ),
            try self.measure(
                "sparkplug_data",
                SparkplugBench.codec(),
                (0..<2000).map { SparkplugBench.message($0) },
                readings: 10
            ),
        ]
        let columns = ["benchmark", "messages_per_second", "readings_per_second", "megabytes_per_second"]
        let table = ReportTable(columns: columns, rows: rows)
        print(self.json ? try table.json() : table.text)
    }

    /// One row; every payload has so many readings.
    private func measure(
        _ name: String,
        _ codec: some PayloadCodec,
        _ payloads: [[UInt8]],
        readings expected: Int
    ) throws -> [ReportTable.Cell] {
        var codec = codec
        var message = DecodedMessage()
        var readings = 0
        var bytes = 0
        let began = MonotonicClock.now
        for number in 0..<self.messages {
            let payload = payloads[number % payloads.count]
            bytes += payload.count
            codec.decode(payload.span, into: &message)
            readings += message.readings.count
        }
        let seconds = Double(MonotonicClock.now - began) / 1e9
        guard readings == expected * self.messages, message.refusals.isEmpty else {
            throw BenchFailure("\(name): \(readings) readings of \(expected * self.messages)")
        }
        return [
            .text(name), .number(Double(self.messages) / seconds, 0), .number(Double(readings) / seconds, 0),
            .number(Double(bytes) / seconds / 1e6, 1),
        ]
    }
}
