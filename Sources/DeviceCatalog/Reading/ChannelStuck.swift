// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The virtual series `channel_stuck` of one channel: 1 while it reports the same value as long as its model allows
/// it to, and longer; else 0.
///
/// Zeros of a rain gauge are dry weather and never stuck.
struct ChannelStuck: Sendable {
    private let series: Labels
    private let matchers: [LabelMatcher]
    private let limit: Milliseconds
    /// After so long without a report the channel is silent, which is another matter.
    private let silenceLimit: Milliseconds
    private let ignoresZero: Bool
    let labels: Labels

    /// - Returns: Nil where the model says nothing of it, or where it is not known how often the channel reports.
    init?(channel: RegisteredChannel, virtual: Labels) {
        guard let schedule = channel.schedule, let limit = channel.stuckAfter else { return nil }
        self.series = channel.series.labels
        self.matchers = channel.series.labels.matchers
        self.limit = limit
        self.silenceLimit = schedule.silenceLimit
        self.ignoresZero = channel.metric == RainCounter.depthMetric
        self.labels = channel.stateLabels(CatalogReader.stuckMetric, virtual: virtual)
    }

    /// - Returns: Nil while the channel does not report.
    func columns(_ extent: SelectExtent, base: any SeriesReader) throws -> SeriesColumns? {
        // So far back that a run of equal values which is long enough at the start is seen to be so.
        let reach = max(self.limit + self.silenceLimit, 2 * self.silenceLimit)
        let request = SelectRequest(
            matchers: self.matchers,
            extent: .window(after: extent.start - reach, through: extent.through),
            // While work is done on a device, its value may well stand.
            qualities: .all.subtracting(QualitySet(.missing))
        )
        guard let columns = try base.select(request).first(where: { $0.labels == self.series }) else { return nil }
        var spans: [StepFunction.Span] = []
        func add(_ start: Timestamp, _ end: Timestamp, _ value: Double) {
            guard start < end else { return }
            if let last = spans.last, last.value == value, last.end == start {
                spans[spans.count - 1].end = end
            } else {
                spans.append(StepFunction.Span(start: start, end: end, value: value))
            }
        }
        var runStart = columns.times.first ?? .distantPast
        for (index, time) in columns.times.enumerated() {
            let value = columns.values[index]
            let isNew = index == 0 || columns.values[index - 1] != value
            let follows = index > 0 && time < columns.times[index - 1] + self.silenceLimit
            if isNew || !follows { runStart = time }
            let next = index + 1 < columns.times.count ? columns.times[index + 1] : .distantFuture
            let end = min(next, time + self.silenceLimit)
            let stuckFrom = self.ignoresZero && value == 0 ? end : min(max(runStart + self.limit, time), end)
            add(time, stuckFrom, 0)
            add(stuckFrom, end, 1)
        }
        return StepFunction(spans: spans).columns(extent, labels: self.labels)
    }
}
