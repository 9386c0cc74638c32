// poyang
// SPDX-License-Identifier: Apache-2.0

package import PromQL
package import Telemetry

/// Why a rule fires or does not: what each part of its expressions comes to.
package struct RuleExplanation: Sendable, Encodable {
    /// What is known of one of its alerts.
    package struct State: Sendable, Encodable {
        package let labels: Labels
        /// One of `pending`, `firing`, `held`, `unknown`.
        package let state: String
        /// Since when the expression holds, `for` included; here and below RFC 3339.
        package let activeAt: String?
        package let firingSince: String?
        package let value: Double?
        package let threshold: Double?
        package let reason: String?

        package init(
            labels: Labels,
            state: String,
            activeAt: Timestamp?,
            firingSince: Timestamp? = nil,
            value: Double? = nil,
            threshold: Double? = nil,
            reason: String? = nil
        ) {
            self.labels = labels
            self.state = state
            self.activeAt = activeAt?.rfc3339()
            self.firingSince = firingSince?.rfc3339()
            self.value = value
            self.threshold = threshold
            self.reason = reason
        }
    }

    /// One element of what an expression comes to.
    package struct Value: Sendable, Encodable {
        package let labels: Labels
        /// Of a range, its newest value.
        package let value: Double
        /// How many samples a range has.
        package let samples: Int?
    }

    /// A part of an expression; the parts of a part follow it, one deeper.
    package struct Part: Sendable, Encodable {
        /// `expr`, `clear`, `maybe` or `threshold`.
        package let of: String
        /// 0 for the whole.
        package let depth: Int
        package let expression: String
        /// The first of them, in the order of their labels.
        package fileprivate(set) var values: [Value] = []
        /// How many values are left out.
        package fileprivate(set) var more = 0
        /// When the newest sample was measured that it rests on.
        package fileprivate(set) var newestSample: String?
        package fileprivate(set) var error: String?
    }

    package let rule: String
    package let alert: String
    package let hazard: String
    package let level: String
    /// The moment that is explained.
    package let time: String
    package let states: [State]
    package let parts: [Part]

    /// How many values of each part are shown.
    private static let shownValues = 10

    /// Evaluates each part of a rule by itself.
    ///
    /// - Parameters:
    ///   - rule: What is explained.
    ///   - states: Its alerts at that time.
    ///   - site: Only series of this site are looked at; nil for all.
    ///   - time: The moment.
    ///   - reader: As the rules see the store.
    ///   - options: Limits; qualities are those of the rules.
    /// - Throws: What the reader throws; errors of queries are shown at their part.
    package init(
        _ rule: AlertRule,
        states: [State],
        site: String?,
        at time: Timestamp,
        reader: any SeriesReader,
        options: EvaluationOptions = EvaluationOptions()
    ) throws {
        self.rule = rule.id
        self.alert = rule.name
        self.hazard = rule.hazard.rawValue
        self.level = rule.level.rawValue
        self.time = time.rfc3339()
        self.states = states
        let view = site.map { SiteReader(site: $0).over(reader) } ?? reader
        var options = options
        options.roundsComparisons = true
        options.findsEvidence = true
        var parts: [Part] = []
        func add(_ name: String, _ query: Query?, _ qualities: QualitySet) throws {
            guard let query else { return }
            options.qualities = qualities
            let evaluator = Evaluator(reader: view, options: options)
            try Self.add(query.expression, query.days, name, depth: 0, evaluator, time, to: &parts)
        }
        try add("expr", rule.expr, .raising)
        try add("clear", rule.clear, .trusted)
        try add("maybe", rule.maybe, .raising)
        if case .query(let query) = rule.threshold { try add("threshold", query, .trusted) }
        self.parts = parts
    }

    private static func add(
        _ expression: Expression,
        _ days: CalendarDays?,
        _ name: String,
        depth: Int,
        _ evaluator: Evaluator,
        _ time: Timestamp,
        to parts: inout [Part]
    ) throws {
        let expression = expression.bare
        switch expression {
        case .number, .string: return
        default: break
        }
        var part = Part(of: name, depth: depth, expression: expression.description)
        do {
            let result = try evaluator.instant(try Query(expression, days: days), at: time)
            part.newestSample = result.newestSample?.rfc3339()
            let values = Self.values(result.value)
            part.values = Array(values.prefix(Self.shownValues))
            part.more = values.count - part.values.count
        } catch let error as PromQLError {
            part.error = error.message
        }
        parts.append(part)
        for child in expression.children {
            try self.add(child, days, name, depth: depth + 1, evaluator, time, to: &parts)
        }
    }

    private static func values(_ value: QueryValue) -> [Value] {
        switch value {
        case .scalar(let number): [Value(labels: .empty, value: number, samples: nil)]
        case .string: []
        case .vector(let samples):
            samples.sorted { $0.labels < $1.labels }
                .map { Value(labels: $0.labels, value: $0.value, samples: nil) }
        case .matrix(let series):
            series.compactMap { series in
                series.values.last.map { Value(labels: series.labels, value: $0, samples: series.values.count) }
            }
        }
    }
}

extension Expression {
    /// What it is made of, in the order of the text.
    fileprivate var children: [Expression] {
        switch self {
        case .number, .string, .selector: []
        case .subquery(let subquery): [subquery.inner]
        case .parentheses(let inner), .unary(_, let inner): [inner]
        case .binary(let binary): [binary.left, binary.right]
        case .aggregation(let aggregation): [aggregation.parameter, aggregation.inner].compactMap { $0 }
        case .call(let call): call.arguments
        }
    }
}

extension AlertSnapshot {
    /// As an explanation shows it.
    package var explained: RuleExplanation.State {
        RuleExplanation.State(
            labels: self.labels,
            state: self.state.rawValue,
            activeAt: self.activeAt,
            firingSince: self.firingSince,
            value: self.value,
            threshold: self.threshold,
            reason: self.reason
        )
    }
}

extension RuleSet {
    /// The alerting rules that a name means: those called so, those with that id, else those whose name or id begins so.
    package func alerts(named text: String) -> [AlertRule] {
        let exact = self.alerts.filter { $0.name == text || $0.id == text }
        guard exact.isEmpty else { return exact }
        return self.alerts.filter { $0.name.hasPrefix(text) || $0.id.hasPrefix(text) }
    }
}
