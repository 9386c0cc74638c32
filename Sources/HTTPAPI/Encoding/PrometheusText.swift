// poyang
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Telemetry

/// Writes the parts of Prometheus's JSON: times as seconds, values as strings (Prometheus HTTP API, "Format overview").
///
/// Into the memory from which they are sent.
struct PrometheusText {
    private(set) var buffer = ByteBuffer()

    init(capacity: Int = 256) { self.buffer.reserveCapacity(capacity) }

    var count: Int { self.buffer.readableBytes }
    var string: String { String(buffer: self.buffer) }

    mutating func raw(_ text: StaticString) { self.buffer.writeStaticString(text) }

    mutating func append(_ other: PrometheusText) { self.buffer.writeImmutableBuffer(other.buffer) }

    /// A JSON string (RFC 8259, section 7).
    mutating func string(_ text: String) {
        let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
        guard isPlain else {
            self.buffer.writeString(text.jsonString)
            return
        }
        self.raw("\"")
        self.buffer.writeString(text)
        self.raw("\"")
    }

    /// `{"__name__":"up","job":"x"}`.
    mutating func labels(_ labels: Labels) {
        self.raw("{")
        for (index, label) in labels.enumerated() {
            if index > 0 { self.raw(",") }
            self.string(label.name)
            self.raw(":")
            self.string(label.value)
        }
        self.raw("}")
    }

    /// One series of a matrix; `write` writes `count` points at most.
    mutating func series(_ labels: Labels, count: Int, points write: (inout PointWriter) -> Void) {
        self.raw(#"{"metric":"#)
        self.labels(labels)
        self.raw(#","values":["#)
        self.points(count, write)
        self.raw("]}")
    }

    /// `[1435781430.781,"1"]`.
    mutating func point(_ time: Timestamp, _ value: Double) { self.points(1) { $0.point(time, value) } }

    /// `1435781430.781`.
    mutating func time(_ time: Timestamp) { self.points(1) { $0.time(time) } }

    /// As ``PointWriter/number(_:)``.
    mutating func number(_ value: Double) { self.points(1) { $0.number(value) } }

    private mutating func points(_ count: Int, _ write: (inout PointWriter) -> Void) {
        guard count > 0 else { return }
        self.buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count * PointWriter.largestPoint) { memory in
            guard let start = memory.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return 0 }
            var writer = PointWriter(start)
            write(&writer)
            return writer.end - start
        }
    }

    /// `,"warnings":[…],"infos":[…]`, as far as there are any.
    mutating func annotations(_ texts: [String]) {
        let infos = texts.filter { $0.hasPrefix("PromQL info") }
        self.list(#","warnings":["#, texts.filter { !$0.hasPrefix("PromQL info") })
        self.list(#","infos":["#, infos)
    }

    private mutating func list(_ opening: StaticString, _ texts: [String]) {
        guard !texts.isEmpty else { return }
        self.raw(opening)
        for (index, text) in texts.enumerated() {
            if index > 0 { self.raw(",") }
            self.string(text)
        }
        self.raw("]")
    }
}
