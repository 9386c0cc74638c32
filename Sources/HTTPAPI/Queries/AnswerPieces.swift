// poyang
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import PromQL
import Synchronization
import Telemetry

/// An answer in Prometheus's JSON, made piece by piece while it is sent (Prometheus HTTP API, "Expression queries").
final class AnswerPieces: Sendable {
    private static let pieceBytes = 256 << 10

    private struct State: Sendable {
        var next = 0
        var isFinished = false
    }

    private let opening: String
    private let closing: String
    private let count: Int
    private let item: @Sendable (Int, inout PrometheusText) -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - resultType: As the API names it.
    ///   - count: Of items in the result.
    ///   - annotations: Of the evaluation.
    ///   - item: Writes one item.
    private init(
        _ resultType: String,
        count: Int,
        annotations: [String],
        item: @escaping @Sendable (Int, inout PrometheusText) -> Void
    ) {
        self.opening = #"{"status":"success","data":{"resultType":"\#(resultType)","result":"#
        var text = PrometheusText()
        text.raw("}")
        text.annotations(annotations)
        text.raw("}")
        self.closing = text.string
        self.count = count
        self.item = item
    }

    /// - Parameters:
    ///   - result: Of a range query.
    ///   - limit: How many series are wanted at most; nil for all.
    convenience init(_ result: RangeResult, limit: Int? = nil) {
        let count = min(result.series.count, limit ?? .max)
        let annotations = result.warnings + Self.truncation(count < result.series.count)
        self.init("matrix", count: count, annotations: annotations) { index, text in
            let series = result.series[index]
            text.series(series.labels) { text in
                series.eachSample { time, value in text.point(time, value) }
            }
        }
    }

    private static func truncation(_ isTruncated: Bool) -> [String] {
        isTruncated ? ["results truncated due to limit"] : []
    }

    /// - Parameters:
    ///   - result: Of an instant query.
    ///   - time: Of the evaluation.
    ///   - limit: How many elements are wanted at most; nil for all.
    convenience init(_ result: InstantResult, at time: Timestamp, limit: Int? = nil) {
        switch result.value {
        case .vector(let samples):
            let count = min(samples.count, limit ?? .max)
            let annotations = result.warnings + Self.truncation(count < samples.count)
            self.init("vector", count: count, annotations: annotations) { index, text in
                text.raw(#"{"metric":"#)
                text.labels(samples[index].labels)
                text.raw(#","value":"#)
                text.point(time, samples[index].value, isFirst: true)
                text.raw("}")
            }
        case .matrix(let series):
            let count = min(series.count, limit ?? .max)
            let annotations = result.warnings + Self.truncation(count < series.count)
            self.init("matrix", count: count, annotations: annotations) { index, text in
                text.series(series[index].labels) { text in
                    for (time, value) in zip(series[index].times, series[index].values) { text.point(time, value) }
                }
            }
        case .scalar(let value):
            self.init("scalar", count: -1, annotations: result.warnings) { _, text in
                text.point(time, value, isFirst: true)
            }
        case .string(let string):
            self.init("string", count: -1, annotations: result.warnings) { _, text in
                text.raw("[")
                text.time(time)
                text.raw(",")
                text.string(string)
                text.raw("]")
            }
        }
    }

    /// The next part of the text; nil after the last.
    func next() -> ByteBuffer? {
        self.state.withLock { state in
            guard !state.isFinished else { return nil }
            var text = PrometheusText(capacity: Self.pieceBytes + (64 << 10))
            if state.next == 0 {
                text.raw(self.opening)
                if self.count < 0 { self.item(0, &text) } else { text.raw("[") }
            }
            while state.next < self.count {
                if state.next > 0 { text.raw(",") }
                self.item(state.next, &text)
                state.next += 1
                if text.count >= Self.pieceBytes, state.next < self.count { return ByteBuffer(bytes: text.bytes) }
            }
            if self.count >= 0 { text.raw("]") }
            text.raw(self.closing)
            state.isFinished = true
            return ByteBuffer(bytes: text.bytes)
        }
    }
}
