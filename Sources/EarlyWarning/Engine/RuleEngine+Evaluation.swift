// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry

/// One rule for one site at one time.
extension RuleEngine {
    /// What `clear`, or the trusted `expr` where the rule has none, says; read only when an alert may end.
    struct Ending {
        /// By ``CompiledRule/matchingLabels(_:)``.
        var values: [(labels: Labels, value: Double)]
        var evidence: Evidence
        var newestSample: Timestamp?
    }

    /// The working memory of one evaluation.
    struct Pass {
        let time: Timestamp
        let view: View
        /// What the expression rests on.
        var evidence: Evidence = []
        var newestSample: Timestamp?
        /// When to look again.
        var due: Timestamp
        var ending: Ending?
        var maybe: [Labels]?
        /// What was left out of the expression's result, and of what ends alerts or holds them.
        var faults: [MatchFault]
        var sideFaults: [MatchFault] = []

        init(time: Timestamp, view: View, _ result: InstantResult? = nil) {
            self.time = time
            self.view = view
            self.evidence = result?.evidence ?? []
            self.newestSample = result?.newestSample
            self.due = result?.nextChange ?? .distantFuture
            self.faults = result?.faults ?? []
        }

        /// Why nobody knows of the alert with these labels.
        func fault(_ faults: [MatchFault], of labels: Labels) -> MatchFault? {
            faults.isEmpty ? nil : faults.first { $0.labels.isCompatible(with: labels) }
        }

        mutating func look(_ moment: Timestamp) {
            if moment < self.due { self.due = moment }
        }
    }

    func evaluate(_ unit: RuleUnit, at time: Timestamp, _ view: View) throws {
        if unit.rule.asksForChannels, self.clockMode == .wall, time < self.silenceHeldUntil {
            // Of that time nobody knows which channels were silent: what they sent may still come, or never got here.
            unit.isDirty = false
            unit.due = self.silenceHeldUntil
            return
        }
        self.counters.evaluations += 1
        unit.evaluatedAt = time
        unit.isDirty = false
        unit.isArmed = true
        do {
            if let season = unit.rule.rule.season, !season.contains(time) {
                try self.rest(unit, at: time, view)
                unit.due = season.turn(after: time)
                return
            }
            if unit.alerts.isEmpty, unit.failure == nil, unit.undecided.isEmpty,
                let until = try self.quietUntil(unit, at: time, view)
            {
                unit.due = max(until, time + 1)
                return
            }
            let result = try view.raising.instant(unit.rule.rule.expr, at: time)
            var pass = Pass(time: time, view: view, result)
            if unit.rule.dependsOnTime { pass.look(self.nextTimeStep(unit, after: time)) }
            if let season = unit.rule.rule.season { pass.look(season.turn(after: time)) }
            guard
                !unit.alerts.isEmpty || !result.isEmpty || unit.rule.rule.maybe != nil || unit.failure != nil
                    || !result.faults.isEmpty
            else {
                unit.due = max(pass.due, time + 1)
                return
            }
            try self.match(result.value, to: unit, &pass)
            if let message = self.exceededLimit(unit) { return self.fail(unit, message: message, at: time) }
            try self.judge(unit, &pass)
            if let fault = pass.faults.first ?? pass.sideFaults.first {
                self.noteFault(unit, message: fault.message, at: time)
                pass.look(self.nextTimeStep(unit, after: time))
            } else {
                self.recover(unit, at: time)
            }
            unit.due = max(pass.due, time + 1)
        } catch let error as PromQLError {
            self.fail(unit, message: error.message, at: time)
        }
    }

    /// Until when a unit without alerts surely stays without, unless a sample arrives; nil where the evaluator must say.
    private func quietUntil(_ unit: RuleUnit, at time: Timestamp, _ view: View) throws -> Timestamp? {
        let rule = unit.rule
        if let gate = rule.gate, let until = try self.quietUntil(gate, unit, at: time, view) {
            guard rule.hasMaybe else { return until }
            guard let maybe = rule.maybeGate else { return nil }
            return try self.quietUntil(maybe, unit, at: time, view).map { min(until, $0) }
        }
        // What a comparison of one thing says is all that can be said of it.
        guard rule.comparison == nil, !rule.hasMaybe else { return nil }
        if let threshold = rule.requiredThreshold {
            return try self.isMissing(threshold, of: unit, at: time, view) ? .distantFuture : nil
        }
        return rule.wantsSilence ? view.scope.reportsUntil(at: time, epoch: self.epoch) : nil
    }

