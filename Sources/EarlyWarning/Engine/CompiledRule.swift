// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry

/// A rule with all that can be found out about it before the first sample.
final class CompiledRule: Sendable {
    /// The conditions of a selector that a stored series can be tested against.
    struct Pattern: Sendable {
        let matchers: [LabelMatcher]

        func matches(_ labels: Labels) -> Bool {
            self.matchers.allSatisfy { $0.matches(labels) }
        }
    }

    static let silenceMetric = "channel_silent"
    /// What the reader says of channels themselves.
    private static let channelStates: Set<String> = [silenceMetric, "channel_never_reported", "channel_stuck"]
    static let thresholdPrefix = "site_threshold"

    let rule: AlertRule
    /// Its place among the rules.
    let order: Int
    /// Which stored series make it change; empty when only time does.
    let patterns: [Pattern]
    /// What the recording rules read whose values it reads, directly or by way of others.
    let sources: [Pattern]
    /// Selectors of stored series in `expr`, leftmost first.
    let storedSelectors: [Selector]
    /// Selectors of `ALERTS` and `ALERTS_FOR_STATE`, wherever they stand.
    let alertSelectors: [Selector]
    /// How far back those look at most.
    let alertReach: Milliseconds
    /// Selectors of `site_threshold_…` in `expr` but for those that need not be there: behind `unless`, and where a
    /// value stands for what is missing.
    let thresholdSelectors: [Selector]
    /// The threshold without which `expr` has no result: the right side of a comparison.
    let requiredThreshold: Selector?
    /// Where `expr` compares something with a threshold or a number.
    let comparison: ThresholdComparison?
    /// That, or a part of another `expr`, without which it has no result, and which is quickly looked at.
    let gate: ThresholdComparison?
    /// The same of `maybe`, with the same limit or a number.
    let maybeGate: ThresholdComparison?
    /// It asks how a channel is, at one site or looking at nothing else, and so is evaluated in wall time.
    let isSilence: Bool
    /// It asks how a channel is, wherever it is evaluated.
    let asksForChannels: Bool
    /// `expr` asks for `channel_silent{…} == 1`, alone or with more: it has no result where no channel is silent.
    let wantsSilence: Bool
    /// It is evaluated for each site by itself.
    let isPerSite: Bool
    let dependsOnTime: Bool
    /// It asks for low values.
    let seeksLow: Bool
    let measure: RuleMeasure
    let hasMaybe: Bool
    /// It may hold although none of its series was ever there.
    let speaksOfAbsence: Bool
    /// The labels that the rule itself gives, and their texts where those never change.
    let ownLabelNames: Set<String>
    let constantLabels: Labels?

    /// Whether a reading that makes no difference is known to make none without its windows being read from the store.
    var isCarriedOn: Bool {
        self.wantsSilence || self.gate?.formula != nil && (!self.hasMaybe || self.maybeGate?.formula != nil)
    }

    /// `operands` collects the left sides of comparisons with thresholds.
    init(_ rule: AlertRule, order: Int, recordings: [RecordingRule], operands: inout OperandTable) {
        self.rule = rule
        self.order = order
        let queries = [rule.expr] + [rule.clear, rule.maybe].compactMap { $0 }
        self.patterns = CompiledRule.patterns(of: queries)
        self.sources = recordings.needed(by: self.patterns).flatMap(\.patterns)
        self.storedSelectors = rule.expr.selectors.filter { !CompiledRule.isVirtual($0) }
        self.alertSelectors = queries.flatMap(\.selectors).filter { AlertHistory.isNamed(by: $0.matchers) }
        self.alertReach = queries.map(\.reach).max() ?? 0
        let excluded = CompiledRule.excluded(rule.expr.expression)
        self.thresholdSelectors = rule.expr.selectors.filter { selector in
            (selector.metric?.hasPrefix(CompiledRule.thresholdPrefix) ?? false) && !excluded.contains(selector)
        }
        self.requiredThreshold = CompiledRule.requiredThreshold(rule.expr.expression)
        let comparison = ThresholdComparison(rule.expr, operands: &operands)
        let gate = comparison ?? CompiledRule.gate(rule.expr.expression, rule.expr, &operands)
        let maybeGate = rule.maybe.flatMap { maybe in
            ThresholdComparison(maybe, operands: &operands) ?? CompiledRule.gate(maybe.expression, maybe, &operands)
        }
        self.comparison = comparison
        self.gate = gate
        self.maybeGate = maybeGate.flatMap { $0.constantLimit != nil || $0.limit == gate?.limit ? $0 : nil }
        let all = queries.flatMap(\.selectors)
        self.wantsSilence = CompiledRule.wantsSilence(rule.expr.expression)
        let readsSeries = !all.isEmpty
        // What names a site itself may have something to say before that site has said anything.
        let namesSite = all.contains { $0.matchers.contains { $0.name == "site" && $0.operation == .equal } }
        // What reads alerts is judged after those were, by a clock of its own.
        let isPerSite =
            readsSeries && !namesSite && self.alertSelectors.isEmpty && queries.allSatisfy(\.isConfinedToSite)
        self.isPerSite = isPerSite
        let asksForStates = all.map { CompiledRule.channelStates.contains($0.metric ?? "") }
        self.asksForChannels = asksForStates.contains(true)
        self.isSilence = isPerSite ? asksForStates.contains(true) : readsSeries && !asksForStates.contains(false)
        self.speaksOfAbsence = queries.contains { $0.description.contains("absent") }
        self.hasMaybe = rule.maybe != nil
        if case .binary(let binary) = rule.expr.expression.unwrapped {
            self.seeksLow = binary.operation == .less || binary.operation == .lessOrEqual
        } else {
            self.seeksLow = false
        }
        self.measure = RuleMeasure(rule)
        self.dependsOnTime = queries.contains(where: \.dependsOnTime)
        self.ownLabelNames = Set(rule.labels.map(\.name))
        if rule.labels.allSatisfy(\.template.isConstant) {
            let context = TemplateContext(labels: .empty, value: nil)
            self.constantLabels = Labels(
                rule.labels.map { Label(name: $0.name, value: $0.template.render(context)) }
            )
        } else {
            self.constantLabels = nil
        }
    }

