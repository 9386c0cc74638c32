// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry

/// What readings that come late change of what was said.
///
/// Within a rule's `lateness` its alerts are what they would be had every reading come in time. The rule is evaluated
/// again for the time that has passed since the reading, from the state that it had then, and what that says is compared
/// with what was said: an alert that was over before anybody heard of it is raised and ended in the past, one that
/// never was is retracted, and times and peaks are put right.
extension RuleEngine {
    /// Looks at a rule again from a late reading on, up to the clock of its site, or its own where it spans sites.
    ///
    /// Where the rule cannot be evaluated at one of those times, what was said stays.
    func rectify(_ unit: RuleUnit, from late: Timestamp, _ view: View) throws {
        let clock = view.scope.clock
        let start = max(late, unit.trail.start + 1)
        guard start <= clock, unit.failure == nil else { return }
        self.counters.rehearsals += 1
        let before = unit.trail.point(before: start)
        do {
            let moments = try self.moments(of: unit, from: start, through: clock, view)
            if before?.alerts.isEmpty ?? true, unit.alerts.isEmpty, !unit.trail.hasChanges(since: start),
                try !view.raising.isAnything(unit.rule.rule.expr, at: moments)
            {
                return
            }
            let twin = RuleUnit(rule: unit.rule, site: unit.site)
            twin.channels = unit.channels
            twin.alerts = try before.map { try self.alerts(of: unit, since: $0, before: start, view) } ?? []
            twin.trail = unit.trail.before(start)
            if unit.rule.readsAlerts { self.alerts.put(twin.trail, of: twin) }
            let said = try self.rehearse(twin, from: start, at: moments, view)
            if let said { self.tellDifference(unit, twin, said, from: start, through: clock) }
            self.noteHistory(unit, from: start)
            guard said != nil else { return }
            for ladder in view.scope.ladders where ladder.units.contains(where: { $0 === unit }) { ladder.wake() }
        } catch is PromQLError {
            self.noteHistory(unit, from: start)
        }
    }

    /// The alerts of a unit as they were just before `start`, when they had last changed at `point`.
    ///
    /// A peak that was come to later, and may be the late reading's to change, is none of theirs: theirs is looked up.
    private func alerts(
        of unit: RuleUnit,
        since point: AlertTrail.Point,
        before start: Timestamp,
        _ view: View
    ) throws -> [Alert] {
        let known = unit.alerts + unit.trail.points.filter { $0.time >= start }.flatMap(\.ended)
        var alerts = point.alerts
        var open: [Int] = []
        for index in alerts.indices {
            let same = known.first { $0.labels == alerts[index].labels && $0.activeAt == alerts[index].activeAt }
            if let same, let peakedAt = same.peakedAt, peakedAt < start {
                alerts[index].peak = same.peak
                alerts[index].peakedAt = peakedAt
            } else {
                open.append(index)
            }
        }
        guard !open.isEmpty, point.time + 1 < start else { return alerts }
        let expression = unit.rule.rule.expr
        let moments = try self.moments(of: unit, from: point.time + 1, through: start - 1, view)
        for series in try view.raising.answers(expression, at: moments) {
            guard let index = open.first(where: { alerts[$0].resultLabels == series.labels }) else { continue }
            var peak = alerts[index].peak?.value
            for (time, value) in zip(series.times, series.values) where unit.rule.isMoreExtreme(value, than: peak) {
                peak = value
                alerts[index].peakedAt = time
            }
            guard let peak, peak != alerts[index].peak?.value, let time = alerts[index].peakedAt else { continue }
            let newest = try view.raising.instant(expression, at: time).newestSample
            alerts[index].peak = AlertPeak(value: peak, at: newest ?? time)
        }
        return alerts
    }

    /// The times from `start` on at which the result may differ from the one before: where samples come into view, and
    /// where they leave it.
    private func moments(
        of unit: RuleUnit,
        from start: Timestamp,
        through end: Timestamp,
        _ view: View
    ) throws -> [Timestamp] {
        var moments: Set<Timestamp> = [end]
        let rule = unit.rule.rule
        func add(_ moment: Timestamp) { if moment >= start, moment <= end { moments.insert(moment) } }
        for selector in [rule.expr, rule.clear, rule.maybe].compactMap({ $0 }).flatMap(\.selectors) {
            let isAnchored = selector.window != nil && selector.borders != nil
            let reach = selector.offset + (selector.window ?? .day) + (isAnchored ? .day : 0) + 1
            let request = SelectRequest(
                matchers: selector.matchers,
                extent: self.extent(of: selector, from: start, through: end, reach: reach),
                qualities: .raising
            )
            for columns in try view.reader.select(request) {
                let span = selector.window ?? columns.lookback
                for time in columns.times {
                    add(time + selector.offset)
                    add(time + selector.offset + span)
                    if isAnchored { add(time + selector.offset + span + columns.lookback) }
                    // Whether its channel is silent does not depend on how the rule looks at it.
                    add(time)
                    add(time + columns.lookback)
                }
                if let change = columns.nextChange { add(change) }
            }
        }
        return moments.sorted()
    }

    private func extent(
        of selector: Selector,
        from start: Timestamp,
        through end: Timestamp,
        reach: Milliseconds
    ) -> SelectExtent {
        guard CompiledRule.isVirtual(selector) else { return .window(after: start - reach, through: end) }
        // Of alerts beginnings and ends count, which windows and offsets see later.
        let isOfAlerts = AlertHistory.isNamed(by: selector.matchers)
        let from = isOfAlerts ? start - selector.offset - (selector.window ?? 0) : start
        return .lookback(from: from, through: end)
    }

