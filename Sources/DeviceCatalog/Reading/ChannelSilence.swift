// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

extension RegisteredChannel {
    /// Of a virtual series that says how the channel is: its own labels, its metric as `metric`, and its device.
    func stateLabels(_ name: String, virtual: Labels) -> Labels {
        virtual.merging(self.series.labels)
            .merging([Labels.metricName: name, "metric": self.metric, "device": self.device])
    }
}

/// The virtual series `channel_silent` of one channel.
struct ChannelSilence: Sendable {
    private let channel: RegisteredChannel
    /// Find the channel's series, and others that have more labels.
    private let matchers: [LabelMatcher]
    /// From which age of the newest sample on the channel is silent.
    private let limit: Milliseconds
    let labels: Labels

    /// - Returns: Nil where it is not known how often the channel reports.
    init?(channel: RegisteredChannel, virtual: Labels) {
        guard let schedule = channel.schedule else { return nil }
        self.channel = channel
        self.limit = schedule.silenceLimit
        self.matchers = channel.series.labels.matchers
        self.labels = channel.stateLabels(CatalogReader.silenceMetric, virtual: virtual)
    }

    /// - Returns: `nil` while the channel has never reported.
    func columns(_ extent: SelectExtent, base: any SeriesReader, _ outages: Outages) throws -> SeriesColumns? {
        let start = extent.start
        let matchers = self.matchers
        let request = SelectRequest(
            matchers: matchers,
            extent: .window(after: outages.reach(before: start, limit: self.limit), through: extent.through),
            qualities: .all
        )
        let times = try base.select(request).first { $0.labels == self.channel.series.labels }?.times ?? []
        var spans: [StepFunction.Span] = []
        if times.first.map({ $0 > start }) ?? true {
            let before = try base.series(matching: matchers, after: .distantPast, through: start)
            if before.contains(self.channel.series.labels) {
                spans.append(StepFunction.Span(start: start, end: times.first ?? .distantFuture, value: 1))
            }
        }
        for (index, time) in times.enumerated() {
            let next = index + 1 < times.count ? times[index + 1] : .distantFuture
            let silentFrom = min(outages.silence(after: time, limit: self.limit), next)
            if let last = spans.last, last.value == 0, last.end == time {
                spans[spans.count - 1].end = silentFrom
            } else {
                spans.append(StepFunction.Span(start: time, end: silentFrom, value: 0))
            }
            if silentFrom < next { spans.append(StepFunction.Span(start: silentFrom, end: next, value: 1)) }
        }
        return StepFunction(spans: spans).columns(extent, labels: self.labels)
    }
}
