// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The packed form of one journal row, version 1.
///
/// ```
/// ┌─────────┬──────┬────────────────┬────────────┬─────────────┬───────────┬───────────────┬──────────┬───────┐
/// │ version │ kind │ receivedAt     │ messages   │ reasons n   │ n × reason│ n × values    │ body     │ CRC-32│
/// │ u8 = 1  │ u8   │ signed varint  │ varint     │ varint      │ text      │ varint        │ by kind  │ u32 LE│
/// └─────────┴──────┴────────────────┴────────────┴─────────────┴───────────┴───────────────┴──────────┴───────┘
/// kind 0, readings:       count varint, then each
///                         ┌──────────────────┬─────────────────────────────┬──────────────┬────────┐
///                         │ series − previous│ time − receivedAt           │ value        │ mark   │
///                         │ signed varint    │ signed varint (wraps), ms   │ f64 bits LE  │ u8     │
///                         └──────────────────┴─────────────────────────────┴──────────────┴────────┘
/// kind 1, clock advance:  has-site u8 (0|1), site text, to signed varint
/// kind 2, invalidation:   count varint, then each
///                         ┌──────────────────┬─────────────────────────────┬────────────────────┐
///                         │ series − previous│ from − receivedAt           │ through − from     │
///                         │ signed varint    │ signed varint (wraps), ms   │ varint (wraps), ms │
///                         └──────────────────┴─────────────────────────────┴────────────────────┘
/// kind 3, removal:        from signed varint, through signed varint, count varint, then each series − previous
///                         signed varint
/// ```
/// Bit 7 of a mark, which ``SampleMark`` never uses, says that the reading is another quality of the sample that is stored.
/// Reason and values stand next to each other per reason. The row's key is the position; it is not in the blob.
/// The checksum covers all bytes before it.
enum JournalCodec {
    static let version: UInt8 = 1
    /// Bytes of a reading: a number of 33 bits, one of 64, a value and a mark.
    private static let largestReading = 5 + 10 + 8 + 1
    private static let revision: UInt8 = 0x80

