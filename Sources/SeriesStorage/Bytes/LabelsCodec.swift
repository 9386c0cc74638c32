// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The packed form of a series' labels: count varint, then name text and value text of each, sorted by name.
///
/// A text is its length in UTF-8 bytes as a varint, and the bytes.
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
}
