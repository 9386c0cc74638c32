// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
package import Telemetry

/// How samples and advances move clocks, and what is evaluated when.
extension RuleEngine {
    /// How the units of a scope see the store for the time of one batch or tick.
    ///
    /// Most readings change nothing and need no reader; what reads is made when it is asked for.
    final class View {
        /// That of all sites.
        let base: any SeriesReader
        private let site: SiteReader?
        let scope: Scope
        /// Nil across sites.
        let operands: LeftOperands?

        init(base: any SeriesReader, scope: Scope) {
            self.base = base
            self.scope = scope
            self.site = scope.reader
            self.operands = scope.reader == nil ? nil : scope.operands
        }

        private(set) lazy var reader: any SeriesReader = self.site?.over(self.base) ?? self.base
        private(set) lazy var raising = self.evaluator(.raising)
        private(set) lazy var trusted = self.evaluator(.trusted)

        private func evaluator(_ qualities: QualitySet) -> Evaluator {
            var options = EvaluationOptions(qualities: qualities, roundsComparisons: true)
            options.confinesFaults = true
            return Evaluator(reader: self.reader, options: options)
        }
    }

    func view(_ scope: Scope, _ reader: any SeriesReader) -> View {
        scope.operands.forget(epoch: self.epoch)
        guard scope.rank > 0, let unit = scope.units.first else { return View(base: reader, scope: scope) }
        return View(base: self.alerts.over(reader, for: AlertHistory.Owner(unit)), scope: scope)
    }

    /// A change that a rule across sites must look at.
    struct AcrossWork {
        let scope: Scope
        /// When to look at it.
        let time: Timestamp
        /// Of the sample that came, which may be late; nil where only a clock went on.
        let sample: Timestamp?
    }

    func take(_ samples: [AppliedSample], receivedAt: Timestamp, reader: any SeriesReader) throws {
        self.counters.samples += samples.count
        var across: [AcrossWork] = []
        if samples.count == 1, let only = samples.first {
            let route = self.route(for: only.series)
            try self.take([(route, only.sample)][...], receivedAt, reader, &across)
        } else {
            var items = samples.map { (route: self.route(for: $0.series), sample: $0.sample) }
            items.sort { left, right in
                if left.route.scope === right.route.scope { return left.sample.time < right.sample.time }
                return left.route.scope.key < right.route.scope.key
            }
            var rest = items[...]
            while let first = rest.first {
                let run = rest.prefix { $0.route.scope === first.route.scope }
                rest = rest.dropFirst(run.count)
                try self.take(run, receivedAt, reader, &across)
            }
        }
        try self.run(across, reader)
    }

    /// The samples of one site, in the order of their times.
    private func take(
        _ run: ArraySlice<(route: Route, sample: Sample)>,
        _ receivedAt: Timestamp,
        _ reader: any SeriesReader,
        _ across: inout [AcrossWork]
    ) throws {
        guard let scope = run.first?.route.scope else { return }
        let view = self.view(scope, reader)
        for item in run {
            item.route.track.note(item.sample, epoch: self.epoch)
            if item.route.selectors.isEmpty { continue }
            scope.operands
                .add(item.sample, of: item.route.track, finding: item.route.selectors, clock: scope.clock)
        }
        let followsWall = self.clockMode == .wall && !self.isWallClockSuspect
        if followsWall, receivedAt >= self.silenceHeldUntil {
            let tickClock = receivedAt - scope.grace
            if scope.clock > .distantPast, tickClock > scope.clock { try self.advance(scope, to: tickClock, view) }
        }
        let limit = followsWall ? receivedAt : Timestamp.distantFuture
        var rest = run
        var late: [(unit: RuleUnit, from: Timestamp)] = []
        var isLate = false
        while let next = rest.first, next.sample.time < scope.clock {
            isLate = true
            self.counters.lateSamples += 1
            for unit in next.route.allUnits where scope.clock - next.sample.time <= unit.rule.rule.lateness {
                if !late.contains(where: { $0.unit === unit }) { late.append((unit, next.sample.time)) }
            }
            self.markDirty(next.route, scope.clock, sample: next.sample.time, &across)
            rest = rest.dropFirst()
        }
        // What is already judged of this very moment is judged anew, from what was before it.
        for item in rest.prefix(while: { $0.sample.time == scope.clock }) {
            for unit in item.route.allUnits where unit.wasJudged(at: scope.clock) {
                if !late.contains(where: { $0.unit === unit }) { late.append((unit, scope.clock)) }
            }
        }
        for item in late { try self.rectify(item.unit, from: item.from, view) }
        if isLate, rest.first?.sample.time != scope.clock { try self.advance(scope, to: scope.clock, view) }
        while let next = rest.first {
            let time = next.sample.time
            while let same = rest.first, same.sample.time == time {
                if time > limit {
                    self.keepForLater(same.route, time)
                    self.markAcross(same.route, limit, sample: limit, &across)
                } else {
                    self.markDirty(same.route, time, sample: time, &across)
                }
                rest = rest.dropFirst()
            }
            if min(time, limit) >= scope.clock { try self.advance(scope, to: min(time, limit), view) }
        }
        if self.clockMode == .wall {
            for unit in scope.wallUnits where unit.isDirty || !unit.alerts.isEmpty {
                unit.due = min(unit.due, self.wall)
            }
            scope.rearm()
            try self.advanceWall(scope, to: self.wall, view)
        }
        for other in scope.across where other.clock < scope.clock {
            across.append(AcrossWork(scope: other, time: scope.clock, sample: nil))
        }
        for other in self.followingScopes where other.clock < scope.clock {
            across.append(AcrossWork(scope: other, time: scope.clock, sample: nil))
        }
    }

