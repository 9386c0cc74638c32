// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// What the engine must not forget, and how it takes it up again.
extension RuleEngine {
    func noteChange(_ alert: Alert, _ unit: RuleUnit) {
        guard self.rehearsal == nil else { return }
        let key = AlertKey(rule: unit.rule.rule.id, labels: alert.labels)
        self.changes[key] = .some(AlertRecord(alert, rule: unit.rule.rule))
    }

    /// Keeps what the alerts of a unit are from `time` on.
    func noteTrail(_ unit: RuleUnit, ended: [Alert] = [], at time: Timestamp) {
        let point = AlertTrail.Point(time: time, alerts: unit.alerts, ended: ended)
        unit.trail.add(point, lateness: self.trailKept(of: unit.rule))
        self.noteTrailChange(unit)
        self.noteHistory(unit, from: time)
    }

    /// How long what the alerts of a rule were is kept; 0 where neither late readings nor rules ask for it.
    private func trailKept(of rule: CompiledRule) -> Milliseconds {
        max(rule.rule.lateness, self.historyKept(of: rule) ?? 0)
    }

    /// How long what the alerts of a rule were is kept for those that read it; nil where nobody does.
    private func historyKept(of rule: CompiledRule) -> Milliseconds? {
        if self.settings.keepsAlertHistory { return .max / 4 }
        return self.dependencies.reaches[rule.order].map { $0 + .minute }
    }

    /// Shows what the alerts of a unit were to the rules that read them, which are to look again from `time` on.
    func noteHistory(_ unit: RuleUnit, from time: Timestamp) {
        guard self.historyKept(of: unit.rule) != nil else { return }
        self.alerts.put(unit.trail, of: unit)
        guard self.rehearsal == nil else { return }
        let order = unit.rule.order
        let readers = self.dependencies.readers[order]
        for scope in self.acrossScopes where scope.rank > self.dependencies.ranks[order] {
            guard let reader = scope.units.first, readers.contains(reader.rule.order) else { continue }
            // The clock of a site whose alerts it reads is to move that of the rule.
            if unit.rule.isPerSite, let home = self.scopes[unit.site], !home.across.contains(where: { $0 === scope }) {
                home.across.append(scope)
            }
            self.alertWork.append(AcrossWork(scope: scope, time: time, sample: time))
        }
    }

    func noteTrailChange(_ unit: RuleUnit) {
        guard self.rehearsal == nil, !unit.isTrailChanged else { return }
        unit.isTrailChanged = true
        self.changedTrails.append(unit)
    }

    /// What changed since the last call, to be saved in one transaction with the processed position.
    package func checkpoint() -> EngineCheckpoint {
        var checkpoint = EngineCheckpoint()
        checkpoint.removed = self.removedTrails
        self.removedTrails.removeAll()
        for (key, record) in self.changes {
            let labels = CanonicalJSON.text(key.labels)
            let key = AlertStateRow.Key(rule: key.rule, labels: labels)
            if let record {
                checkpoint.alerts.append(AlertStateRow(key: key, json: CanonicalJSON.text(record)))
            } else {
                checkpoint.removed.append(key)
            }
        }
        self.changes.removeAll(keepingCapacity: true)
        for unit in self.changedTrails {
            unit.isTrailChanged = false
            let row = TrailRecord(unit.trail, rule: unit.rule.rule).row(rule: unit.rule.rule.id, site: unit.site)
            checkpoint.alerts.append(row)
        }
        self.changedTrails.removeAll(keepingCapacity: true)
        for scope in self.changedScopes {
            scope.isClockChanged = false
            let clock = ScopeClock(clock: scope.clock, future: scope.future)
            checkpoint.clocks.append(ClockRow(key: scope.key, json: clock.json))
        }
        self.changedScopes.removeAll(keepingCapacity: true)
        if self.isWallChanged {
            self.isWallChanged = false
            checkpoint.clocks.append(ClockRow(key: "wall", json: CanonicalJSON.text(self.wall)))
        }
        return checkpoint
    }

