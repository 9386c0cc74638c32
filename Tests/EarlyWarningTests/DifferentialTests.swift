// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import PromQL
import Telemetry
import TestSupport
import Testing

@testable import EarlyWarning

/// The stream against the batch: an engine that looks only where something may have changed, and a reference that
/// evaluates every rule of every site at every minute that a clock passes.
///
/// Samples, look-backs, windows and `for` are whole minutes, so that nothing can change between two of them, but for what
/// covers a rain total.
struct DifferentialTests {
    static let rules = """
        groups:
          - name: g
            rules:
              - alert: Stage
                expr: level >= $threshold
                clear: level < $threshold - 2
                levels: { blue: 10, red: 13 }
              - alert: Slow
                expr: level > 11
                for: 3m
              - alert: Sticky
                expr: avg_over_time(level[6m]) > 11
                keep_firing_for: 4m
              - alert: Few
                expr: count_over_time(level[10m]) < 3
                for: 1m
              - alert: Pair
                expr: sum by (site) (level) > 18
              - alert: Behind
                expr: level > on(site, position) (level offset 4m)
              - alert: Rate
                expr: delta(level[7m]) > 3
              - alert: All
                expr: sum(level) > 40
                for: 2m
              - alert: Ladder
                expr: level{position="up"} >= on(site) group_left() site_threshold_meters{hazard="flood",level="$level"}
                levels: [blue, red]
              - alert: Exceeds
                expr: level{position="up"} > on(site) group_left() site_threshold_meters{hazard="flood",level="$level"}
                levels: [blue, red]
                for: 2m
              - alert: Low
                expr: level{position="up"} < on(site) group_left() site_threshold_meters{hazard="low",level="$level"}
                clear: level{position="up"} > on(site) group_left() (site_threshold_meters{hazard="low",level="$level"} + 1)
                levels: [blue, red]
              - alert: Rise
                expr: >-
                  (level{position="up"} - min_over_time(level{position="up"}[6m]))
                  >= on(site) group_left() site_threshold_meters{hazard="rise",level="$level"}
                levels: [blue, red]
              - alert: Sum
                expr: >-
                  covered_sum_over_time(level{position="up"}[7m]) * 2
                  > on(site) group_left() site_threshold_meters{hazard="sum",level="$level"}
                levels: [blue, red]
              - alert: Highest
                expr: max by (site) (level) > on(site) site_threshold_meters{hazard="flood",level="$level"}
                levels: [blue, red]
              - alert: Either
                expr: level >= on(site) group_left() site_threshold_meters{hazard="flood",level="$level"}
                levels: [blue, red]
              - alert: Gone
                expr: absent(level{site="c"})
        """

    static let withoutLateness = rules.replacingOccurrences(of: "    expr:", with: "    lateness: 0s\n        expr:")

    /// One site has thresholds always, one from some time on, one has none.
    static let thresholds: [(site: String, threshold: Threshold)] = [
        ("a", "flood", 0, WarningLevel.blue, 10.0), ("a", "flood", 0, .red, 13), ("b", "flood", 171, .blue, 10),
        ("b", "flood", 203, .red, 13), ("a", "low", 0, .blue, 8), ("a", "low", 150, .red, 6), ("b", "low", 0, .red, 6),
        ("a", "rise", 0, .blue, 4), ("a", "rise", 0, .red, 7), ("b", "rise", 140, .blue, 5), ("a", "sum", 0, .blue, 60),
        ("b", "sum", 0, .red, 70),
    ]
    .map { site, hazard, from, level, value in
        let threshold = Threshold(
            hazard: Hazard(rawValue: hazard),
            level: level,
            name: "",
            value: value,
            unit: .meters,
            validFrom: .minutes(Int64(from)),
            validTo: nil,
            authority: "",
            source: "",
            confidence: "test"
        )
        return (site, threshold)
    }