    private func markDirty(
        _ route: Route,
        _ time: Timestamp,
        sample: Timestamp,
        _ across: inout [AcrossWork]
    ) {
        // What was there may have been taken away: a value that was replaced by a worse one.
        let isStale = time <= route.scope.clock
        for unit in route.units {
            unit.isDirty = true
            if isStale { unit.staleAt = .distantPast }
        }
        for (ladder, units) in route.ladders {
            ladder.isDirty = true
            guard !ladder.isAsOne else { continue }
            for unit in units {
                unit.isDirty = true
                if isStale { unit.staleAt = .distantPast }
            }
        }
        for unit in route.silenceUnits where !route.isKnown || !unit.isArmed || !unit.alerts.isEmpty {
            unit.isDirty = true
        }
        route.isKnown = true
        self.markAcross(route, time, sample: sample, &across)
    }

    private func markAcross(
        _ route: Route,
        _ time: Timestamp,
        sample: Timestamp,
        _ across: inout [AcrossWork]
    ) {
        for scope in route.across {
            across.append(AcrossWork(scope: scope, time: time, sample: sample))
            if time <= scope.clock { for unit in scope.units { unit.staleAt = .distantPast } }
        }
    }

    /// A sample ahead of wall time counts when the clock reaches it.
    private func keepForLater(_ route: Route, _ time: Timestamp) {
        for scope in [route.scope] + route.across where !scope.future.contains(time) {
            scope.future.append(time)
            scope.future.sort()
            scope.due = min(scope.due, time)
            self.noteClockChange(scope)
        }
    }

    /// So that a checkpoint need not look at every site.
    func noteClockChange(_ scope: Scope) {
        guard !scope.isClockChanged else { return }
        scope.isClockChanged = true
        self.changedScopes.append(scope)
    }

    private func run(_ work: [AcrossWork], _ reader: any SeriesReader) throws {
        self.alertWork += work.filter { $0.scope.rank > 0 }
        try self.judge(work.filter { $0.scope.rank == 0 }, reader)
        try self.judgeReaders(reader)
    }

    /// Judges the rules that read alerts which have changed, each after those whose alerts it reads.
    func judgeReaders(_ reader: any SeriesReader) throws {
        while let rank = self.alertWork.map(\.scope.rank).min() {
            let work = self.alertWork.filter { $0.scope.rank == rank }
            self.alertWork.removeAll { $0.scope.rank == rank }
            try self.judge(work, reader)
        }
    }

    private func judge(_ work: [AcrossWork], _ reader: any SeriesReader) throws {
        guard !work.isEmpty else { return }
        try self.rectify(after: work, reader)
        for item in work.sorted(by: { ($0.time, $0.scope.key) < ($1.time, $1.scope.key) }) {
            if item.sample != nil { for unit in item.scope.units { unit.isDirty = true } }
            guard item.sample != nil || item.time > item.scope.clock else { continue }
            try self.advance(item.scope, to: max(item.time, item.scope.clock), self.view(item.scope, reader))
        }
    }