    /// All of the state as one checkpoint, for an engine with other rules to start from.
    package func fullCheckpoint() -> EngineCheckpoint {
        for scope in Array(self.scopes.values) + self.acrossScopes {
            if scope.clock > .distantPast { self.noteClockChange(scope) }
            for unit in scope.units + scope.wallUnits {
                for alert in unit.alerts { self.noteChange(alert, unit) }
                if !unit.trail.points.isEmpty { self.noteTrailChange(unit) }
                guard let failure = unit.failure else { continue }
                let key = AlertKey(rule: RuleEngine.failureRule, labels: self.failureLabels(unit))
                self.changes[key] =
                    .some(AlertRecord(failure: failure.message, since: failure.since, unit: unit.rule.rule.id))
            }
        }
        self.isWallChanged = self.wall > .distantPast
        return self.checkpoint()
    }

    /// Takes saved state up again; to be called once, on a new engine, before anything is processed.
    ///
    /// - Parameters:
    ///   - alerts: All rows of alert state.
    ///   - clocks: All clocks.
    ///   - reader: Shows the store as it was at the saved position.
    /// - Returns: Ends of alerts whose rule is no longer there (reason `rule_removed`).
    /// - Throws: When a row cannot be read, or the store.
    package func restore(
        alerts: [AlertStateRow],
        clocks: [ClockRow],
        reader: any SeriesReader
    ) throws -> [AlertTransition] {
        try self.restore(clocks)
        try self.findSeries(reader)
        var ended: [AlertTransition] = []
        for row in alerts {
            if let rule = TrailRecord.rule(of: row.key) {
                try self.restoreTrail(row, rule: rule)
                continue
            }
            let record = try CanonicalJSON.value(AlertRecord.self, from: row.json)
            let labels = try CanonicalJSON.value(Labels.self, from: row.key.labels)
            guard !self.restore(record, labels: labels, rule: row.key.rule) else { continue }
            ended += self.drop(record, labels: labels, rule: row.key.rule)
        }
        for scope in Array(self.scopes.values) + self.acrossScopes {
            for unit in scope.units + scope.wallUnits { self.beginTrail(of: unit, at: scope.clock) }
        }
        for scope in Array(self.scopes.values) + self.acrossScopes where scope.clock > .distantPast {
            let view = self.view(scope, reader)
            for unit in scope.units { try self.rearm(unit, at: scope.clock, view) }
            for unit in scope.wallUnits { try self.rearm(unit, at: max(self.wall, scope.clock), view) }
            for ladder in scope.ladders { ladder.takeDue() }
            scope.rearm()
        }
        // What was judged before the start is not to be looked at again.
        self.alertWork.removeAll()
        return ended
    }

    /// Lets the rules that ask how channels are look at sites of which nothing has come yet, where the clock is that of
    /// the wall.
    ///
    /// Once after ``restore(alerts:clocks:reader:)``, with the sites that have registered channels.
    package func watch(_ sites: some Sequence<String>, at now: Timestamp) {
        guard self.clockMode == .wall else { return }
        for site in sites where self.scopes[site] == nil {
            let scope = self.scope(forSite: site)
            for rule in self.compiled where rule.isSilence && rule.isPerSite {
                self.unit(of: rule, in: scope).due = now
            }
            scope.rearm()
        }
    }

    private func restore(_ clocks: [ClockRow]) throws {
        for row in clocks {
            if row.key == "wall" {
                self.wall = try CanonicalJSON.value(Timestamp.self, from: row.json)
                continue
            }
            var scope = self.acrossScopes.first { $0.key == row.key }
            if scope == nil, row.key.hasPrefix("site/") { scope = self.scope(forSite: String(row.key.dropFirst(5))) }
            // Others keep their notes beside the clocks, and clocks of rules that are gone are of no use.
            guard let scope else { continue }
            let saved = try CanonicalJSON.value(ScopeClock.self, from: row.json)
            scope.clock = saved.clock
            scope.future = saved.future
        }
    }

