// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Telemetry

/// What alerts are and were, as the series `ALERTS` and `ALERTS_FOR_STATE` that rules read.
///
/// - `ALERTS{alertname, alertstate, …}` is 1 while an alert is `pending` or `firing`; one that is held fires.
/// - `ALERTS_FOR_STATE{alertname, …}` has over the same time the Unix seconds since which its expression holds.
///
/// To a window they have a sample where the state begins and at the multiples of the rule's interval, where Prometheus has
/// one.
package final class AlertHistory: Sendable {
    static let stateMetric = "ALERTS"
    static let activeMetric = "ALERTS_FOR_STATE"

    /// Whose alerts they are: one rule at one site.
    struct Owner: Hashable, Sendable {
        let rule: Int
        let site: String

        init(_ unit: RuleUnit) {
            self.rule = unit.rule.order
            self.site = unit.site
        }
    }

    struct Span: Hashable, Sendable {
        /// Inclusive.
        var start: Timestamp
        /// Exclusive; `.distantFuture` where it has no end.
        var end: Timestamp
        var value: Double
    }

    private struct Entry: Sendable {
        let interval: Milliseconds
        let spans: [Labels: [Span]]
    }

    /// By the name of the alert.
    private let entries = Mutex<[String: [Owner: Entry]]>([:])

    /// Whether a selector may find one of the two.
    static func isNamed(by matchers: [LabelMatcher]) -> Bool {
        guard let name = matchers.first(where: { $0.name == Labels.metricName }) else { return false }
        return name.matches(self.stateMetric) || name.matches(self.activeMetric)
    }

    /// Takes what the alerts of a rule at a site were instead of what was known of them.
    func put(_ trail: AlertTrail, of unit: RuleUnit) {
        let rule = unit.rule.rule
        let entry = Entry(interval: rule.interval, spans: trail.spans(ofAlert: rule.name))
        self.entries.withLock { $0[rule.name, default: [:]][Owner(unit)] = entry }
    }

    /// Shows them beside the series of a reader.
    ///
    /// To a rule that reads its own alerts they are what they were before the moment at which it is evaluated.
    func over(_ base: any SeriesReader, for owner: Owner?) -> any SeriesReader {
        Reader(base: base, history: self, owner: owner)
    }

    private func columns(_ request: SelectRequest, for owner: Owner?) -> [SeriesColumns] {
        let name = request.matchers.first { $0.name == "alertname" && $0.operation == .equal }?.value
        let through = request.extent.through
        var found: [Labels: (interval: Milliseconds, spans: [Span])] = [:]
        self.entries.withLock { entries in
            for (alert, owners) in entries where name.map({ $0 == alert }) ?? true {
                for (place, entry) in owners {
                    for (labels, spans) in entry.spans
                    where request.matchers.allSatisfy({ $0.matches(labels) }) {
                        let seen = place == owner ? spans.asSeen(before: through) : spans
                        found[labels] = (entry.interval, (found[labels]?.spans ?? []) + seen)
                    }
                }
            }
        }
        return found.compactMap { labels, entry in
            entry.spans.joined.columns(request.extent, every: entry.interval, labels: labels)
        }
    }

    private struct Reader: SeriesReader {
        let base: any SeriesReader
        let history: AlertHistory
        let owner: Owner?

        func select(_ request: SelectRequest) throws -> [SeriesColumns] {
            let found = try self.base.select(request)
            guard AlertHistory.isNamed(by: request.matchers) else { return found }
            return found + self.history.columns(request, for: self.owner)
        }

        func selection(_ request: SelectRequest) throws -> any SelectedSeries {
            guard AlertHistory.isNamed(by: request.matchers) else {
                return try self.base.selection(request)
            }
            return ListedSelection(try self.select(request))
        }

        func series(matching matchers: [LabelMatcher], after: Timestamp, through: Timestamp) throws
            -> [Labels]
        {
            let found = try self.base.series(matching: matchers, after: after, through: through)
            guard AlertHistory.isNamed(by: matchers) else { return found }
            let request = SelectRequest(
                matchers: matchers,
                extent: .window(after: after, through: through)
            )
            return found
                + self.history.columns(request, for: self.owner).filter { !$0.times.isEmpty }.map(\.labels)
        }
    }
}

