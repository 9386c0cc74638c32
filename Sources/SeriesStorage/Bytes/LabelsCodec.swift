// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The packed form of a series' labels: count varint, then name text and value text of each, sorted by name.
///
/// A text is its length in UTF-8 bytes as a varint, and the bytes. In the table `series` the CRC-32 of all of it follows,
/// u32 LE.
enum LabelsCodec {
    static func encode(_ labels: Labels) -> [UInt8] {
        var writer = ByteWriter(capacity: 64)
        writer.count(labels.count)
        for label in labels {
            writer.text(label.name)
            writer.text(label.value)
        }
        return writer.bytes
    }

    static func decode(_ bytes: [UInt8]) throws(DamagedBytes) -> Labels {
        var reader = ByteReader(bytes)
        var labels: [Label] = []
        for _ in 0..<(try reader.count(ofSize: 2)) {
            let name = try reader.text()
            labels.append(Label(name: name, value: try reader.text()))
        }
        return Labels(sorted: labels)
    }

    /// What the table holds of packed labels.
    static func row(of packed: [UInt8]) -> [UInt8] {
        var writer = ByteWriter(capacity: 4)
        writer.fixed(CRC32.checksum(packed.span))
        return packed + writer.bytes
    }

    /// The packed labels in what the table holds.
    static func packed(inRow row: [UInt8]) throws(DamagedBytes) -> [UInt8] {
        guard row.count > 4 else { throw DamagedBytes(message: "is too short for labels", offset: row.count) }
        let end = row.count - 4
        var stored: UInt32 = 0
        for index in 0..<4 { stored |= UInt32(row[end + index]) << UInt32(8 * index) }
        guard CRC32.checksum(row.span.extracting(0..<end)) == stored else {
            throw DamagedBytes(message: "has labels that fail their checksum", offset: end)
        }
        return Array(row[..<end])
    }
}
