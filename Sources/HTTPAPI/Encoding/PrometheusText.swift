// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Writes the parts of Prometheus's JSON: times as seconds, values as strings (Prometheus HTTP API, "Format overview").
struct PrometheusText {
    private(set) var bytes: [UInt8]

    init(capacity: Int = 256) {
        self.bytes = []
        self.bytes.reserveCapacity(capacity)
    }

    var count: Int { self.bytes.count }
    var string: String { String(decoding: self.bytes, as: UTF8.self) }

    mutating func raw(_ text: StaticString) {
        self.bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// A JSON string (RFC 8259, section 7).
    mutating func string(_ text: String) { self.bytes.appendJSONString(text) }

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
        let capacity = count * PointWriter.largestPoint
        self.bytes += [UInt8](unsafeUninitializedCapacity: capacity) { memory, written in
            guard let start = memory.baseAddress else { return }
            var writer = PointWriter(start)
            write(&writer)
            written = writer.end - start
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