    /// Evaluates a unit at some times, the last of which is the clock, and at its own timers between them, without telling
    /// anybody.
    ///
    /// - Returns: What it would have said; nil where it cannot be evaluated.
    private func rehearse(
        _ unit: RuleUnit,
        from start: Timestamp,
        at moments: [Timestamp],
        _ view: View
    ) throws -> [AlertTransition]? {
        guard let end = moments.last else { return nil }
        var now = start - 1
        self.rehearsal = []
        let before = (self.advance, self.counters)
        defer {
            self.rehearsal = nil
            self.advance = before.0
            self.counters = before.1
        }
        self.advance = (0, end)
        try self.rearm(unit, at: now, view)
        var rest = moments[...]
        var evaluations = 0
        while now < end, evaluations < self.settings.maximumTimers {
            now = min(rest.first ?? end, max(unit.due, now + 1), end)
            while rest.first.map({ $0 <= now }) ?? false { rest.removeFirst() }
            try self.evaluate(unit, at: now, view)
            guard unit.failure == nil else { return nil }
            evaluations += 1
        }
        return self.rehearsal
    }

    // MARK: - What is different

    private func tellDifference(
        _ unit: RuleUnit,
        _ twin: RuleUnit,
        _ said: [AlertTransition],
        from start: Timestamp,
        through clock: Timestamp
    ) {
        var trail = unit.trail
        trail.replace(from: start, by: twin.trail)
        let before = unit.trail.firings(from: start, now: unit.alerts)
        let after = trail.firings(from: start, now: twin.alerts)
        for labels in Set(before.keys).union(after.keys).sorted() {
            var old = before[labels] ?? []
            var new: [AlertTrail.Firing] = []
            for firing in after[labels] ?? [] {
                guard let index = old.firstIndex(where: { $0.overlaps(firing) }) else {
                    new.append(firing)
                    continue
                }
                self.correct(old.remove(at: index), to: firing, said, unit, at: clock)
            }
            for firing in old { self.retract(firing, unit, at: clock) }
            for firing in new {
                let part = said.filter { transition in
                    transition.labels == labels && transition.eventTime >= firing.since
                        && transition.eventTime <= firing.end ?? .distantFuture
                }
                for transition in part { self.tell(transition, unit, amends: AlertAmendment(until: firing.end)) }
            }
        }
        self.adopt(twin, trail, by: unit)
    }

    /// The unit goes on from where its twin has come to.
    private func adopt(_ twin: RuleUnit, _ trail: AlertTrail, by unit: RuleUnit) {
        for gone in unit.alerts where !twin.alerts.contains(where: { $0.labels == gone.labels }) {
            self.changes[AlertKey(rule: unit.rule.rule.id, labels: gone.labels)] = .some(nil)
        }
        unit.alerts = twin.alerts
        for alert in unit.alerts { self.noteChange(alert, unit) }
        unit.due = twin.due
        unit.staleAt = twin.staleAt
        unit.hasSilent = twin.hasSilent
        unit.undecided = twin.undecided
        unit.trail = trail
        self.noteTrailChange(unit)
    }

    /// What is told of a firing that was told of already.
    private func correct(
        _ old: AlertTrail.Firing,
        to new: AlertTrail.Firing,
        _ said: [AlertTransition],
        _ unit: RuleUnit,
        at clock: Timestamp
    ) {
        var amends = AlertAmendment(until: new.end)
        if old.since != new.since { amends.firedAt = old.since }
        if let end = old.end, end != new.end { amends.endedAt = end }
        // Of what moves with time alone the peak depends on the moments that were looked at.
        if let peak = old.alert.peak, peak != new.alert.peak, !unit.rule.dependsOnTime { amends.peak = peak }
        if old.end == nil, let end = new.end {
            let ending = said.last { $0.labels == new.alert.labels && $0.change == .ended && $0.eventTime == end }
            if let ending { self.tell(ending, unit, amends: amends) }
            return
        }
        if amends.firedAt != nil || amends.endedAt != nil || amends.peak != nil {
            let isBack = old.end != nil && new.end == nil
            var transition = self.transition(
                isBack ? .raised : .amended,
                new.alert,
                unit,
                at: isBack ? old.end ?? clock : clock,
                since: new.since
            )
            transition.amends = amends
            self.output.append((unit.rule.order, transition))
        }
        guard new.end == nil, old.end == nil || new.alert.machine.isHeld else { return }
        guard old.end != nil || old.alert.machine.isHeld != new.alert.machine.isHeld else { return }
        let change: AlertTransition.Change = new.alert.machine.isHeld ? .held : .resumed
        let last = said.last { $0.labels == new.alert.labels && $0.change == change }
        if let last { self.output.append((unit.rule.order, last)) }
    }

    private func retract(_ firing: AlertTrail.Firing, _ unit: RuleUnit, at clock: Timestamp) {
        var transition = self.transition(.retracted, firing.alert, unit, at: clock, since: firing.since)
        transition.amends = AlertAmendment(firedAt: firing.since, endedAt: firing.end, peak: firing.alert.peak)
        self.output.append((unit.rule.order, transition))
    }

    private func tell(_ transition: AlertTransition, _ unit: RuleUnit, amends: AlertAmendment) {
        var transition = transition
        transition.amends = amends
        self.output.append((unit.rule.order, transition))
    }
}
