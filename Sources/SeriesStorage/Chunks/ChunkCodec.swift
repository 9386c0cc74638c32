// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The packed form of a chunk, version 1.
///
/// ```
/// ┌─────────┬──────────────┬──────────┬──────┬──────────┬────────┬────────┬────────┐
/// │ version │ count        │ times    │ mode │ exponent │ values │ marks  │ CRC-32 │
/// │ u8 = 1  │ varint ≥ 1   │ see below│ u8   │ u8       │        │        │ u32 LE │
/// └─────────┴──────────────┴──────────┴──────┴──────────┴────────┴────────┴────────┘
/// times    first time in ms, signed varint; then the count − 1 differences of differences as a run stream
///          (the difference before the first one is 0), in wrapping 64-bit arithmetic
/// mode 0   values are f64 bits, LE, count × 8 bytes
/// mode 1   value = integer / 10^exponent; the differences of the count integers (the one before the first is 0)
///          as a run stream; then exceptions: count varint, and each: index − previous index varint, f64 bits LE
/// marks    runs until count is reached: mark u8, length − 1 varint
/// run stream of numbers: a number ≠ 0 is its signed varint; a run of n zeros is the byte 0 and varint n − 1
/// ```
/// A value belongs to mode 1 only if dividing gives its exact bits back; NaN, infinities, −0 and long binary
/// fractions are exceptions. More than one exception in eight makes the chunk mode 0.
enum ChunkCodec {
    static let version: UInt8 = 1

    /// Appends the packed form, its checksum included.
    static func encode(_ columns: Columns, into bytes: inout [UInt8]) -> ChunkStatistics {
        bytes += self.pack(columns)
        return self.statistics(of: columns)
    }

    static func encode(_ columns: Columns) -> [UInt8] {
        var bytes: [UInt8] = []
        _ = self.encode(columns, into: &bytes)
        return bytes
    }

    /// Appends the `count` samples of a packed form.
    static func decode(
        _ bytes: UnsafeRawBufferPointer,
        count: Int,
        appendingTo columns: inout Columns
    ) throws(DamagedBytes) {
        let decoded = try self.decode([UInt8](bytes))
        guard decoded.count == count else { throw DamagedBytes(message: "has another number of samples", offset: 1) }
        columns.times += decoded.times
        columns.values += decoded.values
        columns.marks += decoded.marks
    }

    private static func statistics(of columns: Columns) -> ChunkStatistics {
        let numbers = columns.values.filter { !$0.isNaN }
        return ChunkStatistics(
            count: columns.count,
            firstTime: columns.times.first ?? .distantPast,
            lastTime: columns.times.last ?? .distantPast,
            qualities: columns.marks.reduce(0) { $0 | 1 << UInt16($1 & 0x0F) },
            hasNaN: numbers.count < columns.count,
            numbers: numbers.isEmpty
                ? .none
                : .binary(
                    minimum: numbers.min() ?? .nan,
                    maximum: numbers.max() ?? .nan,
                    sum: numbers.reduce(0, +)
                ),
            firstValue: columns.values.first ?? .nan,
            lastValue: columns.values.last ?? .nan
        )
    }

    private static func pack(_ columns: Columns) -> [UInt8] {
        var writer = ByteWriter(capacity: 32 + columns.count * 4)
        writer.byte(self.version)
        writer.count(columns.count)
        self.encodeTimes(columns.times, into: &writer)
        DecimalColumn.encode(columns.values, into: &writer)
        self.encodeMarks(columns.marks, into: &writer)
        writer.fixed(CRC32.checksum(writer.bytes.span))
        return writer.bytes
    }

    static func decode(_ bytes: [UInt8]) throws(DamagedBytes) -> Columns {
        var reader = try ByteReader(checking: bytes, version: self.version)
        guard let count = Int(exactly: try reader.varint()), (1...ChunkCodec.largest).contains(count) else {
            throw reader.damaged("announces an impossible number of samples")
        }
        var columns = Columns()
        columns.times = try self.decodeTimes(&reader, count: count)
        columns.values = try DecimalColumn.decode(&reader, count: count)
        columns.marks = try self.decodeMarks(&reader, count: count)
        return columns
    }

    /// More samples than any chunk may have; bounds what a damaged count can allocate.
    static let largest = 1 << 16

    private static func encodeTimes(_ times: [Timestamp], into writer: inout ByteWriter) {
        var runs = RunEncoder()
        var previous = times.first?.milliseconds ?? 0
        var difference: Int64 = 0
        writer.signed(previous)
        for time in times.dropFirst() {
            let next = time.milliseconds &- previous
            runs.append(next &- difference, to: &writer)
            previous = time.milliseconds
            difference = next
        }
        runs.finish(&writer)
    }

    private static func decodeTimes(_ reader: inout ByteReader, count: Int) throws(DamagedBytes) -> [Timestamp] {
        var times: [Timestamp] = []
        times.reserveCapacity(count)
        var runs = RunDecoder()
        var time = try reader.signed()
        var difference: Int64 = 0
        times.append(Timestamp(milliseconds: time))
        for _ in 1..<count {
            difference &+= try runs.next(&reader)
            let next = time &+ difference
            guard next > time else { throw reader.damaged("has times that do not rise") }
            time = next
            times.append(Timestamp(milliseconds: time))
        }
        guard runs.isExhausted else { throw reader.damaged("has too many times") }
        return times
    }

    private static func encodeMarks(_ marks: [UInt8], into writer: inout ByteWriter) {
        var start = 0
        while start < marks.count {
            var end = start + 1
            while end < marks.count, marks[end] == marks[start] { end += 1 }
            writer.byte(marks[start])
            writer.count(end - start - 1)
            start = end
        }
    }

    private static func decodeMarks(_ reader: inout ByteReader, count: Int) throws(DamagedBytes) -> [UInt8] {
        var marks: [UInt8] = []
        marks.reserveCapacity(count)
        while marks.count < count {
            let mark = try reader.byte()
            guard let more = Int(exactly: try reader.varint()), more < count - marks.count else {
                throw reader.damaged("has too many marks")
            }
            marks.append(contentsOf: repeatElement(mark, count: more + 1))
        }
        return marks
    }
}
