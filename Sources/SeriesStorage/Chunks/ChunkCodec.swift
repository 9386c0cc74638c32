// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The packed form of a chunk, version 2.
///
/// ```
/// ┌─────────┬──────────────┬────────────┬─────────────┬────────┬────────┐
/// │ version │ count        │ times      │ values      │ marks  │ CRC-32 │
/// │ u8 = 2  │ varint ≥ 1   │ TimeColumn │ ValueColumn │        │ u32 LE │
/// └─────────┴──────────────┴────────────┴─────────────┴────────┴────────┘
/// marks    runs until count is reached: mark u8, length − 1 varint
/// CRC-32   of all bytes before it
/// ```
/// Sensors send decimals at regular times, so both columns become small integers: times as places on a grid and
/// offsets from it, values as integers of a common power of ten and their first or second differences. An
/// ``IntegerColumn`` then picks its cheapest mode by estimated size, from one number for a constant to a ``TokenCoder``.
package enum ChunkCodec {
    package static let version: UInt8 = 2

    /// Samples of one chunk at most; bounds what a damaged count can allocate.
    package static let largest = 1 << 16

    /// Appends the packed form, its checksum included.
    ///
    /// There are 1 to ``largest`` samples.
    package static func encode(_ columns: Columns, into bytes: inout [UInt8]) -> ChunkStatistics {
        let count = columns.count
        precondition((1...self.largest).contains(count), "a chunk of \(count) samples")
        precondition(columns.values.count == count && columns.marks.count == count, "columns of unequal length")
        let start = bytes.count
        var writer = ByteWriter(continuing: &bytes)
        writer.byte(self.version)
        writer.count(count)
        columns.times.withUnsafeBytes { TimeColumn.encode($0.assumingMemoryBound(to: Int64.self), to: &writer) }
        let numbers = columns.values.withUnsafeBufferPointer { ValueColumn.encode($0, to: &writer) }
        let qualities = columns.marks.withUnsafeBufferPointer { self.encodeMarks($0, to: &writer) }
        writer.fixed(CRC32.checksum(writer.bytes.span.extracting(start..<writer.bytes.count)))
        bytes = writer.take()
        return ChunkStatistics(
            count: count,
            firstTime: columns.times[0],
            lastTime: columns.times[count - 1],
            qualities: qualities,
            hasNaN: columns.values.contains(where: \.isNaN),
            numbers: numbers,
            firstValue: columns.values[0],
            lastValue: columns.values[count - 1]
        )
    }

    package static func encode(_ columns: Columns) -> [UInt8] {
        var bytes: [UInt8] = []
        _ = self.encode(columns, into: &bytes)
        return bytes
    }

    /// Appends the `count` samples of a packed form; after an error the columns are as before.
    package static func decode(
        _ bytes: UnsafeRawBufferPointer,
        count: Int,
        appendingTo columns: inout Columns
    ) throws(DamagedBytes) {
        var reader = try self.open(bytes)
        guard try reader.count(upTo: self.largest) == count, count > 0 else {
            throw reader.damaged("has another number of samples")
        }
        let start = columns.count
        columns.times.append(contentsOf: repeatElement(Timestamp(milliseconds: 0), count: count))
        columns.values.append(contentsOf: repeatElement(0, count: count))
        columns.marks.append(contentsOf: repeatElement(0, count: count))
        do {
            try self.decode(count, at: start, of: &columns, from: &reader)
        } catch {
            columns.times.removeSubrange(start...)
            columns.values.removeSubrange(start...)
            columns.marks.removeSubrange(start...)
            throw error
        }
    }

    package static func decode(_ bytes: [UInt8]) throws(DamagedBytes) -> Columns {
        // Typed errors do not pass through the closure that gives the pointer.
        let result = bytes.withUnsafeBytes { raw -> Result<Columns, DamagedBytes> in
            do throws(DamagedBytes) {
                var reader = try self.open(raw)
                let count = try reader.count(upTo: self.largest)
                var columns = Columns()
                try self.decode(raw, count: count, appendingTo: &columns)
                return .success(columns)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Checks version and checksum; reads on at the count.
    private static func open(_ bytes: UnsafeRawBufferPointer) throws(DamagedBytes) -> RawReader {
        guard bytes.count > 5 else { throw DamagedBytes(message: "is too short", offset: bytes.count) }
        let end = bytes.count - 4
        let content = UnsafeRawBufferPointer(rebasing: bytes[..<end])
        guard bytes[0] == self.version, var reader = RawReader(content) else {
            throw DamagedBytes(message: "has the unknown format version \(bytes[0])", offset: 0)
        }
        let stored = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: end, as: UInt32.self))
        guard CRC32.checksum(content) == stored else {
            throw DamagedBytes(message: "fails its checksum", offset: end)
        }
        _ = try reader.byte()
        return reader
    }

    private static func decode(
        _ count: Int,
        at start: Int,
        of columns: inout Columns,
        from reader: inout RawReader
    ) throws(DamagedBytes) {
        var damage: DamagedBytes?
        columns.times.withUnsafeMutableBytes { times in
            columns.values.withUnsafeMutableBufferPointer { values in
                columns.marks.withUnsafeMutableBufferPointer { marks in
                    guard let times = times.assumingMemoryBound(to: Int64.self).baseAddress,
                        let values = values.baseAddress, let marks = marks.baseAddress
                    else { return }
                    do throws(DamagedBytes) {
                        try TimeColumn.decode(count, into: times + start, from: &reader)
                        try ValueColumn.decode(count, into: values + start, from: &reader)
                        try self.decodeMarks(count, into: marks + start, from: &reader)
                        if reader.remaining > 0 { throw reader.damaged("goes on after its end") }
                    } catch {
                        damage = error
                    }
                }
            }
        }
        if let damage { throw damage }
    }

    /// Returns the bit set of the quality flags.
    private static func encodeMarks(_ marks: UnsafeBufferPointer<UInt8>, to writer: inout ByteWriter) -> UInt16 {
        var qualities: UInt16 = 0
        var start = 0
        while start < marks.count {
            var end = start + 1
            while end < marks.count, marks[end] == marks[start] { end += 1 }
            qualities |= 1 << UInt16(marks[start] & 0x0F)
            writer.byte(marks[start])
            writer.count(end - start - 1)
            start = end
        }
        return qualities
    }

    private static func decodeMarks(
        _ count: Int,
        into marks: UnsafeMutablePointer<UInt8>,
        from reader: inout RawReader
    ) throws(DamagedBytes) {
        var done = 0
        while done < count {
            let mark = try reader.byte()
            guard let more = Int(exactly: try reader.varint()), more < count - done else {
                throw reader.damaged("has too many marks")
            }
            (marks + done).update(repeating: mark, count: more + 1)
            done += more + 1
        }
    }
}
