// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
package import Telemetry

/// A registered channel as the rules see it: a series that is expected to report.
package struct WatchedChannel: Sendable {
    /// With the metric name, without virtual labels.
    package let series: Labels
    package let schedule: ReportSchedule?
    let matchers: [LabelMatcher]

    package init(series: Labels, schedule: ReportSchedule?) {
        self.series = series
        self.schedule = schedule
        self.matchers = series.matchers
    }

    var lookback: Milliseconds { self.schedule?.lookback ?? ReportSchedule.unregisteredLookback }
}

/// One alert of a unit with what was last seen of it.
struct Alert {
    var machine = AlertStateMachine()
    /// The labels of the expression's result, as it came.
    var resultLabels: Labels
    /// See ``CompiledRule/matchingLabels(_:)``.
    var matchingLabels: Labels
    var labels: Labels
    var value: Double?
    var threshold: Double?
    var evidence: Evidence = []
    var lastReadingAt: Timestamp?
    /// Since when the expression holds, `for` included.
    var activeAt: Timestamp
    /// The most extreme value since then.
    var peak: AlertPeak?
    /// When it was come to; not before ``AlertPeak/at``.
    var peakedAt: Timestamp?
    /// Whether the evaluation at hand yields it.
    var isSeen = false
    /// Whether the evaluation before did.
    var wasSeen = false
}

/// One rule at one site, or one rule across sites: what is evaluated at a time.
final class RuleUnit {
    // What every evaluation looks at stands together: with thousands of sites none of it is in the cache.
    let rule: CompiledRule
    var alerts: [Alert] = []
    /// When it must be evaluated again although no sample arrives.
    var due = Timestamp.distantFuture
    /// Whether it waits to be evaluated in the batch at hand.
    var isDirty = false
    /// Whether a sample may be skipped because a timer is set that looks again in time (silence rules).
    var isArmed = false
    /// When an alert of it was last evaluated, for `snapshot`.
    var evaluatedAt = Timestamp.distantPast
    /// Of a rule that compares something with a threshold.
    var threshold: KnownThreshold?
    /// The error of the last evaluation, and since when.
    var failure: (message: String, since: Timestamp)?
    /// The registered series that its selectors match.
    var channels: [WatchedChannel] = []
    /// Whether no threshold of the rule's level is in force here, and until when that was looked up.
    var isThresholdMissing = false
    var thresholdKnownUntil = Timestamp.distantPast
    /// When one of `channels` goes stale; only kept while an alert is raised.
    var staleAt = Timestamp.distantFuture
    /// Whether a channel behind a raised alert was silent when that was looked at last.
    var hasSilent = false
    /// Label sets of which `maybe` says that nobody knows.
    var undecided: [(labels: Labels, since: Timestamp)] = []
    /// What its alerts were, as far back as a late reading can change it.
    var trail = AlertTrail()
    var isTrailChanged = false
    /// Whether something was said of the newest moment that another value of it may change.
    func wasJudged(at clock: Timestamp) -> Bool {
        self.trail.hasChanges(since: clock)
            || self.rule.rule.lateness > 0 && self.alerts.contains { $0.peakedAt == clock }
    }

    var isEvaluated: Bool { self.evaluatedAt != .distantPast }

    /// Empty for a rule across sites, and for data without a site.
    let site: String

    init(rule: CompiledRule, site: String = "") {
        self.rule = rule
        self.site = site
    }
}