    /// A stream with disorder, gaps, duplicates and suspect values.
    static func stream(seed: UInt64) -> [[(Labels, Sample)]] {
        var random = SeededGenerator(seed: seed)
        var now: [String: Int64] = ["a": 100, "b": 100, "c": 100]
        var batches: [[(Labels, Sample)]] = []
        for _ in 0..<120 {
            var batch: [(Labels, Sample)] = []
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let site = ["a", "b", "c"][Int.random(in: 0..<3, using: &random)]
                let position = Bool.random(using: &random) ? "up" : "down"
                let jump = Int64.random(in: 0..<20, using: &random)
                let step = jump == 0 ? Int64.random(in: 6...30, using: &random) : jump < 12 ? jump % 3 : 0
                now[site, default: 0] += step
                let lag = Int64.random(in: 0..<6, using: &random) == 0 ? Int64.random(in: 0...9, using: &random) : 0
                let quality = Int.random(in: 0..<8, using: &random)
                let mark = SampleMark(quality: quality == 0 ? .suspect : quality == 1 ? .fail : .pass)
                let value = Double(Int.random(in: 5...15, using: &random))
                let labels: Labels = ["__name__": "level", "site": site, "position": position]
                batch.append((labels, Sample(time: .minutes(now[site, default: 0] - lag), value: value, mark: mark)))
            }
            batches.append(batch)
        }
        return batches
    }

    static func channels(_ isRegistered: Bool) -> [WatchedChannel] {
        guard isRegistered else { return [] }
        return ["a", "b"]
            .flatMap { site in
                ["up", "down"]
                    .map { position in
                        WatchedChannel(
                            series: ["__name__": "level", "site": site, "position": position],
                            schedule: .periodic(4 * .minute)
                        )
                    }
            }
    }

    @Test(arguments: [UInt64(1), 2, 3, 4, 5, 6], [false, true])
    func streamEqualsBatch(seed: UInt64, isRegistered: Bool) throws {
        let channels = Self.channels(isRegistered)
        // The reference looks at each moment once, when its clock passes it.
        let harness = try EngineHarness(Self.withoutLateness, channels: channels, thresholds: Self.thresholds)
        var reference = Reference(
            rules: harness.engine.compiled,
            channels: channels,
            reader: harness.reader
        )
        for (number, batch) in Self.stream(seed: seed).enumerated() {
            let actual = try harness.feed(batch).map(Self.line).sorted()
            let expected = try reference.process(batch).sorted()
            try #require(actual == expected, "seed \(seed), batch \(number): \(batch)")
        }
        #expect(harness.engine.counters.errors == 0)
        #expect(harness.engine.counters.evaluations < reference.evaluations)
    }

    static func line(_ transition: AlertTransition) -> String {
        "\(transition.eventTime.milliseconds / .minute) \(transition.change) \(transition.rule) \(transition.labels)"
    }

    @Test(arguments: [UInt64(11), 12, 13, 14, 15, 16])
    func goesOnAfterACrashAtAnyPosition(seed: UInt64) throws {
        let channels = Self.channels(seed % 2 == 0)
        let stream = Self.stream(seed: seed)
        let whole = try EngineHarness(Self.rules, channels: channels, thresholds: Self.thresholds)
        var random = SeededGenerator(seed: seed &+ 1000)
        let cuts = Set((0..<6).map { _ in Int.random(in: 0..<stream.count, using: &random) })
        var saved = SavedState()
        var states: [Int: SavedState] = [:]
        var transitions: [[AlertTransition]] = []
        for (number, batch) in stream.enumerated() {
            if cuts.contains(number) { states[number] = saved }
            transitions.append(try whole.feed(batch))
            saved.apply(whole.engine.checkpoint())
        }
        for (cut, state) in states {
            let resumed = try EngineHarness(Self.rules, channels: channels, thresholds: Self.thresholds)
            for batch in stream[..<cut] { for (labels, sample) in batch { resumed.store.insert(labels, sample) } }
            let dropped = try resumed.engine.restore(
                alerts: state.alerts,
                clocks: state.clocks,
                reader: resumed.reader
            )
            #expect(dropped.isEmpty)
            for number in cut..<stream.count {
                let again = try resumed.feed(stream[number])
                try #require(again == transitions[number], "seed \(seed), cut \(cut), batch \(number)")
            }
        }
    }

    /// What `catalog.db` would hold.
    struct SavedState {
        private var rows: [AlertStateRow.Key: String] = [:]
        private var times: [String: String] = [:]

        var alerts: [AlertStateRow] { self.rows.map { AlertStateRow(key: $0.key, json: $0.value) } }
        var clocks: [ClockRow] { self.times.map { ClockRow(key: $0.key, json: $0.value) } }

        mutating func apply(_ checkpoint: EngineCheckpoint) {
            for row in checkpoint.alerts {
                self.rows[row.key] = row.json
            }
            for key in checkpoint.removed { self.rows[key] = nil }
            for clock in checkpoint.clocks { self.times[clock.key] = clock.json }
        }
    }
}

/// Evaluates everything at every minute.
struct Reference {
    private struct Place: Hashable {
        var rule: Int
        var site: String
    }

    private struct State {
        var machine = AlertStateMachine()
        var labels: Labels
        var matching: Labels
    }

    let rules: [CompiledRule]
    let channels: [WatchedChannel]
    let reader: TestOverlay
    private(set) var evaluations = 0
    private var clocks: [String: Timestamp] = [:]
    private var acrossClock: Timestamp?
    private var alerts: [Place: [State]] = [:]
    private var output: [String] = []

    init(rules: [CompiledRule], channels: [WatchedChannel], reader: TestOverlay) {
        self.rules = rules
        self.channels = channels
        self.reader = reader
    }