    static func encode(_ entry: JournalEntry) -> [UInt8] {
        var writer = ByteWriter(capacity: JournalCodec.capacity(of: entry))
        writer.byte(self.version)
        switch entry.content {
        case .readings: writer.byte(0)
        case .clockAdvance: writer.byte(1)
        case .invalidation: writer.byte(2)
        case .removal: writer.byte(3)
        }
        writer.signed(entry.receivedAt.milliseconds)
        writer.count(entry.messages)
        writer.count(entry.refused.count)
        for (reason, values) in entry.refused.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            writer.text(reason.rawValue)
            writer.count(values)
        }
        switch entry.content {
        case .readings(let readings):
            writer.count(readings.count)
            writer.appendUnchecked(atMost: readings.count * self.largestReading) { cursor in
                var previous: Int64 = 0
                for reading in readings {
                    let series = Int64(reading.series.rawValue)
                    cursor.signed(series - previous)
                    previous = series
                    cursor.signed(reading.sample.time.milliseconds &- entry.receivedAt.milliseconds)
                    cursor.fixed(reading.sample.value.bitPattern)
                    cursor.byte(reading.sample.mark.rawValue | (reading.isRevision ? self.revision : 0))
                }
            }
        case .clockAdvance(let site, let to):
            writer.byte(site == nil ? 0 : 1)
            writer.text(site ?? "")
            writer.signed(to.milliseconds)
        case .invalidation(let spans):
            writer.count(spans.count)
            var previous: Int64 = 0
            for span in spans {
                writer.signed(Int64(span.series.rawValue) - previous)
                previous = Int64(span.series.rawValue)
                writer.signed(span.from.milliseconds &- entry.receivedAt.milliseconds)
                writer.varint(UInt64(bitPattern: span.through.milliseconds &- span.from.milliseconds))
            }
        case .removal(let series, let from, let through):
            writer.signed(from.milliseconds)
            writer.signed(through.milliseconds)
            writer.count(series.count)
            var previous: Int64 = 0
            for id in series {
                writer.signed(Int64(id.rawValue) - previous)
                previous = Int64(id.rawValue)
            }
        }
        writer.fixed(CRC32.checksum(writer.bytes.span))
        return writer.bytes
    }

    static func decode(_ bytes: [UInt8], at position: JournalPosition) throws(DamagedBytes) -> JournalEntry {
        var reader = try ByteReader(checking: bytes, version: self.version)
        let kind = try reader.byte()
        let receivedAt = Timestamp(milliseconds: try reader.signed())
        guard let messages = Int(exactly: try reader.varint()) else { throw reader.damaged("counts too many messages") }
        var refused: [QuarantineReason: Int] = [:]
        for _ in 0..<(try reader.count(ofSize: 2)) {
            let name = try reader.text()
            guard let reason = QuarantineReason(rawValue: name) else {
                throw reader.damaged("names an unknown reason '\(name)'")
            }
            refused[reason] = Int(truncatingIfNeeded: try reader.varint())
        }
        let content: JournalEntry.Content
        switch kind {
        case 0: content = .readings(try self.readings(&reader, receivedAt: receivedAt))
        case 1:
            let hasSite = try reader.byte() == 1
            let site = try reader.text()
            content = .clockAdvance(site: hasSite ? site : nil, to: Timestamp(milliseconds: try reader.signed()))
        case 2: content = .invalidation(try self.spans(&reader, receivedAt: receivedAt))
        case 3:
            let from = Timestamp(milliseconds: try reader.signed())
            let through = Timestamp(milliseconds: try reader.signed())
            var series: [SeriesID] = []
            var previous: Int64 = 0
            for _ in 0..<(try reader.count(ofSize: 1)) { series.append(try self.series(&reader, &previous)) }
            content = .removal(series, from: from, through: through)
        default: throw reader.damaged("is of the unknown kind \(kind)")
        }
        return JournalEntry(
            position: position,
            receivedAt: receivedAt,
            content: content,
            refused: refused,
            messages: messages
        )
    }

    private static func readings(
        _ reader: inout ByteReader,
        receivedAt: Timestamp
    ) throws(DamagedBytes) -> [JournalReading] {
        let count = try reader.count(ofSize: 11)
        var readings: [JournalReading] = []
        readings.reserveCapacity(count)
        var series: Int64 = 0
        for _ in 0..<count {
            let id = try self.series(&reader, &series)
            let time = Timestamp(milliseconds: receivedAt.milliseconds &+ (try reader.signed()))
            let value = Double(bitPattern: try reader.fixed64())
            let mark = try reader.byte()
            readings.append(
                JournalReading(
                    series: id,
                    sample: Sample(time: time, value: value, mark: SampleMark(rawValue: mark & ~self.revision)),
                    isRevision: mark & self.revision != 0
                )
            )
        }
        return readings
    }

    private static func spans(
        _ reader: inout ByteReader,
        receivedAt: Timestamp
    ) throws(DamagedBytes) -> [SeriesSpan] {
        let count = try reader.count(ofSize: 3)
        var spans: [SeriesSpan] = []
        spans.reserveCapacity(count)
        var series: Int64 = 0
        for _ in 0..<count {
            let id = try self.series(&reader, &series)
            let from = receivedAt.milliseconds &+ (try reader.signed())
            let through = from &+ Int64(bitPattern: try reader.varint())
            spans.append(
                SeriesSpan(
                    series: id,
                    from: Timestamp(milliseconds: from),
                    through: Timestamp(milliseconds: through)
                )
            )
        }
        return spans
    }

    private static func series(_ reader: inout ByteReader, _ previous: inout Int64) throws(DamagedBytes) -> SeriesID {
        previous &+= try reader.signed()
        guard let id = UInt32(exactly: previous) else { throw reader.damaged("names an impossible series") }
        return SeriesID(rawValue: id)
    }

    private static func capacity(of entry: JournalEntry) -> Int {
        guard case .readings(let readings) = entry.content else { return 128 }
        return 64 + readings.count * 16
    }
}
