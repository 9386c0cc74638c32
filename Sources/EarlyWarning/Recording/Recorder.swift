// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
package import Telemetry

/// Evaluates recording rules when samples arrive, at the event times of those samples.
///
/// A rule whose expression is confined to a site has a value wherever one of its series has a sample there; one across
/// sites has them at the multiples of its group's interval. It keeps no state but where the latter have come to, and reads
/// no clock: the same batches over the same store give the same samples, so that what was recorded before a crash is found
/// to be a duplicate after it.
///
/// A sample that comes late changes what was recorded after it, as far as the windows of the expression reach.
package final class Recorder {
    private struct Rule {
        let rule: RecordingRule
        let patterns: [CompiledRule.Pattern]
        let isPerSite: Bool
        /// Of a rule across sites: the newest step that was evaluated.
        var step: Timestamp?
    }

    /// One batch makes so many values of one rule at one site at most; the oldest of what it changes stay as they were.
    private static let longestRevision = 20_000

    private var rules: [Rule]
    /// Which rules read a series.
    private var routes: [Labels: [Int]] = [:]
    private var keys: [Labels: SeriesKey] = [:]

    package init(rules: [RecordingRule]) {
        self.rules = rules.map { rule in
            Rule(rule: rule, patterns: rule.patterns, isPerSite: rule.isPerSite)
        }
    }

    /// What a batch makes of the rules; to be stored as readings.
    ///
    /// - Parameters:
    ///   - samples: Of the batch, which `reader` shows already.
    ///   - reader: The store, with virtual labels.
    /// - Returns: In the order of rules, sites and times.
    /// - Throws: What the reader throws. A rule that cannot be evaluated at some time has no value then.
    package func record(_ samples: [AppliedSample], reader: any SeriesReader) throws -> [ResolvedReading] {
        var spans: [Int: [String: ClosedRange<Timestamp>]] = [:]
        for item in samples {
            let (labels, time) = (item.series.labels, item.sample.time)
            for index in self.route(of: labels) {
                let site = self.rules[index].isPerSite ? labels.site : ""
                let known = spans[index]?[site] ?? time...time
                spans[index, default: [:]][site] = min(known.lowerBound, time)...max(known.upperBound, time)
            }
        }
        var readings: [ResolvedReading] = []
        for (index, sites) in spans.sorted(by: { $0.key < $1.key }) {
            for (site, span) in sites.sorted(by: { $0.key < $1.key }) {
                if self.rules[index].isPerSite {
                    try self.recordSite(site, span, self.rules[index], reader, &readings)
                } else {
                    try self.recordSteps(through: span.upperBound, index, reader, &readings)
                }
            }
        }
        return readings
    }

    private func route(of labels: Labels) -> [Int] {
        if let known = self.routes[labels] { return known }
        let found = self.rules.indices.filter { index in
            self.rules[index].patterns.contains { $0.matches(labels) }
        }
        self.routes[labels] = found
        return found
    }

    // MARK: - Times

    private func recordSite(
        _ site: String,
        _ span: ClosedRange<Timestamp>,
        _ rule: Rule,
        _ reader: any SeriesReader,
        _ readings: inout [ResolvedReading]
    ) throws {
        let reader = SiteReader(site: site).over(reader)
        // From the beginning of the span to where what is in it no longer matters.
        let extent = SelectExtent.window(
            after: span.lowerBound - 1,
            through: span.upperBound + rule.rule.expr.reach
        )
        let moments = try Self.moments(rule.patterns, extent, reader)
        for time in moments.sorted().suffix(Self.longestRevision) {
            try self.evaluate(rule.rule, at: time, reader, &readings)
        }
    }

    /// The times of samples of any of the series.
    private static func moments(
        _ patterns: [CompiledRule.Pattern],
        _ extent: SelectExtent,
        _ reader: any SeriesReader
    ) throws -> Set<Timestamp> {
        var moments: Set<Timestamp> = []
        for pattern in patterns {
            let request = SelectRequest(matchers: pattern.matchers, extent: extent, qualities: .raising)
            for columns in try reader.select(request) { moments.formUnion(columns.times) }
        }
        return moments
    }

    private func recordSteps(
        through time: Timestamp,
        _ index: Int,
        _ reader: any SeriesReader,
        _ readings: inout [ResolvedReading]
    ) throws {
        let interval = self.rules[index].rule.interval
        let last = RuleEngine.lastMultiple(of: interval, through: time)
        var step = max(self.rules[index].step ?? last - interval, last - 1440 * interval) + interval
        while step <= last {
            try self.evaluate(self.rules[index].rule, at: step, reader, &readings)
            step = step + interval
        }
        self.rules[index].step = max(self.rules[index].step ?? last, last)
    }

    // MARK: - Values

    private func evaluate(
        _ rule: RecordingRule,
        at time: Timestamp,
        _ reader: any SeriesReader,
        _ readings: inout [ResolvedReading]
    ) throws {
        for (labels, sample) in try rule.values(at: time, reader) {
            let key = self.keys[labels] ?? SeriesKey(labels: labels)
            self.keys[labels] = key
            readings.append(ResolvedReading(series: key, sample: sample, hasOwnTime: true))
        }
    }
}

/// The whole history of a rule, for one that is new.
extension Recorder {
    /// The sites at which a rule may have values; one without a name for a rule across sites.
    package static func sites(of rule: RecordingRule, _ reader: any SeriesReader) throws -> [String] {
        guard rule.isPerSite else { return [""] }
        var sites: Set<String> = []
        for pattern in rule.patterns {
            let found = try reader.series(matching: pattern.matchers, after: .distantPast, through: .distantFuture)
            sites.formUnion(found.map(\.site))
        }
        return sites.sorted()
    }

