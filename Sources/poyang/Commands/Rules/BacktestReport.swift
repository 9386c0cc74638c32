// poyang
// SPDX-License-Identifier: Apache-2.0

import EarlyWarning
import Telemetry

/// What a backtest found, for people and for programs.
struct BacktestReport {
    let outcome: Backtest.Outcome
    let score: BacktestScore?

    init(_ outcome: Backtest.Outcome, events: [KnownEvent]?) {
        self.outcome = outcome
        self.score = events.map { BacktestScore(outcome.warnings, against: $0) }
    }

    /// A row for each change of an alert (`transition`), and with known events for each `hit`, `miss` and `false_alarm`.
    var table: Table {
        var table = Table(
            columns: [
                "kind", "time", "name", "change", "alert", "level", "hazard", "site", "value", "threshold", "peak",
                "peak_time", "lead_seconds", "reason", "rule", "labels",
            ]
        )
        for transition in self.outcome.transitions { table.append(self.row(transition)) }
        for hit in self.score?.hits ?? [] {
            for (raise, lead) in hit.leads { table.append(Self.row("hit", hit.event, raise, lead)) }
        }
        for miss in self.score?.misses ?? [] { table.append(Self.row("miss", miss, nil, nil)) }
        for warning in self.score?.falseAlarms ?? [] { table.append(Self.row(falseAlarm: warning)) }
        return table
    }

    private func row(_ transition: AlertTransition) -> [JSONValue] {
        let (warning, raise) = self.raise(of: transition)
        let lead = raise.flatMap { warning?.lead(of: $0) }
        return [
            .string("transition"), Self.time(transition.eventTime), .null, .string(transition.change.rawValue),
            .string(transition.alertName), .string(transition.level.rawValue), .string(transition.hazard.rawValue),
            .string(transition.site), Self.number(transition.value), Self.number(transition.threshold),
            Self.number(warning?.peak?.value), Self.time(warning?.peak?.time), Self.seconds(lead),
            Self.text(transition.reason), .string(transition.rule), .string("\(transition.labels)"),
        ]
    }

    private static func row(
        _ kind: String,
        _ event: KnownEvent,
        _ raise: BacktestWarning.Raise?,
        _ lead: Milliseconds?
    ) -> [JSONValue] {
        [
            .string(kind), self.time(raise?.time ?? event.start), .string(event.name), .null,
            self.text(raise?.alertName), self.text(raise?.level.rawValue), self.text(event.hazard?.rawValue),
            .string(event.site), self.number(raise?.value), self.number(raise?.threshold), .null,
            self.time(event.peak), self.seconds(lead), .null, .null, .null,
        ]
    }

    private static func row(falseAlarm warning: BacktestWarning) -> [JSONValue] {
        [
            .string("false_alarm"), self.time(warning.start), .null, .null, self.text(warning.raises.first?.alertName),
            self.text(warning.raises.map(\.level).max()?.rawValue), .string(warning.hazard.rawValue),
            .string(warning.site), .null, .null, self.number(warning.peak?.value), self.time(warning.peak?.time),
            .null, .null, .null, .null,
        ]
    }

    private static func time(_ time: Timestamp?) -> JSONValue { self.text(time?.rfc3339()) }

