// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Telemetry

/// The spans of one alert series, however short and however many.
struct AlertSpans: Sendable {
    typealias Span = StepFunction.Span

    /// Prometheus's mark for "this series ends here".
    private static let staleMarker = Double(bitPattern: 0x7FF0_0000_0000_0002)

    /// In order of time, without overlap.
    let spans: [Span]

    /// Of spans that overlap, as where two rules have the same labels, the later begins where it begins; with the same
    /// value they are one.
    init(_ unordered: [Span]) {
        var spans: [Span] = []
        for span in unordered.sorted(by: { $0.start < $1.start }) where span.start < span.end {
            guard let last = spans.last, last.end >= span.start else {
                spans.append(span)
                continue
            }
            if last.value == span.value {
                spans[spans.count - 1].end = max(last.end, span.end)
            } else {
                spans[spans.count - 1].end = span.start
                if last.start == span.start { spans.removeLast() }
                spans.append(span)
            }
        }
        self.spans = spans
    }

    /// As ``StepFunction/columns(_:labels:)``, but to a look-back each end is told by a stale marker: the shortest span
    /// of a threshold is a season, that of an alert may be a second.
    ///
    /// - Returns: `nil` where no span is in the extent.
    func columns(_ extent: SelectExtent, labels: Labels) -> SeriesColumns? {
        guard case .lookback(let from, let through) = extent else {
            return StepFunction(spans: self.spans).columns(extent, labels: labels)
        }
        var times: [Timestamp] = []
        var values: [Double] = []
        var nextChange = Timestamp.distantFuture
        for span in self.spans where span.end > from {
            if span.start > through {
                nextChange = min(nextChange, span.start)
                break
            }
            if let last = times.last, last == span.start {
                // The marker of the end before.
                times.removeLast()
                values.removeLast()
            }
            times.append(span.start)
            values.append(span.value)
            if span.end <= through {
                times.append(span.end)
                values.append(Self.staleMarker)
            } else {
                nextChange = min(nextChange, span.end)
            }
        }
        guard !times.isEmpty else { return nil }
        return SeriesColumns(
            labels: labels,
            times: times,
            values: values,
            marks: Array(repeating: SampleMark(quality: .pass), count: times.count),
            lookback: StepFunction.endlessLookback,
            nextChange: nextChange
        )
    }
}
