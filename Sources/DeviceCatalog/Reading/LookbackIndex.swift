// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// How far back a selector must read for each site, by metric.
///
/// Sites with the same distance form a class, so that one slow channel does not make every site read days of samples.
struct LookbackIndex: Sendable {
    struct Class: Sendable {
        let lookback: Milliseconds
        /// Those sites.
        let matcher: LabelMatcher
    }

    /// The classes of one metric, and what is left.
    struct Partition: Sendable {
        let classes: [Class]
        /// The series of no class, which have the look-back of unregistered series; `nil` where that is all of them.
        let others: LabelMatcher?

        init(_ lookbacks: [String: Milliseconds]) {
            let special = lookbacks.filter { $0.value != ReportSchedule.unregisteredLookback }
            self.classes = Dictionary(grouping: special.keys) { special[$0] ?? 0 }
                .sorted { $0.key < $1.key }
                .map { Class(lookback: $0.key, matcher: LabelMatcher(.matches, sites: Set($0.value))) }
            self.others = special.isEmpty ? nil : LabelMatcher(.notMatches, sites: Set(special.keys))
        }
    }

    private let partitionByMetric: [String: Partition]
    /// For metrics that no channel declares.
    private let genericPartition: Partition
    /// For selectors without a metric name.
    private let anyPartition: Partition

    init(entries: some Sequence<SiteEntry>) {
        var byMetric: [String: [String: Milliseconds]] = [:]
        var generic: [String: Milliseconds] = [:]
        var any: [String: Milliseconds] = [:]
        for entry in entries {
            let site = entry.site.id
            if !entry.learning.isEmpty { generic[site] = entry.genericLookback }
            any[site] = entry.longestLookback
            for metric in Set(entry.channels.map(\.registered.metric)) {
                byMetric[metric, default: [:]][site] = entry.longestLookback(of: metric)
            }
        }
        for metric in byMetric.keys { byMetric[metric]?.merge(generic) { declared, _ in declared } }
        self.partitionByMetric = byMetric.mapValues(Partition.init)
        self.genericPartition = Partition(generic)
        self.anyPartition = Partition(any)
    }

    func partition(metric: String?) -> Partition {
        metric.map { self.partitionByMetric[$0] ?? self.genericPartition } ?? self.anyPartition
    }
}

extension LabelMatcher {
    /// The series of some sites, or of all others.
    ///
    /// The value is the pattern that says so, as matchers are compared by it.
    fileprivate init(_ operation: Operation, sites: Set<String>) {
        let pattern = sites.sorted()
            .map { $0.split(separator: ".", omittingEmptySubsequences: false).joined(separator: "\\.") }
        self.init(
            name: "site",
            operation: operation,
            value: pattern.joined(separator: "|"),
            pattern: { sites.contains($0) }
        )
    }
}
