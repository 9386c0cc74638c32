// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import DeviceCatalog
import Dissemination
import EarlyWarning
import Telemetry

/// Shows alerts as series beside those of another reader, at T as they were at T.
///
/// - `ALERTS{alertname, alertstate, …}` is 1 while an alert is `pending` or `firing`; one that is held fires.
/// - `ALERTS_FOR_STATE{alertname, …}` has over the same time the Unix seconds since which its expression held.
///
/// They come from the saved history, so an alert that was pending and never fired is seen only while it is pending, and
/// what the rules found out in the last second may be missing. The site's attributes are among the labels, and go
/// before labels of the same name that a rule gives: who may see a site's alerts is not for a rule to say.
struct AlertSeriesReader: SeriesReader {
    static let stateMetric = "ALERTS"
    static let activeMetric = "ALERTS_FOR_STATE"

    let base: any SeriesReader
    let records: CatalogStore
    let catalog: Catalog

    func select(_ request: SelectRequest) throws -> [SeriesColumns] {
        try self.base.select(request) + self.alerts(request)
    }

    func selection(_ request: SelectRequest) throws -> any SelectedSeries {
        let alerts = try self.alerts(request)
        let selection = try self.base.selection(request)
        return alerts.isEmpty ? selection : JoinedSelection(first: selection, second: ListedSelection(alerts))
    }

    func series(matching matchers: [LabelMatcher], after: Timestamp, through: Timestamp) throws -> [Labels] {
        let found = try self.base.series(matching: matchers, after: after, through: through)
        guard Self.canMatch(matchers) else { return found }
        let alerts = try self.spans(matchers, after: after, through: through)
            .filter { _, spans in spans.contains { $0.end > after + 1 && $0.start <= through } }
        return found + alerts.keys
    }

    private func alerts(_ request: SelectRequest) throws -> [SeriesColumns] {
        guard Self.canMatch(request.matchers) else { return [] }
        let start =
            switch request.extent {
            case .window(let after, _): after
            case .lookback(let from, _): from
            }
        return try self.spans(request.matchers, after: start, through: request.extent.through)
            .compactMap { labels, spans in AlertSpans(spans).columns(request.extent, labels: labels) }
    }

    /// Whether one of the two names can be among what is asked for; decides for all other queries that nothing is read.
    private static func canMatch(_ matchers: [LabelMatcher]) -> Bool {
        [self.stateMetric, self.activeMetric]
            .contains { name in
                matchers.allSatisfy { $0.name != Labels.metricName || $0.matches(name) }
            }
    }

    /// The spans of each series that matches.
    private func spans(
        _ matchers: [LabelMatcher],
        after: Timestamp,
        through: Timestamp
    ) throws -> [Labels: [AlertSpans.Span]] {
        var found = AlertSpanTable(matchers: matchers, catalog: self.catalog)
        let name = matchers.first { $0.name == "alertname" && $0.operation == .equal && !$0.value.isEmpty }?.value
        for interval in try self.records.alertHistory(after: after, through: through, name: name) {
            try found.add(interval)
        }
        for alert in try PendingAlert.all(in: self.records.alertStates()) where alert.activeAt <= through {
            found.add(
                alert.alertName,
                alert.labels,
                activeAt: alert.activeAt,
                firedAt: .distantFuture,
                endedAt: .distantFuture
            )
        }
        return found.spans
    }
}

/// Collects the spans of alerts under the labels that their series show.
private struct AlertSpanTable {
    let matchers: [LabelMatcher]
    let catalog: Catalog
    var spans: [Labels: [AlertSpans.Span]] = [:]
    /// Label sets by their JSON: most alerts come again.
    private var known: [String: Labels] = [:]

    init(matchers: [LabelMatcher], catalog: Catalog) {
        self.matchers = matchers
        self.catalog = catalog
    }

    mutating func add(_ interval: AlertInterval) throws {
        let labels = try self.known[interval.labels] ?? StoredJSON.decode(Labels.self, from: interval.labels)
        self.known[interval.labels] = labels
        self.add(
            interval.alertName,
            labels,
            activeAt: interval.activeAt,
            firedAt: interval.firedAt,
            endedAt: interval.endedAt ?? .distantFuture
        )
    }

    mutating func add(
        _ name: String,
        _ own: Labels,
        activeAt: Timestamp,
        firedAt: Timestamp,
        endedAt: Timestamp
    ) {
        var labels = own.with("alertname", name)
        if let site = self.catalog.sites[own.site] { labels = labels.merging(site.virtualLabels) }
        let active = labels.with(Labels.metricName, AlertSeriesReader.activeMetric)
        self.add(active, AlertSpans.Span(start: activeAt, end: endedAt, value: Double(activeAt.milliseconds) / 1000))
        let state = labels.with(Labels.metricName, AlertSeriesReader.stateMetric)
        let pending = AlertSpans.Span(start: activeAt, end: min(firedAt, endedAt), value: 1)
        self.add(state.with("alertstate", "pending"), pending)
        self.add(state.with("alertstate", "firing"), AlertSpans.Span(start: firedAt, end: endedAt, value: 1))
    }

    private mutating func add(_ labels: Labels, _ span: AlertSpans.Span) {
        guard span.start < span.end, self.matchers.allSatisfy({ $0.matches(labels) }) else { return }
        self.spans[labels, default: []].append(span)
    }
}
