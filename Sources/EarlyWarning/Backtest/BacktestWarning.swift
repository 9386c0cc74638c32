// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
package import Telemetry

/// What people would have had: from the first alert of a hazard at a site to the end of the last.
package struct BacktestWarning: Sendable, Codable {
    /// An alert that was raised in it.
    package struct Raise: Sendable, Codable {
        package let time: Timestamp
        package let alertName: String
        package let level: WarningLevel
        package let value: Double?
        package let threshold: Double?
    }

    /// The highest, or the lowest, that the water stood (or what else the rule looks at).
    package struct Peak: Sendable, Codable {
        /// When it was reached first.
        package let time: Timestamp
        package let value: Double
    }

    package let site: String
    package let hazard: Hazard
    package let start: Timestamp
    /// Nil where it is in force at the end of the backtest.
    package internal(set) var end: Timestamp?
    package internal(set) var raises: [Raise] = []
    /// Of the left side of the comparison in the rule that was raised first, else of its expression; nil where that has
    /// no value while the warning is in force.
    package internal(set) var peak: Peak?

    /// How long before the peak an alert was raised, in ms; negative where it came after it.
    package func lead(of raise: Raise) -> Milliseconds? { self.peak.map { $0.time - raise.time } }
}

/// Makes warnings of transitions, and finds their peaks.
struct BacktestBook {
    private struct Key: Hashable {
        let site: String
        let hazard: Hazard
    }

    /// Which alert fires.
    private struct AlertID: Hashable {
        let rule: String
        let labels: Labels
    }

    private struct Open {
        var warning: BacktestWarning
        var firing: Set<AlertID>
        let measure: RuleMeasure?
        /// Of the alert that was raised first.
        let labels: Labels
    }

    private var measures: [String: RuleMeasure] = [:]
    private var open: [Key: Open] = [:]
    private var closed: [BacktestWarning] = []

    init(_ rules: RuleSet) {
        for rule in rules.alerts { self.measures[rule.id] = RuleMeasure(rule) }
    }

    /// Takes what came of a batch of samples, and looks at each of their times for peaks.
    mutating func take(
        _ transitions: [AlertTransition],
        _ samples: [AppliedSample],
        _ reader: any SeriesReader
    ) throws {
        let bySite = Dictionary(grouping: transitions, by: \.site)
        let sites = Set(bySite.keys).union(self.open.keys.map(\.site))
        var times: [String: [Timestamp]] = [:]
        for item in samples where sites.contains(item.series.labels.site) || sites.contains("") {
            let site = sites.contains(item.series.labels.site) ? item.series.labels.site : ""
            if times[site]?.last != item.sample.time { times[site, default: []].append(item.sample.time) }
        }
        for site in sites.sorted() {
            let view = site.isEmpty ? reader : SiteReader(site: site).over(reader)
            var rest = (times[site] ?? [])[...]
            for transition in bySite[site] ?? [] {
                while let time = rest.first, time < transition.eventTime {
                    try self.measure(site, at: time, view)
                    rest = rest.dropFirst()
                }
                self.apply(transition)
            }
            for time in rest { try self.measure(site, at: time, view) }
        }
    }

    func finished() -> [BacktestWarning] {
        (self.closed + self.open.values.map(\.warning))
            .sorted { ($0.start, $0.site, $0.hazard.rawValue) < ($1.start, $1.site, $1.hazard.rawValue) }
    }

    private mutating func apply(_ transition: AlertTransition) {
        guard transition.rule != RuleEngine.failureRule else { return }
        let key = Key(site: transition.site, hazard: transition.hazard)
        let id = AlertID(rule: transition.rule, labels: transition.labels)
        switch transition.change {
        case .raised:
            var open =
                self.open[key]
                ?? Open(
                    warning: BacktestWarning(
                        site: transition.site,
                        hazard: transition.hazard,
                        start: transition.eventTime
                    ),
                    firing: [],
                    measure: self.measures[transition.rule],
                    labels: transition.labels
                )
            open.firing.insert(id)
            open.warning.raises.append(
                BacktestWarning.Raise(
                    time: transition.eventTime,
                    alertName: transition.alertName,
                    level: transition.level,
                    value: transition.value,
                    threshold: transition.threshold
                )
            )
            self.open[key] = open
        case .ended:
            guard var open = self.open[key] else { return }
            open.firing.remove(id)
            self.open[key] = open
            guard open.firing.isEmpty else { return }
            open.warning.end = transition.eventTime
            self.closed.append(open.warning)
            self.open[key] = nil
        default: break
        }
    }

    private mutating func measure(_ site: String, at time: Timestamp, _ reader: any SeriesReader) throws {
        for (key, open) in self.open where key.site == site {
            guard let measure = open.measure, let value = try measure.value(of: open.labels, at: time, reader) else {
                continue
            }
            if let peak = open.warning.peak, measure.seeksLow ? value >= peak.value : value <= peak.value { continue }
            self.open[key]?.warning.peak = BacktestWarning.Peak(time: time, value: value)
        }
    }
}
