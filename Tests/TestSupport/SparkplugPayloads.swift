// poyang
// SPDX-License-Identifier: Apache-2.0

/// Payloads of Sparkplug B, put together byte by byte: nothing of ours or of a protobuf library is used.
package enum SparkplugPayloads {
    package enum Value {
        case int(UInt32)
        case long(UInt64)
        case float(Float)
        case double(Double)
        case boolean(Bool)
        case string(String)
        case null
        /// A data set or a template, which we do not read.
        case other
    }

    /// One metric; what is nil is left out.
    package static func metric(
        _ name: String?,
        _ value: Value,
        alias: UInt64? = nil,
        type: UInt64? = nil,
        time: UInt64? = nil,
        isHistorical: Bool = false,
        isTransient: Bool = false
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        if let name { bytes += PushedBody.field(1, name.utf8) }
        if let alias { bytes += self.number(2, alias) }
        if let time { bytes += self.number(3, time) }
        if let type { bytes += self.number(4, type) }
        if isHistorical { bytes += self.number(5, 1) }
        if isTransient { bytes += self.number(6, 1) }
        switch value {
        case .int(let number): bytes += self.number(10, UInt64(number))
        case .long(let number): bytes += self.number(11, number)
        case .float(let number): bytes += PushedBody.varint(12 << 3 | 5) + self.little(UInt64(number.bitPattern), 4)
        case .double(let number): bytes += PushedBody.varint(13 << 3 | 1) + self.little(number.bitPattern, 8)
        case .boolean(let flag): bytes += self.number(14, flag ? 1 : 0)
        case .string(let text): bytes += PushedBody.field(15, text.utf8)
        case .null: bytes += self.number(7, 1)
        case .other: bytes += PushedBody.field(17, self.number(1, 2))
        }
        return bytes
    }

    package static func payload(_ metrics: [[UInt8]], time: UInt64? = nil, sequence: UInt64? = nil) -> [UInt8] {
        var bytes: [UInt8] = []
        if let time { bytes += self.number(1, time) }
        for metric in metrics { bytes += PushedBody.field(2, metric) }
        if let sequence { bytes += self.number(3, sequence) }
        return bytes
    }

    private static func number(_ field: UInt64, _ value: UInt64) -> [UInt8] {
        PushedBody.varint(field << 3) + PushedBody.varint(value)
    }

    private static func little(_ bits: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: bits >> ($0 * 8)) }
    }
}
