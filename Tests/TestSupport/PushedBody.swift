// poyang
// SPDX-License-Identifier: Apache-2.0

/// Bodies of remote write 1.0, put together byte by byte: nothing of ours or of a protobuf library is used.
package enum PushedBody {
    /// One series with its labels in the order given.
    package struct Series {
        package var labels: [(name: String, value: String)]
        package var samples: [(time: Int64, value: Double)]

        package init(_ labels: KeyValuePairs<String, String>, _ samples: KeyValuePairs<Int64, Double>) {
            self.labels = labels.map { ($0.key, $0.value) }
            self.samples = samples.map { ($0.key, $0.value) }
        }
    }

    /// A whole body.
    package static func body(_ series: [Series]) -> [UInt8] { self.snappy(self.request(series)) }

    /// A `prometheus.WriteRequest`.
    package static func request(_ series: [Series]) -> [UInt8] { series.flatMap { self.field(1, self.message($0)) } }

    /// A snappy block that is made of literals alone, of at most 64 KiB each.
    package static func snappy(_ text: [UInt8]) -> [UInt8] {
        var block = self.varint(UInt64(text.count))
        for start in stride(from: 0, to: text.count, by: 1 << 16) {
            let literal = text[start..<min(start + 1 << 16, text.count)]
            block += [61 << 2, UInt8((literal.count - 1) & 0xFF), UInt8((literal.count - 1) >> 8)] + literal
        }
        return block
    }

    /// A field of a message that is a text or a message.
    package static func field(_ number: UInt64, _ content: some Collection<UInt8>) -> [UInt8] {
        self.varint(number << 3 | 2) + self.varint(UInt64(content.count)) + content
    }

    package static func varint(_ number: UInt64) -> [UInt8] {
        var rest = number
        var bytes: [UInt8] = []
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    private static func message(_ series: Series) -> [UInt8] {
        let labels = series.labels.flatMap { self.field(1, self.field(1, $0.name.utf8) + self.field(2, $0.value.utf8)) }
        let samples = series.samples.flatMap { time, value in
            let bits = value.bitPattern
            let bytes = (0..<8).map { UInt8(truncatingIfNeeded: bits >> ($0 * 8)) }
            return self.field(2, [1 << 3 | 1] + bytes + [2 << 3] + self.varint(UInt64(bitPattern: time)))
        }
        return labels + samples
    }
}
