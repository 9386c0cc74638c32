// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
package import Telemetry

/// Evaluates rules whenever samples arrive, at the event time of the sites they belong to.
///
/// Used by one thread. It reads no clock: time comes with the batches and ticks. What it says depends only on the
/// batches, their order and the store, so that feeding the journal again from a checkpoint gives the same transitions.
///
/// A label set is evaluated anew when one of its samples arrives or a timer is due; nothing else is looked at. In a
/// jump of the clock over years the rules whose output moves with time alone are evaluated at no more than
/// ``Settings/maximumTimeSteps`` evenly spaced multiples of their interval; timers that come from samples are as many
/// as the samples, and bounded by ``Settings/maximumTimers`` beyond which the clock goes on without them.
///
/// ## Usage
/// ```swift
/// let engine = RuleEngine(rules: rules, clockMode: .data) { catalog.watchedChannels(at: $0) }
/// try engine.restore(alerts: rows, clocks: clocks, reader: reader)
/// for batch in journal { book.apply(try engine.process(batch, reader: reader)) }
/// ```
package final class RuleEngine {
    package enum ClockMode: String, Sendable, CaseIterable {
        /// A site's clock follows its data, and wall time at a distance where no data come.
        case wall
        /// A site's clock follows its data and explicit advances only.
        case data
    }

    package struct Settings: Sendable {
        /// How often a rule that moves with time alone is evaluated at most within one advance of a clock.
        package var maximumTimeSteps: Int64 = 1440
        /// How many timers fire at most within one advance of one site's clock.
        package var maximumTimers = 100_000
        /// What annotations may name as `$externalLabels`.
        package var externalLabels = Labels.empty
        /// What they may name as `$externalURL`.
        package var externalURL = ""
        /// Whether the history of all alerts is kept, not only of those that rules read.
        package var keepsAlertHistory = false

        package init() {}
    }

    /// What the engine did since it was made.
    package struct Counters: Hashable, Sendable {
        /// Evaluations of one rule for one site, or of one rule across sites.
        package var evaluations = 0
        /// Samples behind their site's clock when they arrived.
        package var lateSamples = 0
        /// Units that were evaluated again from a late sample on.
        package var rehearsals = 0
        package var samples = 0
        /// Timers that fired.
        package var timers = 0
        /// Advances in which timers were left out because there were too many.
        package var cutAdvances = 0
        /// Evaluations that ended in an error.
        package var errors = 0

        package init() {}
    }

    package private(set) var rules: [AlertRule]
    package internal(set) var counters = Counters()
    /// The wall time before which wall time itself decides nothing: no channel is silent, no tick clock moves.
    ///
    /// After a start the broker still holds what came while we were away, and while the broker is away nobody knows who
    /// is silent. Set it to the start, or the broker's return, plus the time that such a backlog needs; clocks follow the
    /// data meanwhile. Rules that ask how channels are are not evaluated for times before it, later neither. Without
    /// meaning where the clock is that of the data.
    package var silenceHeldUntil = Timestamp.distantPast

    /// In `--clock wall`: wall time cannot be believed, so sites' clocks follow their data alone.
    package var isWallClockSuspect = false

    let clockMode: ClockMode
    let settings: Settings
    let compiled: [CompiledRule]
    /// What left sides of comparisons with thresholds read.
    let selectors: [SharedSelector]
    /// How often the store was changed in another way than by samples that came with a batch.
    var epoch = 0
    let channels: (String) -> [WatchedChannel]
    var scopes: [String: Scope] = [:]
    private(set) var acrossScopes: [Scope] = []
    /// Those of them whose clock any site moves.
    private(set) var followingScopes: [Scope] = []
    /// Those whose clock changed since the last checkpoint.
    var changedScopes: [Scope] = []
    var routesByKey: [ObjectIdentifier: Route] = [:]
    var routesByLabels: [Labels: Route] = [:]
    var wall = Timestamp.distantPast
    var isWallChanged = false
    /// The span of the advance at hand and its end; rules that move with time alone are spread over it.
    var advance: (span: Milliseconds, target: Timestamp) = (0, .distantPast)
    var processedAt = Timestamp.distantPast
    /// With the places of their rules.
    var output: [(order: Int, transition: AlertTransition)] = []
    /// Alert states that changed since the last checkpoint; nil for those that are gone.
    var changes: [AlertKey: AlertRecord?] = [:]
    /// Those whose trail changed since the last checkpoint.
    var changedTrails: [RuleUnit] = []
    /// Of rules that are no longer there.
    var removedTrails: [AlertStateRow.Key] = []
    /// Which rules read the alerts of which.
    let dependencies: AlertDependencies
    /// What the alerts that rules read are and were.
    let alerts = AlertHistory()
    /// What alerts have changed for rules that read them, and that waits for its turn.
    var alertWork: [AcrossWork] = []
    /// The store as annotations may ask it, while something is processed or shown.
    var asked: (any SeriesReader)?
    /// While a unit is evaluated again for times that have passed: what it would have said.
    var rehearsal: [AlertTransition]?

    /// Compiles the rules.
    ///
    /// `channels` gives the registered channels of a site; it is asked whenever a series of the site is seen for the
    /// first time.
    package init(
        rules: RuleSet,
        clockMode: ClockMode,
        settings: Settings = Settings(),
        channels: @escaping (String) -> [WatchedChannel] = { _ in [] }
    ) {
        self.rules = rules.alerts
        self.clockMode = clockMode
        self.settings = settings
        var operands = OperandTable()
        self.compiled = rules.alerts.enumerated()
            .map { CompiledRule($0.element, order: $0.offset, recordings: rules.recordings, operands: &operands) }
        self.selectors = operands.selectors
        self.channels = channels
        self.dependencies = AlertDependencies(self.compiled, recordings: rules.recordings)
        for rule in self.compiled where !rule.isPerSite {
            let scope = Scope(kind: .across, key: "rule/" + rule.rule.id, selectors: [])
            scope.rank = self.dependencies.ranks[rule.order]
            let readsAcross = self.compiled.contains {
                !$0.isPerSite && $0 !== rule && rule.reads(alertsOf: $0)
            }
            scope.followsAll =
                rule.patterns.isEmpty && !rule.readsAlerts || rule.speaksOfAbsence || readsAcross
            scope.add(RuleUnit(rule: rule))
            self.acrossScopes.append(scope)
            if scope.followsAll { self.followingScopes.append(scope) }
        }
        self.acrossScopes.sort { $0.rank < $1.rank }
    }

    /// Takes what a journal entry brought; `reader` shows the store with it.
    ///
    /// - Returns: What changed, in the order of event time, site, rule and labels.
    /// - Throws: What the reader throws when the store cannot be read; the engine must then be made anew from its
    ///   checkpoint. Errors of queries are not thrown: they make the alerts of their site unknown and raise a
    ///   transition of hazard `system`.
    package func process(_ batch: AppliedBatch, reader: any SeriesReader) throws -> [AlertTransition] {
        self.asked = reader
        defer { self.asked = nil }
        self.processedAt = batch.receivedAt
        if self.clockMode == .wall, !self.isWallClockSuspect, batch.receivedAt > self.wall {
            self.wall = batch.receivedAt
            self.isWallChanged = true
        }
        switch batch.content {
        case .samples(let samples) where samples.isEmpty: self.epoch += 1
        case .samples(let samples): try self.take(samples, receivedAt: batch.receivedAt, reader: reader)
        case .clockAdvance(let site, let to):
            if self.clockMode == .data { try self.advanceClocks(site: site, to: to, reader: reader) }
        }
        return self.takeOutput()
    }

    /// Fires the timers that wall time has reached, where the clock is that of the wall; call it once a second.
    package func tick(wallTime: Timestamp, reader: any SeriesReader) throws -> [AlertTransition] {
        guard self.clockMode == .wall, wallTime > self.wall else { return [] }
        self.asked = reader
        defer { self.asked = nil }
        self.wall = wallTime
        self.isWallChanged = true
        self.processedAt = wallTime
        guard wallTime >= self.silenceHeldUntil else { return [] }
        let due = self.scopes.values.filter { scope in
            scope.due <= wallTime - scope.grace || scope.wallDue <= wallTime
        }
        for scope in due.sorted(by: { $0.key < $1.key }) {
            let tickClock = wallTime - scope.grace
            let view = self.view(scope, reader)
            if scope.due <= tickClock { try self.advance(scope, to: tickClock, view) }
            try self.advanceWall(scope, to: wallTime, view)
        }
        for scope in self.acrossScopes {
            if scope.rank > 0 { try self.judgeReaders(reader) }
            let isNew = scope.followsAll && scope.clock == .distantPast
            guard scope.due <= wallTime || isNew else { continue }
            let members = self.scopes.values.filter { scope.followsAll || $0.across.contains { $0 === scope } }
            let grace = members.map(\.grace).min() ?? ReportSchedule.unregisteredGrace
            guard scope.due <= wallTime - grace || isNew else { continue }
            try self.advance(scope, to: wallTime - grace, self.view(scope, reader))
        }
        try self.judgeReaders(reader)
        return self.takeOutput()
    }

    /// The series of a reader, with the alerts as ``AlertHistory`` shows them: those that rules read.
    package func showingAlerts(over reader: any SeriesReader) -> any SeriesReader {
        self.alerts.over(reader, for: nil)
    }

    /// The newest of the clocks; the event time that the rules as a whole have reached.
    package var newestClock: Timestamp {
        self.scopes.values.map(\.clock).max() ?? .distantPast
    }

    /// The clock of a site; nil where nothing is known of it.
    package func clock(ofSite site: String) -> Timestamp? {
        guard let scope = self.scopes[site] else { return nil }
        return self.clockMode == .wall ? max(scope.clock, self.wall - scope.grace) : scope.clock
    }

    private func takeOutput() -> [AlertTransition] {
        guard !self.output.isEmpty else { return [] }
        let sorted = self.output.enumerated()
            .sorted { left, right in
                let (a, b) = (left.element.transition, right.element.transition)
                if a.eventTime != b.eventTime { return a.eventTime < b.eventTime }
                if a.site != b.site { return a.site < b.site }
                if left.element.order != right.element.order { return left.element.order < right.element.order }
                if a.rule != b.rule { return b.rule == RuleEngine.failureRule }
                if a.labels != b.labels { return a.labels < b.labels }
                return left.offset < right.offset
            }
        self.output.removeAll(keepingCapacity: true)
        return sorted.map(\.element.transition)
    }
}
