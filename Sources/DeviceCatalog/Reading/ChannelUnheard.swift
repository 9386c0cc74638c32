// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The virtual series `channel_never_reported` of one channel: until its first report it is 0, and 1 from the moment on
/// at which that is overdue.
struct ChannelUnheard: Sendable {
    private let series: Labels
    private let matchers: [LabelMatcher]
    private let installedAt: Timestamp
    private let limit: Milliseconds
    let labels: Labels

    /// - Returns: Nil where it is not known how often the channel reports, or since when it should.
    init?(channel: RegisteredChannel, virtual: Labels) {
        guard let schedule = channel.schedule, let installed = channel.installedAt else { return nil }
        self.series = channel.series.labels
        self.matchers = channel.series.labels.matchers
        self.installedAt = installed
        self.limit = schedule.silenceLimit
        self.labels = channel.stateLabels(CatalogReader.unheardMetric, virtual: virtual)
    }

    /// - Returns: Nil where the channel has reported before the extent.
    func columns(_ extent: SelectExtent, base: any SeriesReader, _ outages: Outages) throws -> SeriesColumns? {
        let hasReported = try base.series(matching: self.matchers, after: .distantPast, through: extent.start)
            .contains(self.series)
        guard !hasReported else { return nil }
        let request = SelectRequest(
            matchers: self.matchers,
            extent: .window(after: extent.start, through: extent.through),
            qualities: .all
        )
        let first = try base.select(request).first { $0.labels == self.series }?.times.first ?? .distantFuture
        let overdueAt = outages.silence(after: self.installedAt, limit: self.limit)
        var spans = [StepFunction.Span(start: CatalogResolver.earliestTime, end: min(overdueAt, first), value: 0)]
        if overdueAt < first { spans.append(StepFunction.Span(start: overdueAt, end: first, value: 1)) }
        return StepFunction(spans: spans).columns(extent, labels: self.labels)
    }
}
