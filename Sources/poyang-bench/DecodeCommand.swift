// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PayloadCodecs

/// The decoder of native JSON alone.
struct DecodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decode",
        abstract: "Decodes payloads in memory.",
        discussion: "Example: poyang-bench decode --messages 1000000 --json"
    )

    @Option(help: "How many payloads.") var messages = 1_000_000
    @Flag(help: "Print a JSON array instead of a table.") var json = false

    func run() throws {
        let sites = RiverSites(count: 2000)
        let payloads = (0..<2000).map { Array(sites.message($0, root: "poyang/v1").payload.utf8) }
        var codec = NativeJSONCodec(limit: 1 << 20)
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
        guard readings == self.messages else { throw BenchFailure("\(readings) readings of \(self.messages)") }
        let rows: [[ReportTable.Cell]] = [
            [.text("decode"), .number(Double(self.messages) / seconds, 0), .number(Double(bytes) / seconds / 1e6, 1)]
        ]
        let table = ReportTable(columns: ["benchmark", "messages_per_second", "megabytes_per_second"], rows: rows)
        print(self.json ? try table.json() : table.text)
    }
}
