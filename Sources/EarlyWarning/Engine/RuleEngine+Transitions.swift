// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry

/// What is said of an alert when its state changes.
extension RuleEngine {
    func perform(
        _ action: AlertStateMachine.Action,
        _ alert: inout Alert,
        _ unit: RuleUnit,
        _ pass: inout Pass
    ) throws {
        alert.threshold = try self.threshold(unit, alert, pass)
        switch action {
        case .raise:
            self.emit(.raised, alert, unit, at: pass.time, since: pass.time)
        case .resume(let since):
            try self.readCurrentValue(&alert, unit, pass, isWide: false)
            self.emit(.resumed, alert, unit, at: pass.time, since: since)
        case .hold(let since, let reason):
            try self.readCurrentValue(&alert, unit, pass, isWide: true)
            self.emit(.held, alert, unit, at: pass.time, since: since, reason: reason)
        case .end(let since, let reason):
            let ending = reason == nil ? pass.ending : nil
            try self.readCurrentValue(&alert, unit, pass, isWide: false)
            if let ending {
                alert.evidence = ending.evidence
                alert.lastReadingAt = ending.newestSample ?? alert.lastReadingAt
                let cleared = ending.values.first { $0.labels == alert.matchingLabels }
                if unit.rule.rule.clear != nil, let cleared { alert.value = cleared.value }
            }
            self.emit(.ended, alert, unit, at: pass.time, since: since, reason: reason)
        }
    }

    /// Where the expression has no value now: takes that of what the rule looks at, and the newest reading of the leftmost
    /// stored selector that fits the alert.
    ///
    /// Where the rule looks at readings as they come, and not at what is made of them, that reading is the value. When
    /// `isWide`, it is also looked for further back than the look-back: what was last heard of a silent channel.
    private func readCurrentValue(_ alert: inout Alert, _ unit: RuleUnit, _ pass: Pass, isWide: Bool) throws {
        guard !alert.isSeen else { return }
        let measure = unit.rule.measure
        if !measure.isReading {
            alert.value = try measure.value(of: alert.labels, at: pass.time, pass.view.reader)
        }
        guard let selector = unit.rule.storedSelectors.first else { return }
        var extent = SelectExtent.lookback(from: pass.time, through: pass.time)
        if isWide {
            let reach = 2 * (unit.channels.map(\.lookback).max() ?? ReportSchedule.unregisteredLookback)
            extent = .window(after: pass.time - reach - 1, through: pass.time)
        }
        let request = SelectRequest(matchers: selector.matchers, extent: extent, qualities: .raising)
        for columns in try pass.view.reader.select(request) where columns.labels.isCompatible(with: alert.labels) {
            let places = columns.times.indices
            let last = places.last { columns.times[$0] <= pass.time && !columns.values[$0].endsSeries }
            guard let index = last else { continue }
            if measure.isReading { alert.value = columns.values[index] }
            alert.lastReadingAt = columns.times[index]
            alert.evidence = Evidence(columns.marks[index])
            return
        }
    }

    private func threshold(_ unit: RuleUnit, _ alert: Alert, _ pass: Pass) throws -> Double? {
        switch unit.rule.rule.threshold {
        case .constant(let value): return value
        case .query(let query):
            // With the eyes of the expression, which compared with it.
            let samples = try pass.view.raising.instant(query, at: pass.time).samples
            return samples.first { $0.labels.site == alert.labels.site }?.value
                ?? (samples.count == 1 ? samples.first?.value : nil) ?? alert.threshold
        case nil: return nil
        }
    }

    func emit(
        _ change: AlertTransition.Change,
        _ alert: Alert,
        _ unit: RuleUnit,
        at time: Timestamp,
        since: Timestamp,
        reason: String? = nil
    ) {
        let transition = self.transition(change, alert, unit, at: time, since: since, reason: reason)
        if self.rehearsal != nil {
            self.rehearsal?.append(transition)
        } else {
            self.output.append((unit.rule.order, transition))
        }
    }

    func transition(
        _ change: AlertTransition.Change,
        _ alert: Alert,
        _ unit: RuleUnit,
        at time: Timestamp,
        since: Timestamp,
        reason: String? = nil
    ) -> AlertTransition {
        let rule = unit.rule.rule
        return AlertTransition(
            rule: rule.id,
            alertName: rule.name,
            change: change,
            labels: alert.labels,
            hazard: rule.hazard,
            level: rule.level,
            eventTime: time,
            processedAt: self.processedAt,
            activeSince: since,
            activeAt: alert.activeAt,
            value: alert.value,
            threshold: alert.threshold,
            evidence: alert.evidence,
            reason: reason,
            lastReadingAt: alert.lastReadingAt,
            annotations: self.annotations(alert, unit.rule, at: time),
            peak: alert.peak
        )
    }

    /// More queries the annotations of one alert do not ask.
    private static let mostQuestions = 100

    /// The texts that can be said in full; one that speaks of a number which nobody knows is left out.
    func annotations(_ alert: Alert, _ rule: CompiledRule, at time: Timestamp) -> [String: String] {
        var context = self.context(alert.resultLabels, value: alert.value, rule)
        context.ownLabels = alert.labels
        context.threshold = alert.threshold
        var questions = 0
        context.ask = { text in
            questions += 1
            return questions > Self.mostQuestions ? nil : self.ask(text, at: time)
        }
        var texts: [String: String] = [:]
        for annotation in rule.rule.annotations { texts[annotation.name] = annotation.template.complete(context) }
        return texts
    }

    /// The identity of an alert.
    func alertLabels(_ result: Labels, value: Double?, _ rule: CompiledRule) -> Labels {
        rule.alertLabels(result, self.context(result, value: value, rule))
    }

    private func context(_ result: Labels, value: Double?, _ rule: CompiledRule) -> TemplateContext {
        TemplateContext(
            labels: rule.shownLabels(result),
            value: value,
            level: rule.rule.level.rawValue,
            externalLabels: self.settings.externalLabels,
            externalURL: self.settings.externalURL
        )
    }

    /// What an annotation asks, of all sites, at the clock of its rule; nil where it is no query, or cannot be answered.
    private func ask(_ text: String, at time: Timestamp) -> [VectorSample]? {
        guard let asked, let query = try? Query(parsing: text) else { return nil }
        let options = EvaluationOptions(qualities: .raising, roundsComparisons: true)
        return try? Evaluator(reader: self.showingAlerts(over: asked), options: options).instant(query, at: time)
            .samples
    }
}