    /// Ends what the season of a rule leaves behind.
    private func rest(_ unit: RuleUnit, at time: Timestamp, _ view: View) throws {
        var pass = Pass(time: time, view: view)
        try self.match(.vector([]), to: unit, &pass)
        for index in unit.alerts.indices {
            var alert = unit.alerts[index]
            let actions = alert.machine.observe(
                .withdrawn(reason: AlertStateMachine.seasonOver),
                at: time,
                hold: 0,
                keepFiringFor: 0
            )
            for action in actions { try self.perform(action, &alert, unit, &pass) }
            self.noteChange(alert, unit)
        }
        if !unit.alerts.isEmpty {
            let ended = unit.alerts.filter(\.machine.isRaised)
            unit.alerts.removeAll()
            self.noteTrail(unit, ended: ended, at: time)
        }
        unit.undecided.removeAll()
        self.recover(unit, at: time)
    }

    /// Whether a level has no threshold here, which is so of most levels at most sites.
    ///
    /// Looks a day ahead, so that the question is asked once a day; a catalogue with other thresholds comes with a
    /// new engine.
    private func isMissing(
        _ threshold: Selector,
        of unit: RuleUnit,
        at time: Timestamp,
        _ view: View
    ) throws -> Bool {
        if time < unit.thresholdKnownUntil { return unit.isThresholdMissing }
        let ahead = time + .day
        let request = SelectRequest(
            matchers: threshold.matchers,
            extent: .lookback(from: time, through: ahead),
            qualities: .raising
        )
        unit.isThresholdMissing = try view.reader.select(request).isEmpty
        unit.thresholdKnownUntil = ahead
        return unit.isThresholdMissing
    }

    /// Sets the timers of a unit whose state was restored, and leaves the state as it is.
    func rearm(_ unit: RuleUnit, at time: Timestamp, _ view: View) throws {
        unit.evaluatedAt = time
        unit.isArmed = true
        let rule = unit.rule.rule
        do {
            let result = try view.raising.instant(rule.expr, at: time)
            var pass = Pass(time: time, view: view, result)
            if unit.rule.dependsOnTime || unit.failure != nil { pass.look(self.nextTimeStep(unit, after: time)) }
            if let season = unit.rule.rule.season { pass.look(season.turn(after: time)) }
            for sample in result.samples {
                guard let index = unit.alerts.firstIndex(where: { $0.resultLabels == sample.labels }) else { continue }
                unit.alerts[index].isSeen = true
                unit.alerts[index].value = sample.value
                unit.alerts[index].evidence = result.evidence
                unit.alerts[index].lastReadingAt = result.newestSample
            }
            for index in unit.alerts.indices {
                let alert = unit.alerts[index]
                pass.look(alert.machine.due(hold: rule.hold, keepFiringFor: rule.keepFiringFor))
                guard alert.machine.isRaised else { continue }
                _ = try self.isThresholdWithdrawn(alert, unit, &pass)
                _ = try self.ending(unit, &pass)
                guard let deadline = try self.silenceDeadline(alert, unit, pass) else {
                    unit.hasSilent = true
                    continue
                }
                unit.staleAt = min(unit.staleAt, deadline)
                pass.look(deadline)
            }
            if rule.maybe != nil { try self.noteUndecided(unit, &pass) }
            unit.due = max(pass.due, time + 1)
        } catch is PromQLError {
            unit.due = self.nextTimeStep(unit, after: time)
        }
    }

    func nextTimeStep(_ unit: RuleUnit, after time: Timestamp) -> Timestamp {
        self.nextTimeStep(unit.rule.rule.interval, after: time)
    }

    /// The next multiple of a group's interval; in a long advance the next of those that it is spread over.
    func nextTimeStep(_ interval: Milliseconds, after time: Timestamp) -> Timestamp {
        let steps = time < self.advance.target ? self.advance.span / interval / self.settings.maximumTimeSteps : 0
        let (stride, overflow) = interval.multipliedReportingOverflow(by: max(1, steps + 1))
        guard !overflow, steps > 0 else { return RuleEngine.nextMultiple(of: interval, after: time) }
        return min(RuleEngine.nextMultiple(of: stride, after: time), self.advance.target)
    }

    static func lastMultiple(of interval: Milliseconds, through time: Timestamp) -> Timestamp {
        self.nextMultiple(of: interval, after: time) - interval
    }

    private static func nextMultiple(of interval: Milliseconds, after time: Timestamp) -> Timestamp {
        let remainder = time.milliseconds % interval
        return time + (interval - (remainder < 0 ? remainder + interval : remainder))
    }

    // MARK: - Who fires

    private func match(_ value: QueryValue, to unit: RuleUnit, _ pass: inout Pass) throws {
        for index in unit.alerts.indices {
            unit.alerts[index].wasSeen = unit.alerts[index].isSeen
            unit.alerts[index].isSeen = false
        }
        switch value {
        case .vector(let samples):
            for sample in samples { try self.see(sample.labels, sample.value, unit, &pass) }
        case .scalar(let number): try self.see(.empty, number, unit, &pass)
        case .string, .matrix: break
        }
    }