    mutating func process(_ batch: [(Labels, Sample)]) throws -> [String] {
        self.output = []
        var newest: Timestamp?
        for site in Set(batch.map(\.0.site)).sorted() {
            let times = Set(batch.filter { $0.0.site == site }.map(\.1.time)).sorted()
            let perSite = self.rules.indices.filter { self.rules[$0].isPerSite }
            if let clock = self.clocks[site], let first = times.first, first <= clock {
                for rule in perSite { try self.evaluate(rule, site, at: clock) }
            }
            let start = self.clocks[site] ?? times[0] - .minute
            let end = max(times[times.count - 1], self.clocks[site] ?? .distantPast)
            for minute in stride(from: start.milliseconds + .minute, through: end.milliseconds, by: Int(Int64.minute)) {
                for rule in perSite {
                    if self.changesAfterAMinute(rule) {
                        try self.evaluate(rule, site, at: Timestamp(milliseconds: minute - .minute + 1))
                    }
                    try self.evaluate(rule, site, at: Timestamp(milliseconds: minute))
                }
            }
            for rule in perSite { try self.evaluate(rule, site, at: end) }
            self.clocks[site] = end
            newest = max(newest ?? end, end)
        }
        guard let newest else { return [] }
        let across = self.rules.indices.filter { !self.rules[$0].isPerSite }
        let start = self.acrossClock ?? (batch.map(\.1.time).min() ?? newest) - .minute
        let end = max(newest, self.acrossClock ?? .distantPast)
        if self.acrossClock != nil { for rule in across { try self.evaluate(rule, "", at: start) } }
        for minute in stride(from: start.milliseconds + .minute, through: end.milliseconds, by: Int(Int64.minute)) {
            for rule in across { try self.evaluate(rule, "", at: Timestamp(milliseconds: minute)) }
        }
        self.acrossClock = end
        return self.output
    }

    /// A total that a sample at the border of the window covers is uncovered a moment later.
    private func changesAfterAMinute(_ index: Int) -> Bool {
        !self.rules[index].dependsOnTime
            && self.rules[index].rule.expr.description.contains("covered_sum_over_time")
    }

    private mutating func evaluate(_ index: Int, _ site: String, at time: Timestamp) throws {
        self.evaluations += 1
        let rule = self.rules[index]
        let reader: any SeriesReader = site.isEmpty ? self.reader : SiteReader(site: site).over(self.reader)
        func ask(_ query: Query, _ qualities: QualitySet) throws -> [Labels] {
            let options = EvaluationOptions(qualities: qualities, roundsComparisons: true)
            return try Evaluator(reader: reader, options: options).instant(query, at: time).samples.map(\.labels)
        }
        let place = Place(rule: index, site: site)
        var states = self.alerts[place] ?? []
        let firing = try ask(rule.rule.expr, .raising)
        let lower = try ask(rule.rule.clear ?? rule.rule.expr, .trusted).map(rule.matchingLabels)
        for labels in firing {
            let identity = rule.alertLabels(labels, TemplateContext(labels: labels, value: nil))
            guard !states.contains(where: { $0.labels == identity }) else { continue }
            states.append(State(labels: identity, matching: rule.matchingLabels(labels)))
        }
        let seen = Set(firing.map(rule.matchingLabels))
        for number in states.indices {
            var state = states[number]
            let isStale = try self.isStale(state.labels, rule, reader, time)
            let isFound = lower.contains(state.matching)
            let verdict: AlertStateMachine.Verdict
            let isHeld = isStale && rule.rule.noData == .unknown
            if state.machine.isRaised, isHeld {
                verdict = .unknown(reason: "no_data")
            } else if seen.contains(state.matching) {
                verdict = .fires
            } else if state.machine.isRaised, isStale {
                verdict = .lingers
            } else if rule.rule.clear != nil {
                verdict = isFound ? .cleared : .lingers
            } else {
                verdict = isFound ? .lingers : .over
            }
            var actions = state.machine.observe(
                verdict,
                at: time,
                hold: rule.rule.hold,
                keepFiringFor: rule.rule.keepFiringFor
            )
            if actions == [.raise], isHeld {
                actions += state.machine.observe(
                    .unknown(reason: "no_data"),
                    at: time,
                    hold: rule.rule.hold,
                    keepFiringFor: rule.rule.keepFiringFor
                )
            }
            states[number] = state
            for action in actions { self.note(action, rule, state.labels, time) }
        }
        self.alerts[place] = states.filter { $0.machine.state != .inactive }
    }

    private func isStale(
        _ labels: Labels,
        _ rule: CompiledRule,
        _ reader: any SeriesReader,
        _ time: Timestamp
    ) throws -> Bool {
        for channel in self.channels where channel.series.isCompatible(with: labels) {
            guard rule.patterns.contains(where: { $0.matches(channel.series) }) else { continue }
            let clockIsKnown = try
                !reader.series(
                    matching: channel.matchers,
                    after: .distantPast,
                    through: time
                )
                .isEmpty
            let request = SelectRequest(
                matchers: channel.matchers,
                extent: .lookback(from: time, through: time),
                qualities: .raising
            )
            if try !clockIsKnown || reader.select(request).isEmpty { return true }
        }
        return false
    }

    private mutating func note(
        _ action: AlertStateMachine.Action,
        _ rule: CompiledRule,
        _ labels: Labels,
        _ time: Timestamp
    ) {
        let change =
            switch action {
            case .raise: "raised"
            case .end: "ended"
            case .hold: "held"
            case .resume: "resumed"
            }
        self.output.append("\(time.milliseconds / .minute) \(change) \(rule.rule.id) \(labels)")
    }
}