    /// Looks at rules across sites again from the first of the samples on that lie before their clocks.
    private func rectify(after work: [AcrossWork], _ reader: any SeriesReader) throws {
        var starts: [ObjectIdentifier: Timestamp] = [:]
        for item in work {
            let clock = item.scope.clock
            guard let sample = item.sample, sample <= clock, let unit = item.scope.units.first,
                clock - sample <= unit.rule.rule.lateness,
                sample < clock || unit.trail.hasChanges(since: clock)
            else { continue }
            let id = ObjectIdentifier(item.scope)
            starts[id] = min(starts[id] ?? sample, sample)
        }
        guard !starts.isEmpty else { return }
        for scope in self.acrossScopes {
            guard let start = starts[ObjectIdentifier(scope)] else { continue }
            for unit in scope.units { try self.rectify(unit, from: start, self.view(scope, reader)) }
        }
    }

    func advanceClocks(site: String?, to: Timestamp, reader: any SeriesReader) throws {
        let sites =
            site.map { self.scopes[$0].map { [$0] } ?? [] }
            ?? self.scopes.values.sorted { $0.key < $1.key }
        for scope in sites where to > scope.clock { try self.advance(scope, to: to, self.view(scope, reader)) }
        let across = self.acrossScopes.filter { scope in
            site == nil || scope.followsAll || sites.contains { $0.across.contains { $0 === scope } }
        }
        for scope in across where to > scope.clock {
            if scope.rank > 0 { try self.judgeReaders(reader) }
            try self.advance(scope, to: to, self.view(scope, reader))
        }
        try self.judgeReaders(reader)
    }

    /// Moves a clock to `target`: timers due before it fire one after the other, each at its own time; those due at
    /// `target` and what is dirty are evaluated there once.
    func advance(_ scope: Scope, to target: Timestamp, _ view: View) throws {
        let span = scope.clock == .distantPast ? 0 : target - scope.clock
        self.advance = (span, target)
        var fired = 0
        while scope.due < target {
            guard fired < self.settings.maximumTimers else {
                self.counters.cutAdvances += 1
                break
            }
            fired += 1
            let time = max(scope.due, scope.clock)
            scope.clock = time
            let isFuture = scope.future.first.map { $0 <= time } ?? false
            scope.future.removeAll { $0 <= time }
            for unit in scope.singles where isFuture || unit.due <= time {
                let isDirty = unit.isDirty
                try self.evaluate(unit, at: time, view)
                unit.isDirty = isDirty
            }
            for ladder in scope.ladders where isFuture || ladder.due <= time {
                try self.evaluate(ladder, at: time, view, isAll: isFuture, keepsDirty: true)
            }
            scope.rearm()
        }
        self.counters.timers += fired
        if target > scope.clock || fired > 0 || !scope.future.isEmpty { self.noteClockChange(scope) }
        scope.clock = max(scope.clock, target)
        self.advance = (0, target)
        let isFuture = scope.future.first.map { $0 <= target } ?? false
        scope.future.removeAll { $0 <= target }
        var isAny = false
        for unit in scope.singles {
            let isNew = !unit.isEvaluated && scope.reader == nil
            guard unit.isDirty || isFuture || isNew || unit.due <= target else { continue }
            try self.evaluate(unit, at: scope.clock, view)
            isAny = true
        }
        for ladder in scope.ladders where ladder.isDirty || isFuture || ladder.due <= target {
            try self.evaluate(ladder, at: scope.clock, view, isAll: isFuture, keepsDirty: false)
            isAny = true
        }
        if isAny || scope.due <= target { scope.rearm() }
    }

    /// Lets the rules that ask how channels are look again at a moment: what the reader says of them has changed.
    package func lookAtChannels(at moment: Timestamp) {
        for scope in Array(self.scopes.values) + self.acrossScopes {
            let units = (scope.units + scope.wallUnits).filter(\.rule.asksForChannels)
            guard !units.isEmpty else { continue }
            for unit in units { unit.due = min(unit.due, moment) }
            scope.rearm()
        }
    }

    /// Fires the timers of silence rules that wall time has reached.
    func advanceWall(_ scope: Scope, to wallTime: Timestamp, _ view: View) throws {
        guard wallTime >= self.silenceHeldUntil else { return }
        self.advance = (0, wallTime)
        var fired = 0
        while scope.wallDue <= wallTime, fired < self.settings.maximumTimers {
            let time = max(scope.wallDue, scope.wallUnits.map(\.evaluatedAt).max() ?? .distantPast)
            for unit in scope.wallUnits where unit.due <= time { try self.evaluate(unit, at: time, view) }
            scope.rearm()
            fired += 1
        }
        self.counters.timers += fired
    }
}