    private static func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }

    private static func number(_ value: Double?) -> JSONValue { value.map { .number($0) } ?? .null }

    private static func seconds(_ span: Milliseconds?) -> JSONValue { span.map { .integer($0 / .second) } ?? .null }

    /// The warning in which an alert was raised, and that raise.
    private func raise(
        of transition: AlertTransition
    ) -> (warning: BacktestWarning?, raise: BacktestWarning.Raise?) {
        guard transition.change == .raised else { return (nil, nil) }
        let warning = self.outcome.warnings.first { warning in
            warning.site == transition.site && warning.hazard == transition.hazard
                && warning.start <= transition.eventTime && warning.end.map { transition.eventTime < $0 } ?? true
        }
        let raise = warning?.raises
            .first {
                $0.time == transition.eventTime && $0.level == transition.level && $0.alertName == transition.alertName
            }
        return (warning, raise)
    }

    var text: String {
        var shown = Table(
            columns: ["time", "change", "alert", "level", "site", "value", "threshold", "before_peak", "reason"]
        )
        for transition in self.outcome.transitions {
            let (warning, raise) = self.raise(of: transition)
            let lead = raise.flatMap { warning?.lead(of: $0) }
            shown.append([
                Self.time(transition.eventTime), .string(transition.change.rawValue), .string(transition.alertName),
                .string(transition.level.rawValue), .string(transition.site), Self.number(transition.value),
                Self.number(transition.threshold), Self.text(lead.map { PrometheusDuration.text($0) }),
                Self.text(transition.reason),
            ])
        }
        var lines = [shown.text(empty: "no alert was raised")]
        lines.append("")
        for warning in self.outcome.warnings { lines.append(Self.line(of: warning)) }
        lines.append("\(self.outcome.warnings.count) warnings from \(self.outcome.samples) readings")
        if let score = self.score { lines += [""] + Self.lines(of: score) }
        return lines.joined(separator: "\n")
    }

    private static func line(of warning: BacktestWarning) -> String {
        let level = warning.raises.map(\.level).max()?.rawValue ?? ""
        let end = warning.end.map { "ended \($0.rfc3339())" } ?? "in force at the end"
        let peak = warning.peak.map { ", peak \(JSONValue.number($0.value).cellText) at \($0.time.rfc3339())" } ?? ""
        let lead =
            warning.raises.first.flatMap(warning.lead).map { ", first raised \(PrometheusDuration.text($0)) before it" }
            ?? ""
        let site = warning.site.isEmpty ? "" : " \(warning.site)"
        return
            "\(warning.hazard.rawValue)\(site): up to \(level), from \(warning.start.rfc3339()), \(end)\(peak)\(lead)"
    }

    private static func lines(of score: BacktestScore) -> [String] {
        var lines: [String] = []
        for hit in score.hits {
            let leads = hit.leads.map { "\($0.raise.level.rawValue) \(PrometheusDuration.text($0.lead))" }
            lines.append(
                "hit    \(hit.event.name) (\(hit.event.site)): before the peak \(leads.joined(separator: ", "))"
            )
        }
        for miss in score.misses { lines.append("MISSED \(miss.name) (\(miss.site)), peak \(miss.peak.rfc3339())") }
        for warning in score.falseAlarms { lines.append("FALSE  \(self.line(of: warning))") }
        lines.append(
            "\(score.hits.count) hits, \(score.misses.count) misses, \(score.falseAlarms.count) false alarms"
        )
        return lines
    }

    // MARK: - Charts

    /// A chart for each site and hazard that was warned of; below the field stands what was raised (`B` for blue) and
    /// what ended (`b`).
    func charts(_ terminal: Terminal) -> [String] {
        self.outcome.curves.map { curve in
            let series = curve.lines.map { line in
                PlotSeries(
                    labels: ["__name__": "\(curve.site): \(curve.expression)", "line": line.name],
                    points: zip(line.times, line.values).map { PlotSeries.Point(time: $0, value: $1) }
                )
            }
            var chart = LineChart(
                series: series.filter { !$0.points.isEmpty },
                from: curve.from,
                through: curve.through,
                step: curve.step,
                unit: PlotUnit(ofQuery: curve.expression),
                terminal: terminal
            )
            chart.marks = self.marks(of: curve)
            let legend =
                "raised and ended: "
                + Set(self.transitions(of: curve).map(\.level)).sorted()
                .map { "\(Self.letter($0, isRaised: true))/\(Self.letter($0, isRaised: false)) \($0.rawValue)" }
                .joined(separator: "  ")
            return chart.text + "\n" + legend
        }
    }

    private func transitions(of curve: BacktestCurve) -> [AlertTransition] {
        self.outcome.transitions.filter { transition in
            transition.site == curve.site && transition.hazard == curve.hazard
                && (transition.change == .raised || transition.change == .ended)
        }
    }

    private func marks(of curve: BacktestCurve) -> [LineChart.Mark] {
        let colors: [WarningLevel: Int] = [.blue: 0, .yellow: 1, .orange: 3, .red: 5]
        return self.transitions(of: curve)
            .map { transition in
                LineChart.Mark(
                    time: transition.eventTime,
                    letter: Self.letter(transition.level, isRaised: transition.change == .raised),
                    color: colors[transition.level]
                )
            }
    }

    private static func letter(_ level: WarningLevel, isRaised: Bool) -> Character {
        let letter = level.rawValue.first ?? "?"
        return isRaised ? Character(letter.uppercased()) : letter
    }
}
