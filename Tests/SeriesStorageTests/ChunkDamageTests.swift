// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry
import TestSupport
import Testing

@testable import SeriesStorage

struct ChunkDamageTests {
    @Test(arguments: ChunkShape.Times.allCases, ChunkShape.Values.allCases)
    func refusesDamagedBytes(times: ChunkShape.Times, values: ChunkShape.Values) {
        var random = SeededGenerator.announced()
        for _ in 0..<15 {
            let count = Int.random(in: 1...900, using: &random)
            let bytes = ChunkCodec.encode(
                ChunkShape(times: times, values: values, marks: .mixed).columns(count, &random)
            )
            var flipped = bytes
            flipped[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0...7, using: &random)
            #expect(throws: DamagedBytes.self) { try ChunkCodec.decode(flipped) }
            let cut = Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &random)))
            #expect(throws: DamagedBytes.self) { try ChunkCodec.decode(cut) }
        }
    }

    /// With the checksum put right again, so that the decoder behind it is reached: it may take the bytes for another
    /// chunk, but with rising times and equal columns, or throws.
    @Test(arguments: ChunkShape.Times.allCases, ChunkShape.Values.allCases)
    func survivesDamageBehindARightChecksum(times: ChunkShape.Times, values: ChunkShape.Values) {
        var random = SeededGenerator.announced()
        for round in 0..<100 {
            let count = Int.random(in: 1...(round % 3 == 0 ? 1200 : 60), using: &random)
            var bytes = ChunkCodec.encode(
                ChunkShape(times: times, values: values, marks: .mixed).columns(count, &random)
            )
            bytes.removeLast(4)
            if round % 5 == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
            for _ in 0..<Int.random(in: 1...4, using: &random) where bytes.count > 1 {
                // Heads matter most, and they are at the beginning.
                let end = Bool.random(using: &random) ? bytes.count : min(bytes.count, 32)
                bytes[Int.random(in: 1..<max(end, 2), using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            self.expectSurvival(bytes)
        }
    }

    @Test func survivesNonsenseBehindARightChecksum() {
        var random = SeededGenerator.announced()
        for round in 0..<20_000 {
            var writer = ByteWriter()
            writer.byte(ChunkCodec.version)
            writer.count(Int.random(in: 0...(round % 4 == 0 ? 3000 : 40), using: &random))
            for _ in 0..<Int.random(in: 0...120, using: &random) {
                writer.byte(UInt8.random(in: 0...(round % 2 == 0 ? 255 : 5), using: &random))
            }
            self.expectSurvival(writer.bytes)
        }
    }

    @Test func statisticsSurviveDamage() {
        var random = SeededGenerator.announced()
        for round in 0..<5000 {
            let bytes = (0..<Int.random(in: 0...40, using: &random))
                .map { _ in UInt8.random(in: 0...(round % 2 == 0 ? 255 : 63), using: &random) }
            var reader = ByteReader(bytes)
            guard let statistics = try? ChunkStatistics(from: &reader, base: .max) else { continue }
            #expect(statistics.firstTime <= statistics.lastTime)
            _ = (statistics.minimum, statistics.maximum, statistics.sum)
        }
    }

    private func expectSurvival(_ content: [UInt8]) {
        var writer = ByteWriter()
        for byte in content { writer.byte(byte) }
        writer.fixed(CRC32.checksum(content.span))
        guard let columns = try? ChunkCodec.decode(writer.bytes) else { return }
        #expect(columns.times.count == columns.values.count && columns.times.count == columns.marks.count)
        #expect(zip(columns.times, columns.times.dropFirst()).allSatisfy { $0 < $1 })
    }
}
