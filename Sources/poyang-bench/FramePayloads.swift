// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import PayloadCodecs
import Telemetry

/// A codec that reads frames by the layout of a model's file.
struct LayoutBench: PayloadCodec {
    private let layout: PayloadLayout

    /// A probe with four fixed fields, one of them bits.
    static func fixed() throws -> LayoutBench {
        try LayoutBench(
            """
            payload:
              form: fixed
              ports: [2]
              frames:
                - fields:
                    - { key: a, type: u16, bits: [0, 13], scale: 0.001 }
                    - { key: b, type: s16, scale: 0.1, missing: 0x7FFF }
                    - { key: c, type: u16, scale: 0.01 }
                    - { key: d, type: s16, scale: 0.01, when: { at: 10, type: u8, bits: 7, equals: 0 } }
            """
        )
    }

    /// Items with an id and a type, as Milesight sends them.
    static func tagged() throws -> LayoutBench {
        try LayoutBench(
            """
            payload:
              form: tagged
              endian: little
              items:
                - { id: 0x01, type: 0x75, fields: [{ key: a, type: u8 }] }
                - { id: 0x03, type: 0x67, fields: [{ key: b, type: s16, scale: 0.1 }] }
                - { id: 0x04, type: 0x68, fields: [{ key: c, type: u8, scale: 0.5 }] }
                - { id: 0x05, type: 0x7F, fields: [{ key: d, type: u16 }] }
            """
        )
    }

    private init(_ payload: String) throws {
        let channels = ["a", "b", "c", "d"].map { "  bench_\($0)_volts: { key: \($0) }\n" }.joined()
        let source = SourceText(path: "Devices/models/bench/probe.yaml", text: "channels:\n\(channels)\(payload)")
        guard let layout = try CatalogFiles.parse([source]).models["bench/probe"]?.payload else {
            throw BenchFailure("the layout is not there")
        }
        self.layout = layout
    }

    func decode(_ payload: Span<UInt8>, into message: inout DecodedMessage) {
        message.removeAll()
        LayoutDecoder.decode(self.layout, payload, port: 2, time: nil, into: &message)
    }

    static func fixedFrame(_ number: Int) -> [UInt8] {
        [0x0C, 0xFC, 0, 0xF1, UInt8(number >> 8 & 0x1F), UInt8(number & 0xFF), 9, 0x9B, 0, 0, 0x10]
    }

    static func taggedFrame(_ number: Int) -> [UInt8] {
        [
            0x01, 0x75, 0x5C, 0x03, 0x67, UInt8(number & 0xFF), 0x01, 0x04, 0x68, 0x71, 0x05, 0x7F, 0xF0,
            UInt8(number >> 8 & 0xFF),
        ]
    }
}

/// Messages of Sparkplug B with ten metrics, named by their aliases.
enum SparkplugBench {
    /// A codec that has heard the births of its node.
    static func codec() -> SparkplugCodec {
        var codec = SparkplugCodec()
        var message = DecodedMessage()
        codec.topic = SparkplugTopic("spBv1.0/bench/NBIRTH/node")
        codec.decode(self.message(0, named: true).span, into: &message)
        codec.topic = SparkplugTopic("spBv1.0/bench/NDATA/node")
        return codec
    }

    static func message(_ number: Int, named: Bool = false) -> [UInt8] {
        var bytes = [0x08] + self.varint(1_655_802_000_000)
        for alias in 0..<10 {
            let name = Array("metric \(alias)".utf8)
            var metric = named ? [0x0A, UInt8(name.count)] + name : []
            metric += [0x10, UInt8(alias), 0x18] + self.varint(1_655_802_000_000 + UInt64(number))
            let bits = (Double(number) + Double(alias) / 4).bitPattern
            metric += [0x20, 10, 0x69] + (0..<8).map { UInt8(truncatingIfNeeded: bits >> ($0 * 8)) }
            bytes += [0x12, UInt8(metric.count)] + metric
        }
        return bytes
    }

    private static func varint(_ number: UInt64) -> [UInt8] {
        var rest = number
        var bytes: [UInt8] = []
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}
