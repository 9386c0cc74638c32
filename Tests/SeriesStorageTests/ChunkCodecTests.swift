// poyang
// SPDX-License-Identifier: Apache-2.0

import BenchmarkData
import Telemetry
import TestSupport
import Testing

@testable import SeriesStorage

struct ChunkCodecTests {
    @Test(arguments: ChunkShape.Times.allCases, ChunkShape.Values.allCases)
    func roundTripIsExact(times: ChunkShape.Times, values: ChunkShape.Values) throws {
        var random = SeededGenerator.announced()
        for round in 0..<12 {
            let count = Int.random(in: 1...(round == 0 ? 5000 : 700), using: &random)
            let shape = ChunkShape(times: times, values: values, marks: round % 2 == 0 ? .usual : .mixed)
            let columns = shape.columns(count, &random)
            try self.expectRoundTrip(columns)
        }
        for count in [1, 2, 3, 4, 5, 11, 12, 511, 512, 513, 514, 515] {
            let columns = ChunkShape(times: times, values: values, marks: .usual).columns(count, &random)
            try self.expectRoundTrip(columns)
        }
    }

    @Test(arguments: ChunkShape.Values.allCases)
    func theLargestChunkComesBack(values: ChunkShape.Values) throws {
        var random = SeededGenerator.announced()
        for times in [ChunkShape.Times.regular, .gaps, .irregular] {
            let columns = ChunkShape(times: times, values: values, marks: .mixed).columns(ChunkCodec.largest, &random)
            try self.expectRoundTrip(columns)
        }
    }

    @Test func theEndsOfTimeComeBack() throws {
        for times in [
            [Int64.min], [.max], [.min, .max], [.min, -1, .max], [.min, .min + 1], [.max - 1, .max], [-1, 0],
        ] {
            let columns = Columns(
                times: times.map { Timestamp(milliseconds: $0) },
                values: times.map { Double($0) },
                marks: times.map { UInt8(truncatingIfNeeded: $0) }
            )
            try self.expectRoundTrip(columns)
        }
    }

    @Test func appendsBehindWhatIsThere() throws {
        var random = SeededGenerator.announced()
        let shape = ChunkShape(times: .jittered, values: .decimals, marks: .mixed)
        var columns = shape.columns(30, &random)
        let before = columns
        let chunk = shape.columns(700, &random)
        var bytes: [UInt8] = [1, 2, 3]
        _ = ChunkCodec.encode(chunk, into: &bytes)
        #expect(bytes[..<3] == [1, 2, 3])
        try bytes.withUnsafeBytes { raw in
            let packed = UnsafeRawBufferPointer(rebasing: raw[3...])
            try ChunkCodec.decode(packed, count: 700, appendingTo: &columns)
            #expect(throws: DamagedBytes.self) { try ChunkCodec.decode(packed, count: 699, appendingTo: &columns) }
        }
        #expect(columns.count == 730)
        #expect(Array(columns.times[..<30]) == before.times && Array(columns.times[30...]) == chunk.times)
        #expect(Array(columns.marks[30...]) == chunk.marks)
    }

    /// What a day, ten days and twenty days of a sensor take, in bytes per sample.
    @Test(arguments: [(288, 0.95), (2880, 0.70), (5760, 0.69)])
    func sensorDataTakesLessThan(size: Int, limit: Double) throws {
        let data = SensorData(series: 40)
        var bytes = 0
        var samples = 0
        for index in 0..<data.count {
            let (times, values) = data.samples(index)
            for start in stride(from: 0, to: times.count, by: size) {
                let range = start..<min(start + size, times.count)
                let columns = Columns(
                    times: Array(times[range]),
                    values: Array(values[range]),
                    marks: range.map { _ in SampleMark.measured.rawValue }
                )
                let packed = ChunkCodec.encode(columns)
                #expect(try ChunkCodec.decode(packed) == columns)
                bytes += packed.count
                samples += range.count
            }
        }
        #expect(Double(bytes) < limit * Double(samples), "\(Double(bytes) / Double(samples)) bytes per sample")
    }

    @Test(arguments: [ChunkShape.Values.constant, .linear], [10, 500, 8192])
    func whatNeedsNoBitsTakesNone(values: ChunkShape.Values, count: Int) {
        var random = SeededGenerator(seed: 1)
        let columns = ChunkShape(times: .regular, values: values, marks: .usual).columns(count, &random)
        #expect(ChunkCodec.encode(columns).count < 40)
    }

    @Test(arguments: [10, 50, 100, 500])
    func smallChunksDoNotBlowUp(count: Int) {
        var random = SeededGenerator(seed: 2)
        for values in [ChunkShape.Values.decimals, .sparse, .counter] {
            let columns = ChunkShape(times: .regular, values: values, marks: .usual).columns(count, &random)
            #expect(ChunkCodec.encode(columns).count <= 32 + count, "\(values)")
        }
        let noise = ChunkShape(times: .irregular, values: .anyBits, marks: .usual).columns(count, &random)
        #expect(ChunkCodec.encode(noise).count <= 48 + 12 * count)
    }

    private func expectRoundTrip(_ columns: Columns) throws {
        let bytes = ChunkCodec.encode(columns)
        let back = try ChunkCodec.decode(bytes)
        #expect(back == columns, "\(columns.count) samples")
    }
}