    /// Makes the units of every series that the rules can see.
    private func findSeries(_ reader: any SeriesReader) throws {
        var seen: Set<Labels> = []
        for rule in self.compiled {
            for pattern in rule.patterns {
                let found = try reader.series(
                    matching: pattern.matchers,
                    after: .distantPast,
                    through: .distantFuture
                )
                for shown in found {
                    let stored = shown.site.isEmpty ? shown : shown.removing(Site.virtualLabelNames)
                    guard seen.insert(stored).inserted else { continue }
                    _ = self.route(for: SeriesKey(labels: stored))
                }
            }
        }
        for rule in self.compiled where rule.isSilence && rule.isPerSite {
            for scope in self.scopes.values { _ = self.unit(of: rule, in: scope) }
        }
        self.routesByKey.removeAll()
    }

    private func restoreTrail(_ row: AlertStateRow, rule id: String) throws {
        let site = try CanonicalJSON.value(Labels.self, from: row.key.labels).site
        guard let rule = self.compiled.first(where: { $0.rule.id == id }), rule.isPerSite || site.isEmpty,
            self.trailKept(of: rule) > 0, let unit = self.unit(of: rule, atSite: site)
        else {
            self.removedTrails.append(row.key)
            return
        }
        unit.trail = try CanonicalJSON.value(TrailRecord.self, from: row.json).trail(of: rule)
        self.noteHistory(unit, from: .distantPast)
    }

    /// Makes a trail of what is known of alerts that nobody asked about before there was a rule that reads them.
    private func beginTrail(of unit: RuleUnit, at clock: Timestamp) {
        guard unit.trail.points.isEmpty, !unit.alerts.isEmpty, self.historyKept(of: unit.rule) != nil else { return }
        let times = Set(unit.alerts.flatMap { [$0.activeAt, $0.machine.firingSince ?? $0.activeAt] }).sorted()
        let points = times.map { time in
            AlertTrail.Point(time: time, alerts: unit.alerts.compactMap { $0.asOf(time) })
        }
        unit.trail = AlertTrail(points, start: clock)
        self.noteTrailChange(unit)
        self.noteHistory(unit, from: .distantPast)
    }

    private func restore(_ record: AlertRecord, labels: Labels, rule id: String) -> Bool {
        let isFailure = record.state == "failed"
        let wanted = isFailure ? record.failedRule : id
        guard let rule = self.compiled.first(where: { $0.rule.id == wanted }) else { return false }
        guard let unit = self.unit(of: rule, atSite: labels.site) else { return false }
        if isFailure {
            unit.failure = (record.reason ?? "", record.since)
            return true
        }
        unit.alerts.append(record.alert(labels, of: rule))
        return true
    }

    /// That of a rule across sites is the same whatever the site.
    private func unit(of rule: CompiledRule, atSite site: String) -> RuleUnit? {
        if rule.isPerSite { return self.unit(of: rule, in: self.scope(forSite: site)) }
        return self.acrossScopes.lazy.flatMap(\.units).first { $0.rule === rule }
    }

    private func drop(_ record: AlertRecord, labels: Labels, rule: String) -> [AlertTransition] {
        self.changes[AlertKey(rule: rule, labels: labels)] = .some(nil)
        guard record.state != "pending" else { return [] }
        let time = self.scopes[labels.site]?.clock ?? record.lastReadingAt ?? record.since
        return [
            AlertTransition(
                rule: rule,
                alertName: record.alertName,
                change: .ended,
                labels: labels,
                hazard: Hazard(rawValue: record.hazard),
                level: record.level,
                eventTime: time,
                processedAt: max(self.wall, time),
                activeSince: record.since,
                activeAt: record.activeAt,
                value: record.value,
                threshold: record.threshold,
                evidence: record.evidence,
                reason: AlertStateMachine.ruleRemoved,
                lastReadingAt: record.lastReadingAt
            )
        ]
    }
}

extension Alert {
    /// As it was at a moment since which its state has not changed but from pending to what it is; nil before it began.
    fileprivate func asOf(_ moment: Timestamp) -> Alert? {
        guard moment >= self.activeAt else { return nil }
        guard let since = self.machine.firingSince, moment < since else { return self }
        var alert = self
        alert.machine = AlertStateMachine(.pending(since: self.activeAt))
        return alert
    }
}
