// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry
import TestSupport
import Testing

@testable import SeriesStorage

struct JournalCodecTests {
    @Test func journalEntriesComeBackAsTheyWere() throws {
        var random = SeededGenerator(seed: 7)
        let columns = ChunkShape(times: .irregular, values: .anyBits, marks: .mixed).columns(300, &random)
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
            receivedAt: Timestamp(milliseconds: 1_700_000_000_000),
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
        #expect(decoded.refused == entry.refused && decoded.messages == 12 && decoded.receivedAt == entry.receivedAt)
    }

    /// With a right checksum over nonsense, so that the decoder behind it is reached.
    @Test func survivesNonsenseBehindARightChecksum() {
        var random = SeededGenerator.announced()
        for round in 0..<4000 {
            var writer = ByteWriter()
            writer.byte(1)
            for _ in 0..<Int.random(in: 0...80, using: &random) {
                writer.byte(UInt8.random(in: 0...(round % 2 == 0 ? 255 : 3), using: &random))
            }
            writer.fixed(CRC32.checksum(writer.bytes.span))
            _ = try? JournalCodec.decode(writer.bytes, at: .start)
        }
    }
}
