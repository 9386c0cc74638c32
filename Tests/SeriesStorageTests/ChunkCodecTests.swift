// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry
import TestSupport
import Testing

@testable import SeriesStorage

struct ChunkCodecTests {
    enum Times: CaseIterable {
        case regular
        case jittered
        case irregular
        case extreme
    }

    enum Values: CaseIterable {
        case decimals
        case constant
        case binaryFractions
        case decimalsWithGaps
        case anyBits
    }

    @Test(arguments: Times.allCases, Values.allCases)
    func roundTripIsExact(times: Times, values: Values) throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<60 {
            let columns = self.columns(times, values, count: Int.random(in: 1...700, using: &random), &random)
            let bytes = ChunkCodec.encode(columns)
            #expect(try ChunkCodec.decode(bytes) == columns, "seed \(seed)")
        }
    }

    @Test func fiveMinuteDecimalsTakeLessThanTwoBytesASample() {
        var random = SeededGenerator(seed: 1)
        let columns = self.columns(.regular, .decimals, count: 480, &random)
        #expect(ChunkCodec.encode(columns).count < 2 * 480)
    }

    @Test func refusesDamagedBytesWithoutTrapping() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<400 {
            let columns = self.columns(
                .jittered,
                .decimalsWithGaps,
                count: Int.random(in: 1...100, using: &random),
                &random
            )
            var bytes = ChunkCodec.encode(columns)
            bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0...7, using: &random)
            #expect(throws: DamagedBytes.self, "seed \(seed)") { try ChunkCodec.decode(bytes) }
        }
    }

    /// With a right checksum over nonsense, so that the decoder behind it is reached.
    @Test func survivesNonsenseBehindARightChecksum() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        for round in 0..<4000 {
            var writer = ByteWriter()
            writer.byte(1)
            writer.count(Int.random(in: 0...40, using: &random))
            for _ in 0..<Int.random(in: 0...80, using: &random) {
                writer.byte(UInt8.random(in: 0...(round % 2 == 0 ? 255 : 3), using: &random))
            }
            writer.fixed(CRC32.checksum(writer.bytes.span))
            let columns = try? ChunkCodec.decode(writer.bytes)
            if let columns { #expect(columns.times.count == columns.values.count, "seed \(seed)") }
            _ = try? JournalCodec.decode(writer.bytes, at: .start)
        }
    }

    @Test func journalEntriesComeBackAsTheyWere() throws {
        var random = SeededGenerator(seed: 7)
        let columns = self.columns(.irregular, .anyBits, count: 300, &random)
        let readings = columns.times.indices.map { index in
            JournalReading(
                series: SeriesID(rawValue: UInt32.random(in: 1 ... .max, using: &random)),
                sample: Sample(
                    time: columns.times[index],
                    value: columns.values[index],
                    mark: SampleMark(rawValue: columns.marks[index])
                )
            )
        }
        let entry = JournalEntry(
            position: JournalPosition(rawValue: 9),
            receivedAt: .base,
            content: .readings(readings),
            refused: [.outOfRange: 3, .malformed: 1],
            messages: 12
        )
        let decoded = try JournalCodec.decode(JournalCodec.encode(entry), at: entry.position)
        guard case .readings(let back) = decoded.content else {
            Issue.record("another kind of entry")
            return
        }
        #expect(back.map(\.series) == readings.map(\.series))
        #expect(back.map(\.sample.time) == readings.map(\.sample.time))
        #expect(back.map(\.sample.value.bitPattern) == readings.map(\.sample.value.bitPattern))
        #expect(decoded.refused == entry.refused && decoded.messages == 12 && decoded.receivedAt == .base)
    }

    private func columns(
        _ times: Times,
        _ values: Values,
        count: Int,
        _ random: inout SeededGenerator
    ) -> Columns {
        var columns = Columns()
        var time: Int64 = times == .extreme ? .min : 1_700_000_000_000
        var level = 1234
        for _ in 0..<count {
            columns.append(
                Timestamp(milliseconds: time),
                self.value(values, &level, &random),
                SampleMark(quality: Int.random(in: 0..<50, using: &random) > 0 ? .pass : .suspect, method: .manual)
                    .rawValue
            )
            switch times {
            case .regular: time += 300_000
            case .jittered: time += 300_000 + Int64.random(in: -900...900, using: &random)
            case .irregular: time += Int64.random(in: 1...10_000_000, using: &random)
            case .extreme: time += Int64.max / 400 * Int64.random(in: 1...1, using: &random)
            }
        }
        return columns
    }

    private func value(_ values: Values, _ level: inout Int, _ random: inout SeededGenerator) -> Double {
        level += Int.random(in: -3...3, using: &random)
        let decimal = Double(level) / 100
        switch values {
        case .decimals: return decimal
        case .constant: return 12.3
        case .binaryFractions: return Double.random(in: -1e6...1e6, using: &random)
        case .decimalsWithGaps:
            guard Int.random(in: 0..<20, using: &random) == 0 else { return decimal }
            let oddities = [
                Double.nan, .infinity, -.infinity, -0.0, .greatestFiniteMagnitude, .leastNonzeroMagnitude, .pi,
                Double(bitPattern: 0x7FF0_0000_0000_0001), Double(nan: 77, signaling: false), 1e300, 0.1 + 0.2,
            ]
            return oddities.randomElement(using: &random) ?? .nan
        case .anyBits: return Double(bitPattern: random.next())
        }
    }
}
