// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
package import Telemetry

/// What the rules of one hazard looked at around their warnings at one site, with the thresholds, for a chart.
package struct BacktestCurve: Sendable, Codable {
    package struct Line: Sendable, Codable {
        /// `value`, or the level of a threshold.
        package let name: String
        package let times: [Timestamp]
        package let values: [Double]
    }

    package let site: String
    package let hazard: Hazard
    /// The expression that is drawn.
    package let expression: String
    package let from: Timestamp
    package let through: Timestamp
    package let step: Milliseconds
    package let lines: [Line]

    /// One for each site and hazard that was warned of, from a while before the first warning to a while after the last.
    static func all(
        of outcome: Backtest.Outcome,
        _ rules: RuleSet,
        from: Timestamp,
        through: Timestamp,
        points: Int,
        _ reader: any SeriesReader
    ) throws -> [BacktestCurve] {
        let groups = Dictionary(grouping: outcome.warnings) { [$0.site, $0.hazard.rawValue] }
        return try groups.sorted { $0.key.lexicographicallyPrecedes($1.key) }
            .compactMap { _, warnings -> BacktestCurve? in
                guard let first = warnings.first, let last = warnings.map({ $0.end ?? through }).max() else {
                    return nil
                }
                let ladder = rules.alerts.filter { rule in
                    rule.hazard == first.hazard && first.raises.first?.alertName == rule.name
                }
                guard let measure = ladder.first.map(RuleMeasure.init) else { return nil }
                let margin = max(6 * .hour, (last - first.start) / 5)
                let start = max(from, first.start - margin)
                let end = min(through, last + margin)
                let minutes = (end - start) / .minute / Milliseconds(max(1, points)) + 1
                let step = minutes * .minute
                let view = first.site.isEmpty ? reader : SiteReader(site: first.site).over(reader)
                let evaluator = Evaluator(reader: view, options: EvaluationOptions(qualities: .raising))
                func lines(_ query: Query, _ name: String) throws -> [Line] {
                    try evaluator.range(query, from: start, through: end, step: step).series
                        .map { Line(name: name, times: $0.times, values: $0.values) }
                }
                let times = stride(from: start.milliseconds, through: end.milliseconds, by: Int(step))
                    .map { Timestamp(milliseconds: $0) }
                var drawn = try lines(measure.query, "value")
                for rule in ladder {
                    switch rule.threshold {
                    case .query(let query): drawn += try lines(query, rule.level.rawValue)
                    case .constant(let value):
                        let values = times.map { _ in value }
                        drawn.append(Line(name: rule.level.rawValue, times: times, values: values))
                    case nil: break
                    }
                }
                return BacktestCurve(
                    site: first.site,
                    hazard: first.hazard,
                    expression: measure.query.description,
                    from: start,
                    through: end,
                    step: step,
                    lines: drawn
                )
            }
    }
}
