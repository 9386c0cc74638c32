// poyang
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import PromQL
import Synchronization
import Telemetry

/// An answer in Prometheus's JSON, made piece by piece while it is sent (Prometheus HTTP API, "Expression queries").
final class AnswerPieces: Sendable {
    /// What an answer is made of.
    private struct Items: Sendable {
        /// As the API names it.
        let resultType: StaticString
        /// Nil for a scalar or a string, which is one item without a list around it.
        let count: Int?
        /// About so many bytes each.
        let bytes: Int
        let write: @Sendable (_ index: Int, _ text: inout PrometheusText) -> Void
    }

    private struct State: Sendable {
        var next = 0
        var isFinished = false
        /// Made, and not taken yet.
        var first: ByteBuffer?
    }

    /// Of a piece, about.
    private static let pieceBytes = 1 << 20
    /// So many bytes are worth more than one thread.
    private static let sharedFrom = 64 << 10

    private let items: Items
    private let annotations: [String]
    private let workers: any Workers
    private let state = Mutex(State())

    private init(_ items: Items, annotations: [String], limit: Int?, workers: any Workers) {
        let count = items.count.map { min($0, limit ?? .max) }
        self.items = Items(resultType: items.resultType, count: count, bytes: items.bytes, write: items.write)
        self.annotations = annotations + (count == items.count ? [] : ["results truncated due to limit"])
        self.workers = workers
    }

    /// - Parameters:
    ///   - result: Of a range query.
    ///   - limit: How many series are wanted at most; nil for all.
    ///   - workers: Who write them.
    convenience init(_ result: RangeResult, limit: Int?, workers: any Workers) {
        // Of several series all have the same.
        let times = result.series.count > 1 ? PointTimes(result.times) : nil
        let items = Items(
            resultType: "matrix",
            count: result.series.count,
            bytes: 128 + result.times.count * 32
        ) { index, text in
            let series = result.series[index]
            text.series(series.labels, count: result.times.count) { points in
                if let times {
                    series.eachSample { step, value in points.point(times, step, value) }
                } else {
                    series.eachSample { step, value in points.point(result.times[step], value) }
                }
            }
        }
        self.init(items, annotations: result.warnings, limit: limit, workers: workers)
    }

    /// - Parameters:
    ///   - result: Of an instant query.
    ///   - time: Of the evaluation.
    ///   - limit: How many elements are wanted at most; nil for all.
    ///   - workers: Who write them.
    convenience init(_ result: InstantResult, at time: Timestamp, limit: Int?, workers: any Workers) {
        let items: Items
        switch result.value {
        case .vector(let samples):
            items = Items(resultType: "vector", count: samples.count, bytes: 160) { index, text in
                text.raw(#"{"metric":"#)
                text.labels(samples[index].labels)
                text.raw(#","value":"#)
                text.point(time, samples[index].value)
                text.raw("}")
            }
        case .matrix(let series):
            let samples = series.reduce(0) { $0 + $1.times.count }
            let bytes = 128 + samples / max(1, series.count) * 32
            items = Items(resultType: "matrix", count: series.count, bytes: bytes) { index, text in
                let series = series[index]
                text.series(series.labels, count: series.times.count) { points in
                    for (time, value) in zip(series.times, series.values) { points.point(time, value) }
                }
            }
        case .scalar(let value):
            items = Items(resultType: "scalar", count: nil, bytes: 64) { _, text in
                text.point(time, value)
            }
        case .string(let string):
            items = Items(resultType: "string", count: nil, bytes: 64 + string.utf8.count) { _, text in
                text.raw("[")
                text.time(time)
                text.raw(",")
                text.string(string)
                text.raw("]")
            }
        }
        self.init(items, annotations: result.warnings, limit: limit, workers: workers)
    }

    /// Makes the first part while the thread is at it.
    ///
    /// - Returns: Itself.
    func begun() -> AnswerPieces {
        let first = self.next()
        self.state.withLock { $0.first = first }
        return self
    }

    /// The whole text where it is one part, and nothing of it was taken.
    var whole: ByteBuffer? { self.state.withLock { $0.isFinished ? $0.first : nil } }

    /// The next part of the text; nil after the last.
    ///
    /// Items are written by several threads at once, so that the last step of a query is not the longest.
    func next() -> ByteBuffer? {
        self.state.withLock { state in
            if let first = state.first.take() { return first }
            guard !state.isFinished else { return nil }
            let count = self.items.count ?? 1
            let end = min(count, state.next + max(1, Self.pieceBytes / self.items.bytes))
            let text = self.text(state.next..<end, of: count)
            state.next = end
            state.isFinished = end == count
            return text.buffer
        }
    }

    /// Some of the items, with what stands before the first and after the last.
    private func text(_ range: Range<Int>, of count: Int) -> PrometheusText {
        let items = self.items
        @Sendable func write(_ places: Range<Int>, _ text: inout PrometheusText) {
            for index in places {
                if index > 0 { text.raw(",") }
                items.write(index, &text)
            }
        }
        var parts: [PrometheusText] = []
        if range.count > 1, range.count * items.bytes >= Self.sharedFrom {
            parts = self.workers.map(range.count) { places in
                // Room for one more than there are: the last, too, is made where it stays.
                var text = PrometheusText(capacity: (places.count + 1) * items.bytes)
                write(range.lowerBound + places.lowerBound..<range.lowerBound + places.upperBound, &text)
                return text
            }
        }
        let bytes = parts.isEmpty ? (range.count + 1) * items.bytes : parts.reduce(0) { $0 + $1.count }
        var text = PrometheusText(capacity: bytes + 256)
        if range.lowerBound == 0 { self.open(&text) }
        if parts.isEmpty { write(range, &text) } else { for part in parts { text.append(part) } }
        if range.upperBound == count { self.close(&text) }
        return text
    }

    private func open(_ text: inout PrometheusText) {
        text.raw(#"{"status":"success","data":{"resultType":""#)
        text.raw(self.items.resultType)
        text.raw(#"","result":"#)
        if self.items.count != nil { text.raw("[") }
    }

    private func close(_ text: inout PrometheusText) {
        if self.items.count != nil { text.raw("]") }
        text.raw("}")
        text.annotations(self.annotations)
        text.raw("}")
    }
}
