// poyang
// SPDX-License-Identifier: Apache-2.0

import BenchmarkData
import Foundation
import SeriesStorage
import Telemetry

/// One series to encode.
struct RecordedSeries {
    let metric: String
    let isJittered: Bool
    let columns: Columns
}

extension RecordedSeries {
    init(_ data: SensorData, _ index: Int) {
        let (times, values) = data.samples(index)
        self.metric = data.labels(index).metric
        self.isJittered = data.isJittered(index)
        self.columns = Columns(
            times: times,
            values: values,
            marks: [UInt8](repeating: SampleMark.measured.rawValue, count: times.count)
        )
    }

    func chunks(of size: Int) -> [Columns] {
        stride(from: 0, to: self.columns.count, by: size)
            .map { start in
                let range = start..<min(start + size, self.columns.count)
                return Columns(
                    times: Array(self.columns.times[range]),
                    values: Array(self.columns.values[range]),
                    marks: Array(self.columns.marks[range])
                )
            }
    }
}

/// Order-0 entropy in bytes per sample: of each series' values or their differences, whichever is less, and of the
/// jitter, which is uniform.
func meanEntropy(_ all: [RecordedSeries]) -> Double {
    func entropy(_ numbers: [Int]) -> Double {
        let counts = Dictionary(numbers.map { ($0, 1.0) }, uniquingKeysWith: +)
        let total = Double(numbers.count)
        return counts.values.reduce(0) { $0 - $1 / total * log2($1 / total) }
    }
    let bits = all.map { series -> Double in
        let values = series.columns.values.map { Int(($0 * 100).rounded()) }
        let differences = zip(values.dropFirst(), values).map { $0 - $1 }
        return min(entropy(values), entropy(differences)) + (series.isJittered ? log2(6001) : 0)
    }
    return bits.reduce(0, +) / Double(all.count) / 8
}

/// Seconds this thread has computed.
func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

func report(_ object: [String: Any]) throws {
    let data = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys])
    FileHandle.standardOutput.write(data + Data("\n".utf8))
}

/// Encodes and decodes chunks of `size` samples.
func measure(_ name: String, _ series: [RecordedSeries], _ size: Int, _ repetitions: Int) throws {
    let chunks = series.flatMap { $0.chunks(of: size) }
    let samples = chunks.reduce(0) { $0 + $1.count }
    guard samples > 0 else { return }
    var packed: [[UInt8]] = []
    let started = processorSeconds()
    for chunk in chunks { packed.append(ChunkCodec.encode(chunk)) }
    let encoding = processorSeconds() - started
    var directory = 0
    for chunk in chunks {
        var bytes: [UInt8] = []
        let statistics = ChunkCodec.encode(chunk, into: &bytes)
        directory += statistics.bytes(base: chunk.times[0].milliseconds - 86_400_000).count
    }
    var columns = Columns()
    columns.reserveCapacity(size)
    var decoding = Double.infinity
    for _ in 0..<repetitions {
        let started = processorSeconds()
        for (chunk, bytes) in zip(chunks, packed) {
            columns.times.removeAll(keepingCapacity: true)
            columns.values.removeAll(keepingCapacity: true)
            columns.marks.removeAll(keepingCapacity: true)
            try bytes.withUnsafeBytes { try ChunkCodec.decode($0, count: chunk.count, appendingTo: &columns) }
        }
        decoding = min(decoding, processorSeconds() - started)
    }
    try report([
        "name": name, "chunk": size, "samples": samples,
        "bytes/sample": rounded(Double(packed.reduce(0) { $0 + $1.count }) / Double(samples)),
        "statistics bytes/chunk": rounded(Double(directory) / Double(chunks.count)),
        "encoded M/s": rounded(Double(samples) / encoding / 1e6),
        "decoded M/s": rounded(Double(samples) / decoding / 1e6),
    ])
}

private func rounded(_ number: Double) -> Decimal {
    Decimal(string: String(format: "%.4f", number)) ?? 0
}