    private func see(_ labels: Labels, _ value: Double, _ unit: RuleUnit, _ pass: inout Pass) throws {
        // A label that names the value makes another alert of the same series.
        let isKnown = unit.rule.constantLabels != nil
        var index = isKnown ? unit.alerts.firstIndex { $0.resultLabels == labels } : nil
        if index == nil {
            let identity = self.alertLabels(labels, value: value, unit.rule)
            index = unit.alerts.firstIndex { $0.labels == identity }
            if let index {
                guard !unit.alerts[index].isSeen else {
                    pass.faults.append(unit.rule.duplicate(labels))
                    return
                }
                unit.alerts[index].resultLabels = labels
            } else {
                unit.alerts.append(
                    Alert(
                        resultLabels: labels,
                        matchingLabels: unit.rule.matchingLabels(labels),
                        labels: identity,
                        activeAt: pass.time
                    )
                )
                index = unit.alerts.count - 1
            }
        }
        guard let index else { return }
        unit.alerts[index].isSeen = true
        if unit.rule.isMoreExtreme(value, than: unit.alerts[index].peak?.value) {
            unit.alerts[index].peak = AlertPeak(value: value, at: pass.newestSample ?? pass.time)
            unit.alerts[index].peakedAt = pass.time
        }
        unit.alerts[index].value = value
        unit.alerts[index].evidence = pass.evidence
        unit.alerts[index].lastReadingAt = pass.newestSample
    }

    // MARK: - What becomes of each alert

    private func judge(_ unit: RuleUnit, _ pass: inout Pass) throws {
        let rule = unit.rule.rule
        var mustCheckSilence = pass.time >= unit.staleAt || unit.hasSilent
        for alert in unit.alerts { if case .held = alert.machine.state { mustCheckSilence = true } }
        if mustCheckSilence {
            unit.staleAt = .distantFuture
            unit.hasSilent = false
        }
        var isChanged = false
        var ended: [Alert] = []
        for index in unit.alerts.indices {
            var alert = unit.alerts[index]
            let before = alert
            let verdict = try self.verdict(alert, unit, mustCheckSilence: mustCheckSilence, &pass)
            var actions = alert.machine.observe(
                verdict,
                at: pass.time,
                hold: rule.hold,
                keepFiringFor: rule.keepFiringFor
            )
            if actions == [.raise] {
                // A device may have been registered, or may have learned a channel, since the series was first seen.
                if !alert.labels.site.isEmpty {
                    self.readChannels(of: unit, adding: self.channels(alert.labels.site))
                }
                let deadline = try self.silenceDeadline(alert, unit, pass)
                unit.staleAt = min(unit.staleAt, deadline ?? .distantFuture)
                if deadline == nil { unit.hasSilent = true }
                if deadline == nil, rule.noData == .unknown {
                    actions += alert.machine.observe(
                        .unknown(reason: AlertStateMachine.noData),
                        at: pass.time,
                        hold: rule.hold,
                        keepFiringFor: rule.keepFiringFor
                    )
                }
            }
            for action in actions { try self.perform(action, &alert, unit, &pass) }
            pass.look(alert.machine.due(hold: rule.hold, keepFiringFor: rule.keepFiringFor))
            unit.alerts[index] = alert
            // While the expression holds a start finds the value again; what it was last must be kept.
            let isLastValue = alert.wasSeen && !alert.isSeen && alert.machine.isRaised
            // Of a value that goes on rising the last is found again; the peak, and since when, only here.
            let isPeak = alert.isSeen && alert.peak?.value == alert.value
            if alert.machine.state != before.machine.state { isChanged = true }
            if alert.machine.state != before.machine.state || isLastValue || isPeak { self.noteChange(alert, unit) }
            if before.machine.isRaised, !alert.machine.isRaised { ended.append(before) }
        }
        unit.alerts.removeAll { $0.machine.state == .inactive }
        if isChanged { self.noteTrail(unit, ended: ended, at: pass.time) }
        if unit.alerts.contains(where: { $0.machine.isRaised }) {
            pass.look(unit.staleAt)
        } else {
            unit.staleAt = .distantFuture
            unit.hasSilent = false
        }
        if rule.maybe != nil { try self.noteUndecided(unit, &pass) }
    }

