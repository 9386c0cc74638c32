// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
package import Telemetry

/// Evaluates recording rules when samples arrive, at the event times of those samples.
///
/// A rule whose expression is confined to a site has a value wherever one of its series has a sample there; one across
/// sites has them at the multiples of its group's interval, up to the newest of its samples; one that may have a value
/// without any sample (`vector(1)`, `absent(x)`) has them at those multiples, too, as far as time has come. Of a series
/// that a rule no longer gives the end is recorded, as Prometheus does. Where nothing is evaluated, because nothing comes,
/// nothing ends.
///
/// It reads no clock, and what it keeps can be found out anew but for where rules across sites have come to
/// (``notes()``): the same batches over the same store give the same samples, so that what was recorded before a crash is
/// found to be a duplicate after it.
///
/// A sample that comes late changes what was recorded after it, as far as the windows of the expression reach.
package final class Recorder {
    /// How a rule is, at some sites.
    package struct State: Sendable {
        /// The newest time for which it was evaluated.
        package var lastEvaluation: Timestamp
        /// Why it has no value then; nil where all is well.
        package var failure: String?
    }

    /// What a rule gave at the newest moment of a site.
    private struct Latest {
        let time: Timestamp
        let series: Set<Labels>
    }

    private struct Rule {
        let rule: RecordingRule
        let patterns: [CompiledRule.Pattern]
        let isPerSite: Bool
        let followsTime: Bool
        /// Whether what it gives follows from alerts, directly or by way of other rules.
        let readsAlerts: Bool
        /// Of a rule across sites: the newest step that was evaluated.
        var step: Timestamp?
        /// By site; without a name for a rule across sites.
        var latest: [String: Latest] = [:]
        /// By site, too.
        var states: [String: State] = [:]

        init(_ rule: RecordingRule, readsAlerts: Bool) {
            self.rule = rule
            self.patterns = rule.patterns
            self.isPerSite = rule.isPerSite
            self.followsTime = rule.followsTime
            self.readsAlerts = readsAlerts
        }
    }

    /// Stores what was recorded where the rules after it see it; false where it was there already.
    package typealias Keep = (_ labels: Labels, _ sample: Sample) throws -> Bool

    /// One batch makes so many values of one rule at one site at most; the oldest of what it changes stay as they were.
    private static let longestRevision = 20_000

    /// Each after those whose values it reads.
    private var rules: [Rule]
    private var changedSteps: Set<Int> = []
    /// Which rules read a series.
    private var routes: [Labels: [Int]] = [:]
    private var keys: [Labels: SeriesKey] = [:]

    /// `notes` are rows that ``notes()`` gave, among others.
    ///
    /// - Throws: When a row cannot be read.
    package init(rules: [RecordingRule], notes: [ClockRow] = []) throws {
        self.rules = rules.inOrderOfUse.map { Rule($0, readsAlerts: rules.readsAlerts($0)) }
        for note in notes {
            for index in self.rules.indices where self.rules[index].rule.stepKey == note.key {
                self.rules[index].step = try CanonicalJSON.value(Timestamp.self, from: note.json)
            }
        }
    }

    /// What a batch makes of the rules; to be stored as readings.
    ///
    /// - Parameters:
    ///   - samples: Of the batch, which `reader` shows already.
    ///   - time: The time that has passed, for rules that may have a value without any sample; nil for none.
    ///   - afterAlerts: Whether the batch was judged: rules that read alerts are evaluated then, the others before it.
    ///   - reader: The store, with virtual labels and what `keep` has taken.
    ///   - keep: See ``Keep``.
    /// - Returns: What was not there already, in the order of rules, sites and times.
    /// - Throws: What the reader and `keep` throw. A rule that cannot be evaluated at some time has no value then.
    package func record(
        _ samples: [AppliedSample],
        during time: ClosedRange<Timestamp>? = nil,
        afterAlerts: Bool = false,
        reader: any SeriesReader,
        keep: Keep
    ) throws -> [AppliedSample] {
        var spans: [Int: [String: ClosedRange<Timestamp>]] = [:]
        for item in samples { self.note(item, &spans) }
        if let time {
            for index in self.rules.indices where self.rules[index].followsTime { spans[index] = ["": time] }
        }
        var recorded: [AppliedSample] = []
        for index in self.rules.indices where self.rules[index].readsAlerts == afterAlerts {
            for (site, span) in (spans[index] ?? [:]).sorted(by: { $0.key < $1.key }) {
                let found =
                    self.rules[index].isPerSite
                    ? try self.recordSite(site, span, index, reader, keep)
                    : try self.recordSteps(span, index, reader, keep)
                for item in found { self.note(item, &spans) }
                recorded += found
            }
        }
        return recorded
    }

    /// Whether there is a rule that time alone sets going.
    package var followsTime: Bool { self.rules.contains(where: \.followsTime) }

    /// Whether there is one that reads alerts.
    package var readsAlerts: Bool { self.rules.contains(where: \.readsAlerts) }

    /// How a rule is at the sites that `isWanted` asks for, a rule across sites under an empty text; nil where it was not
    /// evaluated.
    package func state(of rule: RecordingRule, where isWanted: (String) -> Bool = { _ in true }) -> State? {
        let known = self.rules.first { $0.rule.file == rule.file && $0.rule.line == rule.line }
        let states = (known?.states ?? [:]).filter { isWanted($0.key) }.sorted { $0.key < $1.key }.map(\.value)
        guard var state = states.max(by: { $0.lastEvaluation < $1.lastEvaluation }) else { return nil }
        state.failure = states.lazy.compactMap(\.failure).first
        return state
    }

    /// Where rules across sites have come to since the last call, to be saved with the processed position.
    package func notes() -> [ClockRow] {
        defer { self.changedSteps.removeAll() }
        return self.changedSteps.sorted()
            .compactMap { index in
                self.rules[index].step
                    .map { step in
                        ClockRow(key: self.rules[index].rule.stepKey, json: CanonicalJSON.text(step))
                    }
            }
    }

    /// Takes note of what a sample sets going.
    private func note(_ item: AppliedSample, _ spans: inout [Int: [String: ClosedRange<Timestamp>]]) {
        let (labels, time) = (item.series.labels, item.sample.time)
        for index in self.route(of: labels) {
            let site = self.rules[index].isPerSite ? labels.site : ""
            let known = spans[index]?[site] ?? time...time
            spans[index, default: [:]][site] = min(known.lowerBound, time)...max(known.upperBound, time)
        }
    }

    private func route(of labels: Labels) -> [Int] {
        if let known = self.routes[labels] { return known }
        let found = self.rules.indices.filter { index in
            !self.rules[index].followsTime && self.rules[index].patterns.contains { $0.matches(labels) }
        }
        self.routes[labels] = found
        return found
    }

    // MARK: - Times

    private func recordSite(
        _ site: String,
        _ span: ClosedRange<Timestamp>,
        _ index: Int,
        _ reader: any SeriesReader,
        _ keep: Keep
    ) throws -> [AppliedSample] {
        let reader = SiteReader(site: site).over(reader)
        let rule = self.rules[index]
        // From the beginning of the span to where what is in it no longer matters.
        var end = span.upperBound + rule.rule.expr.reach
        var moments = try SampleMoments(rule.patterns, after: span.lowerBound - 1, through: end, reader)
        if rule.latest[site].map({ $0.time >= span.lowerBound }) ?? true, moments.lookback > 0 {
            // What is late is seen until its look-back ends, and its own end is told at a moment after that.
            end = end + 2 * moments.lookback
            moments = try SampleMoments(rule.patterns, after: span.lowerBound - 1, through: end, reader)
        }
        let times = moments.times.sorted().suffix(Self.longestRevision)
        guard let first = times.first else { return [] }
        var before = try self.series(before: first, site, index, reader)
        var recorded: [AppliedSample] = []
        for time in times { try self.evaluate(index, site, at: time, &before, reader, keep, &recorded) }
        self.note(before, at: times.last ?? first, site, index)
        return recorded
    }

    private func recordSteps(
        _ span: ClosedRange<Timestamp>,
        _ index: Int,
        _ reader: any SeriesReader,
        _ keep: Keep
    ) throws -> [AppliedSample] {
        let interval = self.rules[index].rule.interval
        let last = RuleEngine.lastMultiple(of: interval, through: span.upperBound)
        if self.rules[index].step == nil {
            // Of what it gave before it was there nothing can end.
            let start = RuleEngine.lastMultiple(of: interval, through: span.lowerBound - 1)
            self.rules[index].step = start
            self.note([], at: start, "", index)
        }
        let start = self.rules[index].step ?? last
        var step = max(start, last - Milliseconds(Self.longestRevision) * interval) + interval
        guard step <= last else { return [] }
        var before =
            try self.rules[index].latest[""]?.series ?? self.series(at: step - interval, index, reader)
        var recorded: [AppliedSample] = []
        while step <= last {
            try self.evaluate(index, "", at: step, &before, reader, keep, &recorded)
            step = step + interval
        }
        self.rules[index].step = last
        self.changedSteps.insert(index)
        self.note(before, at: last, "", index)
        return recorded
    }

    // MARK: - Values

    /// What a rule gave at the moment before one at a site, as far as that still stands.
    private func series(
        before time: Timestamp,
        _ site: String,
        _ index: Int,
        _ reader: any SeriesReader
    ) throws -> Set<Labels> {
        let latest = self.rules[index].latest[site]
        if let latest, latest.time < time { return latest.series }
        // What was given at this very moment, before another sample of it came.
        let present = latest.flatMap { $0.time == time ? $0.series : nil } ?? []
        var newest: Timestamp?
        for pattern in self.rules[index].patterns {
            let request = SelectRequest(
                matchers: pattern.matchers,
                extent: .lookback(from: time - 1, through: time - 1),
                qualities: .raising
            )
            for columns in try reader.select(request) { newest = [newest, columns.times.last].compactMap { $0 }.max() }
        }
        return present.union(try newest.map { try self.series(at: $0, index, reader) } ?? [])
    }

    private func series(at time: Timestamp, _ index: Int, _ reader: any SeriesReader) throws -> Set<Labels> {
        do { return try self.rules[index].rule.moment(at: time, after: [], reader).series } catch is PromQLError {
            return []
        }
    }

    private func note(_ series: Set<Labels>, at time: Timestamp, _ site: String, _ index: Int) {
        if let latest = self.rules[index].latest[site], latest.time > time { return }
        self.rules[index].latest[site] = Latest(time: time, series: series)
    }

    private func evaluate(
        _ index: Int,
        _ site: String,
        at time: Timestamp,
        _ before: inout Set<Labels>,
        _ reader: any SeriesReader,
        _ keep: Keep,
        _ recorded: inout [AppliedSample]
    ) throws {
        let isNewest = time >= self.rules[index].states[site]?.lastEvaluation ?? time
        let moment: RecordedMoment
        do { moment = try self.rules[index].rule.moment(at: time, after: before, reader) } catch let error
            as PromQLError
        {
            if isNewest { self.rules[index].states[site] = State(lastEvaluation: time, failure: error.message) }
            return
        }
        if isNewest { self.rules[index].states[site] = State(lastEvaluation: time) }
        before = moment.series
        for (labels, sample) in moment.samples where try keep(labels, sample) {
            let key = self.keys[labels] ?? SeriesKey(labels: labels)
            self.keys[labels] = key
            recorded.append(AppliedSample(series: key, sample: sample))
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

    /// Calls `body` with every value of a rule at a site, and every end of a series, oldest first.
    ///
    /// - Throws: What the reader and `body` throw. Where the rule cannot be evaluated it has no value.
    package static func eachValue(
        of rule: RecordingRule,
        at site: String,
        through end: Timestamp,
        _ base: any SeriesReader,
        _ body: (Labels, Sample) throws -> Void
    ) throws {
        let reader = rule.isPerSite ? SiteReader(site: site).over(base) : base
        var times = try SampleMoments(rule.patterns, after: .distantPast, through: end, reader).times
        if !rule.isPerSite { times = Set(times.map { RuleEngine.lastMultiple(of: rule.interval, through: $0) }) }
        var before: Set<Labels> = []
        for time in times.sorted() {
            let moment: RecordedMoment
            do { moment = try rule.moment(at: time, after: before, reader) } catch is PromQLError { continue }
            before = moment.series
            for (labels, sample) in moment.samples { try body(labels, sample) }
        }
    }
}

/// The times of samples of any of some series.
private struct SampleMoments {
    var times: Set<Timestamp> = []
    /// The longest of those series.
    var lookback: Milliseconds = 0

    init(
        _ patterns: [CompiledRule.Pattern],
        after: Timestamp,
        through: Timestamp,
        _ reader: any SeriesReader
    ) throws {
        for pattern in patterns {
            let request = SelectRequest(
                matchers: pattern.matchers,
                extent: .window(after: after, through: through),
                qualities: .raising
            )
            for columns in try reader.select(request) {
                self.times.formUnion(columns.times)
                self.lookback = max(self.lookback, columns.lookback)
            }
        }
    }
}

extension RecordingRule {
    /// Under which name it is saved where the rule has come to: another interval begins anew.
    fileprivate var stepKey: String { "recorded/\(self.group)/\(self.record)\(self.labels) every \(self.interval)" }
}
