// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Plays stored history through the engine that serves, as if it happened now: event time, the thresholds of that day.
///
/// The samples are read a slice of time at a time, so that memory is that of a slice; what windows look back on is read
/// from the store. The engine begins without any state: what fires at the first moment is raised there.
///
/// ## Usage
/// ```swift
/// let backtest = Backtest(rules: rules, store: store) { CatalogReader(base: $0, catalog: catalog) }
/// let outcome = try backtest.run(from: start, through: end)
/// ```
package struct Backtest {
    /// What came of it.
    package struct Outcome: Sendable, Codable {
        /// In the order of their event times.
        package var transitions: [AlertTransition] = []
        /// In the order of their beginnings.
        package var warnings: [BacktestWarning] = []
        package var samples = 0
        /// The sites that are known, by what was played at least.
        package var sites: Set<String> = []
        /// `rule (site): message` for what could not be evaluated at the end.
        package var failures: [String] = []
        /// Where they were asked for.
        package var curves: [BacktestCurve] = []

        package init() {}
    }

    private static let slice: Milliseconds = .day

    let rules: RuleSet
    let store: any SeriesReader
    let view: (any SeriesReader) -> any SeriesReader
    /// The registered channels of a site, or of all.
    package var channels: RecordedSeries.Channels = { _ in [] }
    /// Only the samples of these sites are played; nil for all.
    package var sites: [String]?
    /// How many points a curve has; 0 for no curves.
    package var curvePoints = 0

    /// - Parameters:
    ///   - rules: Of recording rules among them those are evaluated that alerts depend on, each after those that it reads.
    ///   - store: The series as they are stored, with their stored labels.
    ///   - view: Shows a store to the rules: with look-backs, thresholds and virtual labels.
    package init(
        rules: RuleSet,
        store: any SeriesReader,
        view: @escaping (any SeriesReader) -> any SeriesReader = { $0 }
    ) {
        self.rules = rules
        self.store = store
        self.view = view
    }

    /// Plays the samples in `[from, through]`, and lets the timers fire that are due by `through`.
    ///
    /// `progress` takes the share that is done, 0 to 1.
    ///
    /// - Throws: What the reader throws, and `progress`, which may end it.
    package func run(
        from: Timestamp,
        through: Timestamp,
        progress: (Double) throws -> Void = { _ in }
    ) throws -> Outcome {
        let engine = RuleEngine(rules: self.rules, clockMode: .data) { self.channels($0) }
        let recorder = try BacktestRecorder(self.rules, channels: self.channels)
        var feed = BacktestFeed(engine.compiled, recorder, sites: self.sites)
        var book = BacktestBook(self.rules)
        var outcome = Outcome()
        var position: Int64 = 0
        func process(_ content: AppliedBatch.Content, at time: Timestamp, _ reader: any SeriesReader) throws {
            position += 1
            let batch = AppliedBatch(
                position: JournalPosition(rawValue: position),
                receivedAt: time,
                content: content
            )
            let transitions = try engine.process(batch, reader: reader)
            if case .samples(let samples) = content {
                try book.take(transitions, samples, reader)
            } else {
                try book.take(transitions, [], reader)
            }
            outcome.transitions += transitions
        }
        let begin = from - 1
        var start = begin - recorder.lead
        while start < through {
            let end = min(start + Self.slice, start < begin ? begin : through)
            // What windows remember of the series must not know what comes after the slice.
            let store = HorizonReader(base: self.store, horizon: end)
            var samples = try feed.samples(of: store, after: start, through: end)
            let reader = recorder.over(store, self.view)
            let recorded = try recorder.record(samples, during: start + 1...end, reader: reader)
            if start >= begin, !samples.isEmpty || !recorded.isEmpty {
                outcome.samples += samples.count
                outcome.sites.formUnion(samples.lazy.map(\.series.labels.site))
                samples += recorded
                if !recorded.isEmpty { samples.sort { $0.sample.time < $1.sample.time } }
                try process(.samples(samples), at: end, reader)
            }
            if start >= begin {
                let alerts = engine.showingAlerts(over: reader)
                let found = try recorder.record(
                    samples,
                    during: start + 1...end,
                    afterAlerts: true,
                    reader: alerts
                )
                if !found.isEmpty { try process(.samples(found), at: end, reader) }
            }
            start = end
            try progress(max(0, Double(start - begin) / Double(max(1, through - begin))))
        }
        let reader = recorder.over(HorizonReader(base: self.store, horizon: through), self.view)
        try process(.clockAdvance(site: nil, to: through), at: through, reader)
        outcome.warnings = book.finished()
        outcome.failures = engine.failures().map { "\($0.rule) (\($0.site)): \($0.message)" }
        if self.curvePoints > 0 {
            outcome.curves = try BacktestCurve.all(
                of: outcome,
                self.rules,
                from: from,
                through: through,
                points: self.curvePoints,
                reader
            )
        }
        return outcome
    }
}