    /// Calls `body` with every value of a rule at a site, oldest first.
    package static func eachValue(
        of rule: RecordingRule,
        at site: String,
        through end: Timestamp,
        _ base: any SeriesReader,
        _ body: (Labels, Sample) throws -> Void
    ) throws {
        let reader = rule.isPerSite ? SiteReader(site: site).over(base) : base
        var moments = try Self.moments(rule.patterns, .window(after: .distantPast, through: end), reader)
        if !rule.isPerSite { moments = Set(moments.map { RuleEngine.lastMultiple(of: rule.interval, through: $0) }) }
        for time in moments.sorted() {
            for (labels, sample) in try rule.values(at: time, reader) { try body(labels, sample) }
        }
    }
}

extension RecordingRule {
    /// What a stored series must be like for the rule to read it.
    var patterns: [CompiledRule.Pattern] { CompiledRule.patterns(of: [self.expr]) }

    /// Whether its values at a site follow from the series of that site.
    var isPerSite: Bool { self.expr.isConfinedToSite && !self.patterns.isEmpty }

    /// What is to be stored of the rule at one time: as suspect as the worst that it rests on, and as simulated.
    ///
    /// Numbers alone: what is infinite or no number is no reading.
    func values(at time: Timestamp, _ reader: any SeriesReader) throws -> [(labels: Labels, sample: Sample)] {
        let evaluator = Evaluator(
            reader: reader,
            options: EvaluationOptions(qualities: .raising, roundsComparisons: true)
        )
        let result: InstantResult
        do { result = try evaluator.instant(self.expr, at: time) } catch is PromQLError { return [] }
        guard self.limit == 0 || result.samples.count <= self.limit else { return [] }
        let mark = SampleMark(
            quality: result.evidence.contains(.suspect) ? .suspect : .notEvaluated,
            method: result.evidence.contains(.interpolated) ? .interpolated : .measured,
            simulated: result.evidence.contains(.simulated)
        )
        return result.samples.filter(\.value.isFinite)
            .map { element in
                var labels = element.labels.removing([Labels.metricName])
                if !labels.site.isEmpty { labels = labels.removing(Site.virtualLabelNames) }
                labels = labels.merging(self.labels).with(Labels.metricName, self.record)
                return (labels, Sample(time: time, value: element.value, mark: mark))
            }
    }
}

/// How far a walk over rules has come with one of them.
private enum Visit { case new, onTheWay, left }

extension [RecordingRule] {
    /// Each after those whose values it reads; of those that read each other in a ring one begins.
    package var inOrderOfUse: [RecordingRule] { self.visited().order.map { self[$0] } }

    /// Those whose values series with these conditions may be, and those whose values they read in turn; in this order.
    func needed(by patterns: [CompiledRule.Pattern]) -> [RecordingRule] {
        let recording = Dictionary(grouping: self.indices) { self[$0].record }
        var needed: Set<Int> = []
        var open = patterns
        while let pattern = open.popLast() {
            for index in RecordingRule.recorded(pattern.matchers, by: recording, of: self)
            where needed.insert(index).inserted {
                open += self[index].patterns
            }
        }
        return needed.sorted().map { self[$0] }
    }

    /// The rules that, over others or directly, read what they record themselves; of a ring one at least.
    var rings: [RecordingRule] { self.visited().rings.sorted().map { self[$0] } }

    /// Goes from each rule to those that it reads, and keeps those that were left and those that were met on their own way.
    private func visited() -> (order: [Int], rings: Set<Int>) {
        let recording = Dictionary(grouping: self.indices) { self[$0].record }
        let readers = self.map { rule in
            Set(rule.patterns.flatMap { RecordingRule.recorded($0.matchers, by: recording, of: self) }).sorted()
        }
        var marks = [Visit](repeating: .new, count: self.count)
        var order: [Int] = []
        var rings: Set<Int> = []
        for start in self.indices where marks[start] == .new {
            var way = [(rule: start, next: 0)]
            marks[start] = .onTheWay
            while let (rule, next) = way.last {
                guard next < readers[rule].count else {
                    marks[rule] = .left
                    order.append(rule)
                    way.removeLast()
                    continue
                }
                way[way.count - 1].next += 1
                let source = readers[rule][next]
                switch marks[source] {
                case .new:
                    marks[source] = .onTheWay
                    way.append((source, 0))
                case .onTheWay: rings.insert(source)
                case .left: break
                }
            }
        }
        return (order, rings)
    }
}

extension RecordingRule {
    /// The places of the rules whose values a selector with these conditions may find.
    fileprivate static func recorded(
        _ pattern: [LabelMatcher],
        by names: [String: [Int]],
        of rules: [RecordingRule]
    ) -> [Int] {
        let conditions = pattern.filter { $0.name == Labels.metricName }
        let name = conditions.first { $0.operation == .equal }
        let candidates =
            name.map { names[$0.value] ?? [] }
            ?? names.filter { name in conditions.allSatisfy { $0.matches(name.key) } }.flatMap(\.value)
        return candidates.filter { index in
            pattern.allSatisfy { matcher in
                guard matcher.name != Labels.metricName else { return true }
                return rules[index].labels.value(of: matcher.name).map(matcher.matches) ?? true
            }
        }
    }
}