    /// A comparison of one series with a number or a threshold that must hold for the expression to have a result.
    private static func gate(
        _ expression: Expression,
        _ query: Query,
        _ operands: inout OperandTable
    ) -> ThresholdComparison? {
        switch expression {
        case .parentheses(let inner), .unary(_, let inner): return self.gate(inner, query, &operands)
        case .binary(let binary):
            if binary.operation.isComparison, let part = try? Query(expression, days: query.days),
                let found = ThresholdComparison(part, needsFormula: true, operands: &operands)
            {
                return found
            }
            if !binary.needsBothSides, binary.operation != .unless { return nil }
            if let found = self.gate(binary.left, query, &operands) { return found }
            return binary.operation == .unless ? nil : self.gate(binary.right, query, &operands)
        default: return nil
        }
    }

    private static func wantsSilence(_ expression: Expression) -> Bool {
        guard case .binary(let binary) = expression.unwrapped else { return false }
        if binary.operation == .and { return self.wantsSilence(binary.left) || self.wantsSilence(binary.right) }
        guard binary.operation == .equal, !binary.returnsBool, case .number(1) = binary.right,
            case .selector(let selector) = binary.left
        else { return false }
        return selector.metric == self.silenceMetric && selector.window == nil && selector.offset == 0
            && selector.at == nil
    }

    private static func requiredThreshold(_ expression: Expression) -> Selector? {
        switch expression {
        case .parentheses(let inner): return self.requiredThreshold(inner)
        case .binary(let binary) where binary.needsBothSides: return self.onlySelector(binary.right)
        default: return nil
        }
    }

    /// The selector of a threshold, alone or in arithmetic with numbers.
    private static func onlySelector(_ expression: Expression) -> Selector? {
        switch expression {
        case .parentheses(let inner), .unary(_, let inner): return self.onlySelector(inner)
        case .selector(let selector):
            return selector.isThresholdNow ? selector : nil
        case .binary(let binary):
            if case .number = binary.right { return self.onlySelector(binary.left) }
            if case .number = binary.left { return self.onlySelector(binary.right) }
            return nil
        default: return nil
        }
    }

    /// What stored series must be like for one of the queries to read them, one for each selector.
    static func patterns(of queries: [Query]) -> [Pattern] {
        queries.flatMap(\.selectors).filter { !self.isVirtual($0) }
            .map { selector in
                Pattern(matchers: selector.matchers.filter { !Site.virtualLabelNames.contains($0.name) })
            }
    }

    /// Whether the selector reads series that exist only in the reader: thresholds, silence and alerts.
    static func isVirtual(_ selector: Selector) -> Bool {
        guard let metric = selector.metric else { return false }
        return metric.hasPrefix(self.thresholdPrefix) || self.channelStates.contains(metric)
            || metric == AlertHistory.stateMetric || metric == AlertHistory.activeMetric
    }

    /// The selectors without which there may be a result, behind `unless` or with a value in their place.
    private static func excluded(_ expression: Expression) -> [Selector] {
        switch expression {
        case .parentheses(let inner), .unary(_, let inner): self.excluded(inner)
        case .binary(let binary) where !binary.matching.fill.isEmpty:
            (try? Query(expression).selectors) ?? []
        case .binary(let binary) where binary.operation == .unless:
            self.excluded(binary.left) + ((try? Query(binary.right).selectors) ?? [])
        case .binary(let binary): self.excluded(binary.left) + self.excluded(binary.right)
        case .number, .string, .selector, .subquery, .aggregation, .call: []
        }
    }

    var readsAlerts: Bool { !self.alertSelectors.isEmpty }

    /// Whether what a channel reports decides what the rule says.
    func dependsOn(_ channel: WatchedChannel) -> Bool {
        self.patterns.contains { $0.matches(channel.series) } || self.sources.contains { $0.matches(channel.series) }
    }

    func isMoreExtreme(_ value: Double, than known: Double?) -> Bool {
        guard let known else { return !value.isNaN }
        return self.seeksLow ? value < known : value > known
    }

    /// The identity of an alert before the rule's own labels: without metric name, the name of an alert that was read, and
    /// virtual labels where the site is known.
    func baseLabels(_ labels: Labels) -> Labels {
        let hasSite = labels.value(of: "site") != nil
        return Labels(
            sorted: labels.filter { label in
                label.name != Labels.metricName && label.name != "alertname"
                    && !(hasSite && Site.virtualLabelNames.contains(label.name))
            }
        )
    }

    /// What `clear` and `maybe` are matched on.
    func matchingLabels(_ labels: Labels) -> Labels {
        Labels(sorted: self.baseLabels(labels).filter { !self.ownLabelNames.contains($0.name) })
    }

    /// Those that `$labels` shows of a result: without virtual ones where the site is known.
    func shownLabels(_ labels: Labels) -> Labels {
        guard labels.value(of: "site") != nil else { return labels }
        return labels.removing(Site.virtualLabelNames)
    }

    /// The identity of an alert.
    func alertLabels(_ result: Labels, _ context: TemplateContext) -> Labels {
        let base = self.baseLabels(result)
        if let constantLabels { return base.merging(constantLabels) }
        return base.merging(
            Labels(self.rule.labels.map { Label(name: $0.name, value: $0.template.render(context)) })
        )
    }
}
