// poyang
// SPDX-License-Identifier: Apache-2.0

// Measures the readers of bulk formats on one thread, by processor time. One JSON object per line.
//
//     BulkBench [SAMPLES] [FORMAT…]

import PayloadCodecs
import Telemetry

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// User processor time of this process in seconds.
func userSeconds() -> Double {
    var usage = rusage()
    // RUSAGE_SELF, whose type differs between C libraries.
    getrusage(0, &usage)
    return Double(usage.ru_utime.tv_sec) + Double(usage.ru_utime.tv_usec) / 1e6
}

struct Generator {
    var state: UInt64 = 7

    mutating func next() -> UInt64 {
        self.state ^= self.state << 13
        self.state ^= self.state >> 7
        self.state ^= self.state << 17
        return self.state
    }
}

/// River levels in centimetres, rain in tips of 0.5 mm, soil moisture: like what stations send.
func series(_ number: Int, samples: Int, _ generator: inout Generator) -> BulkSeries {
    let metrics = ["water_level_m", "rainfall_mm", "soil_moisture_percent", "battery_volts"]
    var result = BulkSeries(
        labels: Labels(
            metric: metrics[number % 4],
            ["station": "station-\(number)", "county": "county-\(number % 97)"]
        )
    )
    var level = 800 + number % 1200
    for index in 0..<samples {
        let jitter = number % 10 < 3 ? Int64(generator.next() % 6001) - 3000 : 0
        result.times.append(Timestamp(milliseconds: 1_700_000_000_000 + Int64(index) * 300_000 + jitter))
        level += Int(generator.next() % 3) - 1
        let value: Double
        switch number % 4 {
        case 0: value = Double(level) / 100
        case 1: value = generator.next() % 20 == 0 ? Double(generator.next() % 8) / 2 : 0
        case 2: value = Double(level) / 10
        default: value = 12 + Double(generator.next() % 100) / 100
        }
        result.values.append(value)
    }
    return result
}

let arguments = CommandLine.arguments.dropFirst()
let wanted = arguments.first.flatMap(Int.init) ?? 2_000_000
let names = arguments.dropFirst()
let perSeries = 5760
for format in BulkFormat.allCases where names.isEmpty || names.contains(format.rawValue) {
    var generator = Generator()
    var text: [UInt8] = []
    let count = max(wanted / perSeries, 1)
    let input = (0..<count).map { series($0, samples: perSeries, &generator) }
    let writer = BulkWriter(format, labelNames: ["station", "county"])
    let writing = userSeconds()
    writer.begin(into: &text)
    let body = text.count
    for one in input { writer.write(one, into: &text) }
    let written = userSeconds() - writing
    let table = try text.withUnsafeBytes { bytes in
        format == .csv ? try CSVTable(header: UnsafeRawBufferPointer(rebasing: bytes[..<body])) : nil
    }
    let reader = BulkReader(format, table: table)
    var best = Double.infinity
    var samples = 0
    for _ in 0..<3 {
        let start = userSeconds()
        samples = 0
        var offset = body
        text.withUnsafeBytes { bytes in
            while offset < bytes.count {
                let window = UnsafeRawBufferPointer(rebasing: bytes[offset..<min(offset + 8 << 20, bytes.count)])
                let length = format.split(window, table: table)
                let piece = reader.read(UnsafeRawBufferPointer(rebasing: window[..<length]))
                precondition(piece.refused == 0, "\(piece.errors)")
                samples += piece.samples
                offset += length
            }
        }
        best = min(best, userSeconds() - start)
    }
    precondition(samples == count * perSeries)
    let rate = Int(Double(samples) / best)
    let bytesPerSample = Double(text.count) / Double(samples)
    print(
        #"{"name":"bulk \#(format.rawValue)","samples":\#(samples),"bytes_per_sample":\#(bytesPerSample),"#
            + #""read_user_seconds":\#(best),"read_samples_per_second":\#(rate),"#
            + #""write_samples_per_second":\#(Int(Double(samples) / written))}"#
    )
}
