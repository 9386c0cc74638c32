// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import StrictYAML
import Telemetry

extension RuleFileReader {
    func mapping(_ value: YAMLValue, keys: [String]) -> YAMLMapping? {
        self.ignoresUnknownFields ? value.anyMapping() : value.mapping(keys: keys)
    }

    /// A duration; anything else is reported.
    func duration(_ value: YAMLValue) -> Milliseconds? {
        guard let text = value.string else { return nil }
        guard let span = PrometheusDuration.parse(text), span >= 0 else {
            value.report("'\(text)' is no duration; write it like 30s, 5m, 1h30m, 1d")
            return nil
        }
        guard span <= Self.longestDuration else {
            value.report("'\(text)' is too long; at most 100y")
            return nil
        }
        return span
    }

    /// Ten of them still fit into a time in ms.
    private static let longestDuration: Milliseconds = 100 * 365 * .day

    /// Minutes after midnight of `08:00`.
    func timeOfDay(_ value: YAMLValue) -> Int? {
        guard let text = value.string else { return nil }
        let fields = text.split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count == 2, let hour = Int(fields[0]), let minute = Int(fields[1]), (0...23).contains(hour),
            (0...59).contains(minute), fields[1].count == 2
        else {
            value.report("'\(text)' is no time of day; write it like \"08:00\", in quotes")
            return nil
        }
        return hour * 60 + minute
    }

    /// The part of the year from one day to before another.
    func season(_ value: YAMLValue) -> Season? {
        func day(_ value: YAMLValue) -> Season.MonthDay? {
            guard let text = value.string else { return nil }
            let day = Season.MonthDay(parsing: text)
            if day == nil { value.report("'\(text)' is no day of the year; write month-day like 04-01") }
            return day
        }
        guard let map = value.mapping(keys: ["from", "to"]), let from = map.required("from").flatMap(day),
            let to = map.required("to").flatMap(day)
        else { return nil }
        if from == to { value.report("the season is empty or the whole year; leave it out for the whole year") }
        return Season(from: from, to: to)
    }

    /// Reports a hazard or a level that nobody knows among the labels of alerts.
    func checkWarning(_ labels: YAMLValue?) {
        guard let labels, labels.isMapping, let map = labels.anyMapping() else { return }
        func constant(_ name: String) -> (value: YAMLValue, text: String)? {
            guard let value = map[name], let text = value.textIfScalar, !text.contains("{{") else { return nil }
            return (value, text)
        }
        let hazards = Hazard.allCases.map(\.rawValue)
        if let (value, name) = constant("hazard"), !hazards.contains(name), name != self.defaultHazard {
            value.report(
                "no hazard is called '\(name)'; \(Spelling.advice(for: name, among: hazards)) (one of your own is called "
                    + "after the folder of its rules)"
            )
        }
        if let (value, name) = constant("level"), WarningLevel(rawValue: name) == nil {
            value.report(Self.unknownLevel(name))
        }
    }

    static func unknownLevel(_ name: String) -> String {
        "'\(name)' is no level; known: \(WarningLevel.allCases.map(\.rawValue).joined(separator: ", "))"
    }

    /// A query of type vector or scalar, with `$level` and `$threshold` replaced; errors are reported at their place.
    ///
    /// It looks back from each moment by `offset`. Where its result is recorded under a name, selectors without one leave
    /// that out: no rule reads itself by chance.
    mutating func query(
        _ value: YAMLValue,
        _ level: Level = Level(level: .notice, label: nil),
        days: CalendarDays? = nil,
        offset: Milliseconds = 0,
        recordedAs record: String? = nil
    ) -> Query? {
        guard let text = value.string else { return nil }
        let written = LevelSubstitution(text, level: level.label, threshold: level.constant?.text)
        do {
            // A rule is asked for one moment after the other.
            var query = try Query(parsing: written.text, days: days).resolved()
            guard query.type == .vector || query.type == .scalar else {
                value.report(
                    "the expression yields a \(query.type.rawValue); a rule needs an instant vector or a scalar"
                )
                return nil
            }
            guard !query.selectors.contains(where: { $0.borders == .smoothed }) else {
                value.report(
                    "smoothed reads samples that come after the moment a rule is asked for; anchored reads those before"
                )
                return nil
            }
            let limit = QueryLimits().subquerySteps
            guard query.subquerySteps <= limit else {
                value.report(
                    "a subquery has \(query.subquerySteps) steps, more than the \(limit) that can be evaluated; give it a "
                        + "shorter range or a longer step"
                )
                return nil
            }
            self.noteUTCTime(value, written)
            if offset > 0 { query = try Query(query.expression.lookedAtEarlier(by: offset), days: days) }
            if let record, query.selectors.contains(where: { $0.mayFindByChance(record) }) {
                query = try Query(query.expression.leavingOut(record), days: days)
                self.note(value, "a selector without a name leaves out '\(record)', which the rule itself records")
            }
            return query
        } catch {
            let hint = error.hint.map { " (\($0))" } ?? ""
            let at = level.label.map { " [level \($0)]" } ?? ""
            let message = "\(error.message)\(hint)\(at)"
            guard let position = error.position else {
                value.report(message)
                return nil
            }
            let offset = written.original(of: position.offset)
            let advice = Self.missingValue(text.utf8.dropFirst(offset), level)
            value.report(advice ?? message, atByte: offset, source: self.source)
            return nil
        }
    }

    /// What is wrong where a query that begins with `$level` or `$threshold` at the place of an error has none.
    private static func missingValue(_ rest: Substring.UTF8View, _ level: Level) -> String? {
        if rest.starts(with: "$level".utf8) { return "'$level' has no value, since the rule has no 'levels'" }
        guard rest.starts(with: "$threshold".utf8) else { return nil }
        return level.label == nil
            ? "'$threshold' has no value, since the rule has no 'levels'; write levels: { blue: 50 }"
            : "'$threshold' has no value, since 'levels' gives none; write levels: { blue: 50 }"
    }

    /// Templates by name, in the order of the file; those that cannot be read are reported and left out.
    func templates(_ value: YAMLValue?, isLabel: Bool) -> [NamedTemplate] {
        var result: [NamedTemplate] = []
        for entry in value?.anyMapping()?.entries ?? [] {
            if entry.key.isEmpty || entry.key == Labels.metricName {
                entry.keyValue.report("'\(entry.key)' is no label name: any text but an empty one and __name__")
            }
            guard let text = entry.value.string else { continue }
            do {
                let template = try Template(parsing: text)
                if isLabel, template.asks {
                    entry.value.report("label '\(entry.key)': 'query' is for annotations; a label tells alerts apart")
                }
                result.append(NamedTemplate(name: entry.key, template: template, source: text))
            } catch {
                let kind = isLabel ? "label" : "annotation"
                entry.value.report(
                    "\(kind) '\(entry.key)': \(error.message)",
                    atByte: error.offset,
                    source: self.source
                )
            }
        }
        return result
    }

    static func isMetricName(_ text: String) -> Bool {
        guard let first = text.first, !first.isNumber else { return false }
        return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "_" || $0 == ":" }
    }
}
