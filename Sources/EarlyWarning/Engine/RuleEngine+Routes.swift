// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Which rules a series sets going.
extension RuleEngine {
    func route(for key: SeriesKey) -> Route {
        let address = ObjectIdentifier(key)
        if let route = self.routesByKey[address] { return route }
        if let route = self.routesByLabels[key.labels] {
            let alias = Route(
                key: key,
                scope: route.scope,
                units: route.units,
                ladders: route.ladders,
                silenceUnits: route.silenceUnits,
                across: route.across,
                selectors: route.selectors,
                track: route.track
            )
            alias.isKnown = route.isKnown
            // Keys that are made anew for each batch must not pile up.
            if self.routesByKey.count > 2 * self.routesByLabels.count + 64 { self.routesByKey.removeAll() }
            self.routesByKey[address] = alias
            return alias
        }
        let route = self.makeRoute(key)
        self.routesByKey[address] = route
        self.routesByLabels[key.labels] = route
        return route
    }

    private func makeRoute(_ key: SeriesKey) -> Route {
        let labels = key.labels
        let scope = self.scope(forSite: labels.site)
        self.readChannels(of: scope)
        if labels.metric.hasPrefix(CompiledRule.thresholdPrefix) {
            for unit in scope.units {
                unit.thresholdKnownUntil = .distantPast
                unit.threshold = nil
            }
            for ladder in scope.ladders { ladder.forgetThresholds() }
        }
        var units: [RuleUnit] = []
        var silence: [RuleUnit] = []
        for rule in self.compiled where rule.isPerSite {
            if rule.isSilence {
                silence.append(self.unit(of: rule, in: scope))
            } else if rule.patterns.contains(where: { $0.matches(labels) }) {
                units.append(self.unit(of: rule, in: scope))
            }
        }
        let across = self.acrossScopes.filter { scope in
            scope.units.contains { unit in
                unit.rule.isSilence || unit.rule.patterns.contains { $0.matches(labels) }
            }
        }
        for other in across {
            if !scope.across.contains(where: { $0 === other }) { scope.across.append(other) }
            for unit in other.units { self.readChannels(of: unit, adding: scope.channels) }
        }
        let ladders = scope.ladders.map { ladder in
            (ladder: ladder, units: ladder.units.filter { unit in units.contains { $0 === unit } })
        }
        let track = SeriesTrack(labels: labels)
        scope.add(track)
        return Route(
            key: key,
            scope: scope,
            units: units.filter { unit in scope.singles.contains { $0 === unit } },
            ladders: ladders.filter { !$0.units.isEmpty },
            silenceUnits: silence,
            across: across,
            selectors: self.selectors.indices.filter { self.selectors[$0].mayFind(labels) },
            track: track
        )
    }

    func scope(forSite site: String) -> Scope {
        if let scope = self.scopes[site] { return scope }
        let scope = Scope(kind: .site(site), key: "site/" + site, selectors: self.selectors)
        self.scopes[site] = scope
        self.readChannels(of: scope)
        return scope
    }

    func unit(of rule: CompiledRule, in scope: Scope) -> RuleUnit {
        let isWall = rule.isSilence && self.clockMode == .wall
        let present = isWall ? scope.wallUnits : scope.units
        if let unit = present.first(where: { $0.rule === rule }) { return unit }
        let unit = RuleUnit(rule: rule, site: scope.site)
        self.readChannels(of: unit, adding: scope.channels)
        // What was recorded across sites stands at none, but rests on their channels.
        if scope.site.isEmpty, !rule.sources.isEmpty {
            for other in self.scopes.values { self.readChannels(of: unit, adding: other.channels) }
        }
        if isWall { scope.wallUnits.append(unit) } else { scope.add(unit) }
        return unit
    }

    private func readChannels(of scope: Scope) {
        scope.channels = self.channels(scope.site)
        scope.grace = scope.channels.compactMap { $0.schedule?.grace }.min() ?? ReportSchedule.unregisteredGrace
        for unit in scope.units { self.readChannels(of: unit, adding: scope.channels) }
        guard let common = self.scopes[""], common !== scope else { return }
        for unit in common.units where !unit.rule.sources.isEmpty {
            self.readChannels(of: unit, adding: scope.channels)
        }
    }

    func readChannels(of unit: RuleUnit, adding channels: [WatchedChannel]) {
        for channel in channels where unit.rule.dependsOn(channel) {
            if let index = unit.channels.firstIndex(where: { $0.series == channel.series }) {
                unit.channels[index] = channel
            } else {
                unit.channels.append(channel)
            }
        }
    }
}