/// The samples that set rules going, a slice at a time.
private struct BacktestFeed {
    private let conditions: [[LabelMatcher]]
    private var keys: [Labels: SeriesKey] = [:]
    /// Metrics that are recorded anew, not played.
    private let recorded: Set<String>

    /// Only what a rule's selectors find is read; where a rule speaks of silence, or of nothing, all series are.
    init(_ rules: [CompiledRule], _ recorder: BacktestRecorder, sites: [String]?) {
        let any = LabelMatcher(name: Labels.metricName, operation: .notEqual, value: "", pattern: nil)
        let needsAll = rules.contains { $0.isSilence || $0.patterns.isEmpty }
        let read = rules.flatMap(\.patterns) + recorder.patterns
        let patterns = needsAll ? [[any]] : Array(Set(read.map(\.matchers)))
        self.recorded = recorder.names
        guard let sites else {
            self.conditions = patterns
            return
        }
        self.conditions = patterns.flatMap { pattern in
            sites.map { pattern + [LabelMatcher("site", equals: $0)] }
        }
    }

    /// The samples in `(after, through]`, in the order of their times.
    mutating func samples(
        of store: any SeriesReader,
        after: Timestamp,
        through: Timestamp
    ) throws -> [AppliedSample] {
        var seen: Set<Labels> = []
        var samples: [AppliedSample] = []
        for matchers in self.conditions {
            let request = SelectRequest(
                matchers: matchers,
                extent: .window(after: after, through: through),
                qualities: .raising
            )
            for columns in try store.select(request)
            where !self.recorded.contains(columns.labels.metric) && seen.insert(columns.labels).inserted {
                let key = self.keys[columns.labels] ?? SeriesKey(labels: columns.labels)
                self.keys[columns.labels] = key
                for index in columns.times.indices {
                    let sample = Sample(
                        time: columns.times[index],
                        value: columns.values[index],
                        mark: columns.marks[index]
                    )
                    samples.append(AppliedSample(series: key, sample: sample))
                }
            }
        }
        samples.sort { $0.sample.time < $1.sample.time }
        return samples
    }
}

/// A store as it was at a moment: later samples are not there yet.
private struct HorizonReader: SeriesReader {
    let base: any SeriesReader
    let horizon: Timestamp

    func select(_ request: SelectRequest) throws -> [SeriesColumns] { try self.base.select(self.bounded(request)) }

    func selection(_ request: SelectRequest) throws -> any SelectedSeries {
        try self.base.selection(self.bounded(request))
    }

    func series(matching matchers: [LabelMatcher], after: Timestamp, through: Timestamp) throws -> [Labels] {
        try self.base.series(matching: matchers, after: after, through: min(through, self.horizon))
    }

    private func bounded(_ request: SelectRequest) -> SelectRequest {
        var request = request
        switch request.extent {
        case .window(let after, let through):
            request.extent = .window(after: after, through: min(through, self.horizon))
        case .lookback(let from, let through):
            request.extent = .lookback(from: from, through: min(through, self.horizon))
        }
        return request
    }
}