    private func verdict(
        _ alert: Alert,
        _ unit: RuleUnit,
        mustCheckSilence: Bool,
        _ pass: inout Pass
    ) throws -> AlertStateMachine.Verdict {
        if let fault = pass.fault(pass.faults, of: alert.matchingLabels) { return .unknown(reason: fault.message) }
        guard alert.machine.isRaised else { return alert.isSeen ? .fires : .over }
        var isSilent = false
        if !alert.isSeen, try self.isThresholdWithdrawn(alert, unit, &pass) {
            return .withdrawn(reason: AlertStateMachine.thresholdWithdrawn)
        }
        if mustCheckSilence {
            if let deadline = try self.silenceDeadline(alert, unit, pass) {
                unit.staleAt = min(unit.staleAt, deadline)
            } else {
                isSilent = true
                unit.hasSilent = true
            }
        }
        if isSilent, unit.rule.rule.noData == .unknown { return .unknown(reason: AlertStateMachine.noData) }
        if alert.isSeen { return .fires }
        let isReplaced = unit.alerts.contains { $0.isSeen && $0.resultLabels == alert.resultLabels }
        if isReplaced { return .over }
        if isSilent { return .lingers }
        if try self.maybe(unit, &pass).contains(alert.matchingLabels) { return .unknown(reason: "maybe") }
        let ending = try self.ending(unit, &pass)
        if let fault = pass.fault(pass.sideFaults, of: alert.matchingLabels) { return .unknown(reason: fault.message) }
        let isFound = ending.values.contains { $0.labels == alert.matchingLabels }
        if unit.rule.rule.clear != nil { return isFound ? .cleared : .lingers }
        return isFound ? .lingers : .over
    }

    private func isThresholdWithdrawn(_ alert: Alert, _ unit: RuleUnit, _ pass: inout Pass) throws -> Bool {
        for selector in unit.rule.thresholdSelectors {
            let request = SelectRequest(
                matchers: selector.matchers,
                extent: .lookback(from: pass.time, through: pass.time),
                qualities: .all
            )
            let site = alert.labels.site
            let found = try pass.view.reader.select(request).filter { site.isEmpty || $0.labels.site == site }
            if found.isEmpty { return true }
            for columns in found { pass.look(columns.nextChange ?? .distantFuture) }
        }
        return false
    }

    /// When the first of the registered channels behind an alert goes stale; nil when one has; never where none is
    /// registered.
    private func silenceDeadline(_ alert: Alert, _ unit: RuleUnit, _ pass: Pass) throws -> Timestamp? {
        var deadline = Timestamp.distantFuture
        for channel in unit.channels where channel.series.isCompatible(with: alert.labels) {
            let request = SelectRequest(
                matchers: channel.matchers,
                extent: .lookback(from: pass.time, through: pass.time),
                qualities: .raising
            )
            let isHere = channel.series.site == unit.site
            let reader = isHere ? pass.view.reader : pass.view.base
            guard let columns = try reader.select(request).first, let last = columns.times.last else { return nil }
            let end = last + columns.lookback
            guard end > pass.time else { return nil }
            deadline = min(deadline, end)
        }
        return deadline
    }

    private func ending(_ unit: RuleUnit, _ pass: inout Pass) throws -> Ending {
        if let ending = pass.ending { return ending }
        let result = try pass.view.trusted.instant(unit.rule.rule.clear ?? unit.rule.rule.expr, at: pass.time)
        pass.look(result.nextChange)
        pass.sideFaults += result.faults
        let ending = Ending(
            values: result.samples.map { (unit.rule.matchingLabels($0.labels), $0.value) },
            evidence: result.evidence,
            newestSample: result.newestSample
        )
        pass.ending = ending
        return ending
    }

    private func maybe(_ unit: RuleUnit, _ pass: inout Pass) throws -> [Labels] {
        guard let query = unit.rule.rule.maybe else { return [] }
        if let maybe = pass.maybe { return maybe }
        let result = try pass.view.raising.instant(query, at: pass.time)
        pass.look(result.nextChange)
        pass.sideFaults += result.faults
        let maybe = result.samples.map { unit.rule.matchingLabels($0.labels) }
        pass.maybe = maybe
        return maybe
    }

    private func noteUndecided(_ unit: RuleUnit, _ pass: inout Pass) throws {
        let labels = try self.maybe(unit, &pass)
            .filter { label in
                !unit.alerts.contains { $0.matchingLabels == label }
            }
        unit.undecided = labels.map { label in
            unit.undecided.first { $0.labels == label } ?? (labels: label, since: pass.time)
        }
    }
}

extension InstantResult {
    /// The elements of a vector; a scalar is one without labels.
    var samples: [VectorSample] {
        switch self.value {
        case .vector(let samples): samples
        case .scalar(let number): [VectorSample(labels: .empty, value: number)]
        case .string, .matrix: []
        }
    }

    fileprivate var isEmpty: Bool {
        if case .vector(let samples) = self.value { return samples.isEmpty }
        return false
    }
}

extension Labels {
    /// Whether no label that both have differs, the metric name aside.
    func isCompatible(with other: Labels) -> Bool {
        self.allSatisfy { label in
            guard label.name != Labels.metricName, let value = other.value(of: label.name) else { return true }
            return value == label.value
        }
    }
}
