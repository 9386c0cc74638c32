// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry
import TestSupport
import Testing

@testable import SeriesStorage

struct ChunkStatisticsTests {
    @Test(arguments: ChunkShape.Times.allCases, ChunkShape.Values.allCases)
    func areThoseOfAPlainComputation(times: ChunkShape.Times, values: ChunkShape.Values) throws {
        var random = SeededGenerator.announced()
        for _ in 0..<20 {
            let count = Int.random(in: 1...700, using: &random)
            let columns = ChunkShape(times: times, values: values, marks: .mixed).columns(count, &random)
            var bytes: [UInt8] = []
            let statistics = ChunkCodec.encode(columns, into: &bytes)
            let numbers = columns.values.filter { !$0.isNaN }
            #expect(statistics.count == count)
            #expect(statistics.firstTime == columns.times[0] && statistics.lastTime == columns.times[count - 1])
            #expect(statistics.qualities == columns.marks.reduce(0) { $0 | 1 << UInt16($1 & 0x0F) })
            #expect(statistics.hasNaN == (numbers.count < count))
            #expect(statistics.minimum == numbers.min() && statistics.maximum == numbers.max())
            #expect(statistics.firstValue.bitPattern == columns.values[0].bitPattern)
            #expect(statistics.lastValue.bitPattern == columns.values[count - 1].bitPattern)
            let sum = numbers.reduce(0, +)
            let tolerance = 1e-9 * numbers.reduce(0) { $0 + $1.magnitude }
            #expect(
                statistics.sum == sum || (statistics.sum - sum).magnitude <= tolerance
                    || (statistics.sum.isNaN && sum.isNaN)
            )

            let base = Bool.random(using: &random) ? columns.times[0].milliseconds : Int64(random.next() >> 2)
            var writer = ByteWriter()
            statistics.write(to: &writer, base: base)
            var reader = ByteReader(writer.bytes)
            #expect(try ChunkStatistics(from: &reader, base: base) == statistics)
            #expect(reader.remaining == 0)
        }
    }

    @Test func decimalSumsAreExact() {
        let columns = Columns(
            times: (0..<1000).map { Timestamp(milliseconds: $0) },
            values: (0..<1000).map { $0 % 100 == 7 ? .nan : 0.1 },
            marks: Array(repeating: 2, count: 1000)
        )
        var bytes: [UInt8] = []
        let statistics = ChunkCodec.encode(columns, into: &bytes)
        #expect(statistics.numbers == .decimal(exponent: 1, minimum: 1, maximum: 1, sum: 990))
        #expect(statistics.sum == 99)
    }

    @Test func nothingButNaNHasNoMinimum() {
        let columns = Columns(times: [Timestamp(milliseconds: 5)], values: [.nan], marks: [4])
        var bytes: [UInt8] = []
        let statistics = ChunkCodec.encode(columns, into: &bytes)
        #expect(statistics.numbers == .none && statistics.minimum == nil && statistics.sum == 0 && statistics.hasNaN)
    }

    @Test func ofASensorsChunkTakeLittle() {
        var random = SeededGenerator(seed: 3)
        let columns = ChunkShape(times: .regular, values: .decimals, marks: .usual).columns(5760, &random)
        var bytes: [UInt8] = []
        var writer = ByteWriter()
        ChunkCodec.encode(columns, into: &bytes).write(to: &writer, base: columns.times[0].milliseconds - 1000)
        #expect(writer.bytes.count <= 28)
    }
}
