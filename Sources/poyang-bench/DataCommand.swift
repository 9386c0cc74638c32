// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BenchmarkData
import Foundation
import PayloadCodecs
import Telemetry

/// The sensors' data of the comparison with peers, as a file.
struct DataCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "data",
        abstract: "Writes two thousand sensors' series, the same from the same seed.",
        discussion: "Example: poyang-bench data --format vm-jsonl --output sensors.jsonl"
    )

    @Option(help: "How many series.") var series = 2000
    @Option(help: "Days of five-minute samples.") var days = 20
    @Option(help: "Where the random numbers begin.") var seed: UInt64 = 1
    @Option(help: "vm-jsonl, openmetrics or csv.") var format = "vm-jsonl"
    @Option(help: "Unix time of the beginning, in seconds.") var start: Int64 = 1_700_000_000
    @Option(help: "The file.") var output: String

    func validate() throws {
        guard BulkFormat(rawValue: self.format) != nil else {
            throw ValidationError("there is no format '\(self.format)'; take vm-jsonl, openmetrics or csv")
        }
    }

    func run() throws {
        guard let format = BulkFormat(rawValue: self.format) else { return }
        let data = SensorData(
            series: self.series,
            days: self.days,
            seed: self.seed,
            start: Timestamp(milliseconds: self.start * 1000)
        )
        guard FileManager.default.createFile(atPath: self.output, contents: nil),
            let file = FileHandle(forWritingAtPath: self.output)
        else { throw BenchFailure("cannot write \(self.output)") }
        let writer = BulkWriter(format, labelNames: ["station", "county"])
        var text: [UInt8] = []
        writer.begin(into: &text)
        for index in 0..<data.count {
            let (times, values) = data.samples(index)
            writer.write(BulkSeries(labels: data.labels(index), times: times, values: values), into: &text)
            if text.count > 8 << 20 {
                try file.write(contentsOf: text)
                text.removeAll(keepingCapacity: true)
            }
        }
        writer.end(into: &text)
        try file.write(contentsOf: text)
        try file.close()
        print(#"{"series":\#(data.count),"samples":\#(data.count * data.samplesPerSeries)}"#)
    }
}