extension AlertTrail {
    /// The spans of each series that shows the alerts.
    fileprivate func spans(ofAlert name: String) -> [Labels: [AlertHistory.Span]] {
        var spans: [Labels: [AlertHistory.Span]] = [:]
        var open: [Labels: AlertHistory.Span] = [:]
        for point in self.points {
            var present: [Labels: Double] = [:]
            for alert in point.alerts {
                let labels = alert.labels.with("alertname", name)
                let state = labels.with("alertstate", alert.machine.isRaised ? "firing" : "pending")
                present[state.with(Labels.metricName, AlertHistory.stateMetric)] = 1
                present[labels.with(Labels.metricName, AlertHistory.activeMetric)] =
                    Double(alert.activeAt.milliseconds) / 1000
            }
            for (labels, span) in open where present[labels] != span.value {
                spans[labels, default: []]
                    .append(
                        AlertHistory.Span(start: span.start, end: point.time, value: span.value)
                    )
                open[labels] = nil
            }
            for (labels, value) in present where open[labels] == nil {
                open[labels] = AlertHistory.Span(start: point.time, end: .distantFuture, value: value)
            }
        }
        for (labels, span) in open { spans[labels, default: []].append(span) }
        return spans
    }
}

extension [AlertHistory.Span] {
    /// As nobody knows yet what happens at a moment.
    fileprivate func asSeen(before moment: Timestamp) -> [AlertHistory.Span] {
        self.filter { $0.start < moment }
            .map { span in
                var span = span
                if span.end >= moment { span.end = .distantFuture }
                return span
            }
    }

    /// In order of time; those of two rules with the same labels are one where they meet.
    fileprivate var joined: [AlertHistory.Span] {
        var joined: [AlertHistory.Span] = []
        for span in self.sorted(by: { $0.start < $1.start }) {
            if let last = joined.last,
                last.end > span.start || last.end == span.start && last.value == span.value
            {
                joined[joined.count - 1].end = Swift.max(last.end, span.end)
            } else {
                joined.append(span)
            }
        }
        return joined
    }

    /// The samples by which a selector sees them; none where they begin later.
    fileprivate func columns(
        _ extent: SelectExtent,
        every interval: Milliseconds,
        labels: Labels
    ) -> SeriesColumns? {
        let through = extent.through
        var columns = SeriesColumns(
            labels: labels,
            times: [],
            values: [],
            marks: [],
            lookback: .max / 4,
            nextChange: .distantFuture
        )
        func add(_ time: Timestamp, _ value: Double) {
            columns.times.append(time)
            columns.values.append(value)
            columns.marks.append(SampleMark(quality: .pass))
        }
        func look(_ moment: Timestamp) {
            if let change = columns.nextChange, moment < change { columns.nextChange = moment }
        }
        for span in self {
            if span.start > through {
                look(span.start)
                break
            }
            if span.end > through { look(span.end) }
            switch extent {
            case .lookback(let from, _):
                guard span.end >= from else { continue }
                // The end of the one before.
                if columns.times.last == span.start {
                    columns.times.removeLast()
                    columns.values.removeLast()
                    columns.marks.removeLast()
                }
                add(span.start, span.value)
                if span.end <= through { add(span.end, SeriesNotation.staleMarker) }
            case .window(let after, _):
                guard span.end > after else { continue }
                if span.start > after { add(span.start, span.value) }
                var time =
                    RuleEngine.lastMultiple(of: interval, through: Swift.max(span.start, after)) + interval
                while time <= through, time < span.end {
                    add(time, span.value)
                    time = time + interval
                }
                if span.end > through { look(time) }
            }
        }
        return columns.times.isEmpty && columns.nextChange == .distantFuture ? nil : columns
    }
}
