// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import EarlyWarning
package import SeriesStorage
package import Telemetry

/// How long the samples of some series are kept, and how densely; of the rules that match a series the first counts.
package struct RetentionRule: Hashable, Sendable {
    /// One sample per interval instead of all, for what is older than a span.
    package struct Thinning: Hashable, Sendable {
        package var after: Milliseconds
        package var to: Milliseconds
        /// Nil: what suits the metric.
        package var by: SeriesRetention.Aggregate?

        package init(after: Milliseconds, to: Milliseconds, by: SeriesRetention.Aggregate? = nil) {
            self.after = after
            self.to = to
            self.by = by
        }
    }

    /// All of them must hold for the labels that queries show, virtual ones included.
    package var matchers: [LabelMatcher]
    /// Nil: for ever.
    package var keep: Milliseconds?
    /// From fine and young to coarse and old.
    package var thin: [Thinning]

    package init(matchers: [LabelMatcher], keep: Milliseconds? = nil, thin: [Thinning] = []) {
        self.matchers = matchers
        self.keep = keep
        self.thin = thin
    }
}

/// The rules of retention at one moment.
struct RetentionPlan {
    private let rules: [RetentionRule]
    private let catalog: Catalog
    private let now: Timestamp

    init(_ rules: [RetentionRule], catalog: Catalog, at now: Timestamp) {
        self.rules = rules
        self.catalog = catalog
        self.now = now
    }

    /// The rules of a service now: by the wall clock, or by the newest stored sample where data move the clocks.
    ///
    /// The wall clock counts up to a day beyond the newest sample only, so that one that is set years ahead removes
    /// nothing. Nil while the time cannot be said: our own clock is suspect, or nothing is stored.
    init?(_ options: PlatformOptions, catalog: Catalog, processor: Processor, store: SeriesStore, at now: Timestamp) {
        guard processor.clockFault == nil, let newest = store.newestTime else { return nil }
        switch options.clock {
        case .wall: self.init(options.retention, catalog: catalog, at: min(now, newest + .day))
        case .data: self.init(options.retention, catalog: catalog, at: newest)
        }
    }

    /// What holds for a stored series; nil where everything is kept.
    func retention(of stored: Labels) -> SeriesRetention? {
        let shown = self.catalog.shownLabels(of: stored)
        guard let rule = self.rules.first(where: { $0.matchers.allSatisfy { $0.matches(shown) } }) else { return nil }
        guard rule.keep != nil || !rule.thin.isEmpty else { return nil }
        return SeriesRetention(
            keepFrom: rule.keep.map { self.bound($0, steps: .hour) } ?? .distantPast,
            thinnings: rule.thin.map { thinning in
                SeriesRetention.Thinning(
                    before: self.bound(thinning.after, steps: max(.hour, thinning.to)),
                    interval: thinning.to,
                    aggregate: thinning.by ?? Self.aggregate(of: stored.metric)
                )
            }
        )
    }

    /// What an interval of a metric keeps where nobody says it: sums of amounts, the last of counters, else averages.
    static func aggregate(of metric: String) -> SeriesRetention.Aggregate {
        if metric == "rainfall_millimeters" { return .sum }
        return metric.contains("_accumulated_") ? .last : .average
    }

    /// The moment `age` ago, rounded down to a twentieth of it, so that a block is rewritten seldom: at least to
    /// `least`, at most to a day.
    private func bound(_ age: Milliseconds, steps least: Milliseconds) -> Timestamp {
        let step = max(min(max(age / 20, least), .day), 1)
        let moment = self.now.milliseconds - age
        let remainder = moment % step
        return Timestamp(milliseconds: moment - (remainder < 0 ? remainder + step : remainder))
    }
}
