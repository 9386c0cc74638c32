// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization
package import Telemetry

/// What is known of recorded series: how long their values stand for the present.
///
/// A recorded series reports as often as what it was made from, so that it has the look-back of that: the longest of the
/// channels that its rule reads, directly or by way of other rules, at its site, or anywhere for a rule across sites,
/// whose interval counts, too.
package final class RecordedSeries: Sendable {
    /// Gives the registered channels of a site; those of all sites where none is named.
    package typealias Channels = @Sendable (_ site: String?) -> [WatchedChannel]

    /// One rule that records series of a name.
    private struct Source {
        let labels: Labels
        /// What it reads that is not recorded itself.
        let patterns: [CompiledRule.Pattern]
        let isPerSite: Bool
        /// Between two values of a rule across sites; 0 for others.
        let interval: Milliseconds

        init(_ rule: RecordingRule, among rules: [RecordingRule], names: Set<String>) {
            let chain = [rule] + rules.needed(by: rule.patterns)
            self.labels = rule.labels
            self.patterns = chain.flatMap(\.patterns)
                .filter { pattern in
                    !pattern.matchers.contains {
                        $0.name == Labels.metricName && $0.operation == .equal && names.contains($0.value)
                    }
                }
            self.isPerSite = chain.allSatisfy(\.isPerSite)
            self.interval = chain.filter { !$0.isPerSite }.map(\.interval).max() ?? 0
        }

        func lookback(_ channels: [WatchedChannel]) -> Milliseconds {
            let reaches = self.patterns.map { pattern in
                channels.filter { pattern.matches($0.series) }.map(\.lookback).max()
                    ?? ReportSchedule.unregisteredLookback
            }
            return max(
                reaches.max() ?? ReportSchedule.unregisteredLookback,
                self.interval > 0 ? ReportSchedule.periodic(self.interval).lookback : 0
            )
        }
    }

    private let sources: [String: [Source]]
    private let channels: Channels
    /// Of rules across sites, by name and place; asking all channels of all sites takes its time.
    private let known = Mutex<[String: Milliseconds]>([:])

    package init(_ rules: [RecordingRule], channels: @escaping Channels) {
        let names = Set(rules.map(\.record))
        self.sources = Dictionary(grouping: rules, by: \.record)
            .mapValues { $0.map { Source($0, among: rules, names: names) } }
        self.channels = channels
    }

    /// How long a value of a series stands for the present; nil where no rule records it.
    func lookback(of labels: Labels) -> Milliseconds? {
        guard let sources = self.sources[labels.metric] else { return nil }
        var longest: Milliseconds?
        for (place, source) in sources.enumerated()
        where source.labels.allSatisfy({ labels.value(of: $0.name) == $0.value }) {
            let lookback =
                source.isPerSite
                ? source.lookback(self.channels(labels.site)) : self.lookback(across: source, labels.metric, place)
            longest = max(longest ?? 0, lookback)
        }
        return longest
    }

    private func lookback(across source: Source, _ name: String, _ place: Int) -> Milliseconds {
        let key = "\(name)/\(place)"
        if let known = self.known.withLock({ $0[key] }) { return known }
        let lookback = source.lookback(self.channels(nil))
        self.known.withLock { $0[key] = lookback }
        return lookback
    }

    /// Whether a series with this condition on its name may be recorded.
    fileprivate func mayFind(_ name: LabelMatcher?) -> Bool {
        guard let name else { return !self.sources.isEmpty }
        if name.operation == .equal { return self.sources[name.value] != nil }
        return self.sources.keys.contains { name.matches($0) }
    }

    /// The longest look-back of a recorded series that a selector may find.
    fileprivate func longestLookback(_ matchers: [LabelMatcher], _ name: LabelMatcher?) -> Milliseconds {
        let site = matchers.first { $0.name == "site" && $0.operation == .equal }?.value
        var longest = ReportSchedule.unregisteredLookback
        for (record, sources) in self.sources where name?.matches(record) ?? true {
            for (place, source) in sources.enumerated() {
                let lookback =
                    if source.isPerSite, let site {
                        source.lookback(self.channels(site))
                    } else {
                        self.lookback(across: source, record, place)
                    }
                longest = max(longest, lookback)
            }
        }
        return longest
    }

    /// Shows the series of a reader, those that are recorded with their own look-back.
    ///
    /// `base` shows stored and virtual labels.
    package func over(_ base: any SeriesReader) -> any SeriesReader {
        self.sources.isEmpty ? base : Reader(base: base, recorded: self)
    }

    private struct Reader: SeriesReader {
        let base: any SeriesReader
        let recorded: RecordedSeries

        func select(_ request: SelectRequest) throws -> [SeriesColumns] {
            let name = request.matchers.first { $0.name == Labels.metricName }
            guard self.recorded.mayFind(name) else { return try self.base.select(request) }
            let selection = try self.selection(request)
            return try (0..<selection.count).compactMap { try selection.columns(of: $0) }
        }

        func selection(_ request: SelectRequest) throws -> any SelectedSeries {
            let name = request.matchers.first { $0.name == Labels.metricName }
            guard self.recorded.mayFind(name) else { return try self.base.selection(request) }
            guard case .lookback(let from, let through) = request.extent else {
                return Selection(base: try self.base.selection(request), recorded: self.recorded)
            }
            var wide = request
            let longest = self.recorded.longestLookback(request.matchers, name)
            wide.extent = .window(after: from - longest, through: through)
            var found = Selection(base: try self.base.selection(wide), recorded: self.recorded, from: from)
            if name?.operation == .equal { return found }
            found.isForRecordedOnly = true
            let base = try self.base.selection(request)
            let others = Selection(base: base, recorded: self.recorded, isForRecordedOnly: false)
            return JoinedSelection(first: found, second: others)
        }

        func series(matching matchers: [LabelMatcher], after: Timestamp, through: Timestamp) throws -> [Labels] {
            try self.base.series(matching: matchers, after: after, through: through)
        }
    }

    private struct Selection: SelectedSeries {
        let base: any SelectedSeries
        let recorded: RecordedSeries
        /// The first moment of a `lookback` extent: what is too old for its own series is cut off.
        var from: Timestamp?
        /// Whether only those that rules record are shown, or only the others; nil for all.
        var isForRecordedOnly: Bool?

        var count: Int { self.base.count }

        func columns(of index: Int) throws -> SeriesColumns? {
            guard var columns = try self.base.columns(of: index) else { return nil }
            let isRecorded = self.recorded.sources[columns.labels.metric] != nil
            if let isForRecordedOnly, isForRecordedOnly != isRecorded { return nil }
            if let lookback = self.recorded.lookback(of: columns.labels) { columns.lookback = lookback }
            if let from {
                let kept = columns.times.firstIndex { $0 > from - columns.lookback } ?? columns.times.count
                columns.times.removeFirst(kept)
                columns.values.removeFirst(kept)
                columns.marks.removeFirst(kept)
            }
            return columns.times.isEmpty ? nil : columns
        }

        func summaries(of index: Int, in windows: [TimeWindow]) throws -> SummarizedSeries? {
            try self.base.summaries(of: index, in: windows)
        }
    }
}
