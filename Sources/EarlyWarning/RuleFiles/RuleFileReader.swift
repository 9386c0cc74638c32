// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import StrictYAML
import Telemetry

/// Reads one rule file: the schema of Prometheus, and ours on top of it.
struct RuleFileReader {
    let path: String
    let name: String
    let defaultHazard: String
    let fixedInterval: Milliseconds?
    let ignoresUnknownFields: Bool
    let refusesUTCTime: Bool
    let source: [Substring]

    var alerts: [AlertRule] = []
    var recordings: [RecordingRule] = []
    var findings: [RuleFinding] = []
    var ruleCount = 0
    private var ids: Set<String> = []
    private var noted: Set<Problem> = []

    init(
        path: String,
        name: String,
        defaultHazard: String,
        fixedInterval: Milliseconds?,
        ignoresUnknownFields: Bool,
        refusesUTCTime: Bool,
        source: [Substring]
    ) {
        self.path = path
        self.name = name
        self.defaultHazard = defaultHazard
        self.fixedInterval = fixedInterval
        self.ignoresUnknownFields = ignoresUnknownFields
        self.refusesUTCTime = refusesUTCTime
        self.source = source
    }

    mutating func read(_ file: YAMLValue) {
        guard let map = self.mapping(file, keys: ["groups"]), let groups = map.required("groups")?.list else { return }
        var names: Set<String> = []
        for group in groups {
            guard let map = self.mapping(group, keys: Self.groupKeys) else { continue }
            let nameValue = map.required("name")
            let name = nameValue?.string
            if name == "" { nameValue?.report("a group needs a name") }
            if let name, !names.insert(name).inserted {
                nameValue?.report("group '\(name)' stands in this file already; give it another name")
            }
            let written = map["interval"].flatMap(self.duration)
            if written == 0 { map["interval"]?.report("the interval of a group must be longer than zero") }
            let interval = self.fixedInterval ?? written ?? .minute
            let labels = self.templates(map["labels"], isLabel: true)
            self.checkWarning(map["labels"])
            let context = GroupContext(
                name: name ?? "",
                interval: max(interval, 1),
                limit: max(0, map["limit"]?.int ?? 0),
                queryOffset: map["query_offset"].flatMap(self.duration) ?? 0,
                labels: labels
            )
            for rule in map["rules"]?.list ?? [] { self.readRule(rule, in: context) }
        }
    }

    struct GroupContext {
        let name: String
        let interval: Milliseconds
        let limit: Int
        let queryOffset: Milliseconds
        let labels: [NamedTemplate]
    }

    private static let groupKeys = ["name", "interval", "query_offset", "limit", "labels", "rules"]
    private static let ruleKeys = [
        "alert", "annotations", "clear", "day_boundary", "expr", "for", "keep_firing_for", "labels", "lateness",
        "levels", "maybe", "no_data", "record", "season", "threshold",
    ]

    private mutating func readRule(_ value: YAMLValue, in group: GroupContext) {
        self.ruleCount += 1
        guard let map = self.mapping(value, keys: Self.ruleKeys) else { return }
        switch (map["alert"], map["record"]) {
        case (let alert?, nil): self.readAlert(alert, map, in: group)
        case (nil, let record?): self.readRecording(record, map, in: group)
        case (nil, nil): value.report("a rule needs 'alert' or 'record'")
        case (_?, let record?): record.report("a rule is either 'alert' or 'record', not both")
        }
    }

    // MARK: - Recording rules

    private mutating func readRecording(_ value: YAMLValue, _ map: YAMLMapping, in group: GroupContext) {
        for entry in map.entries where !["record", "expr", "labels"].contains(entry.key) {
            guard Self.ruleKeys.contains(entry.key) else { continue }
            entry.keyValue.report("a recording rule has no '\(entry.key)'")
        }
        let name = value.string
        if let name, !Self.isMetricName(name) { value.report("'\(name)' is no metric name: [a-zA-Z_:][a-zA-Z0-9_:]*") }
        let labels = group.labels + self.templates(map["labels"], isLabel: true)
        guard let expr = map.required("expr"), let query = self.query(expr, recordedAs: name) else { return }
        if group.queryOffset > 0 {
            self.note(
                value,
                "'query_offset' does not delay what is recorded: a value is there as soon as its readings are, and is "
                    + "put right by those that come late"
            )
        }
        self.recordings.append(
            RecordingRule(
                record: name ?? "",
                group: group.name,
                file: self.path,
                line: value.line,
                interval: group.interval,
                limit: group.limit,
                queryOffset: group.queryOffset,
                expr: query,
                labels: Labels(labels.map { Label(name: $0.name, value: $0.source) })
            )
        )
    }

    // MARK: - Alerting rules

    private mutating func readAlert(_ value: YAMLValue, _ map: YAMLMapping, in group: GroupContext) {
        let given = value.string
        if given == "" { value.report("an alert needs a name") }
        let name = given ?? ""
        let own = self.templates(map["labels"], isLabel: true)
        var labels = group.labels.filter { inherited in !own.contains { $0.name == inherited.name } } + own
        if let index = labels.firstIndex(where: { $0.name == "alertname" }) {
            labels.remove(at: index)
            self.note(value, "a label 'alertname' has no effect: it is the name of the alert, '\(name)'")
        }
        let annotations = self.templates(map["annotations"], isLabel: false)
        self.checkWarning(map["labels"])
        let constants = TemplateContext(labels: .empty, value: nil)
        let named = labels.first { $0.name == "hazard" }?.template.render(constants) ?? ""
        let hazard = named.isEmpty ? self.defaultHazard : named
        let defaults = self.settings(map, in: group)
        let levels = map["levels"].map { self.levels($0, defaults) }
        if levels == nil {
            let written = labels.first { $0.name == "level" }?.template.render(constants)
            let level = written.flatMap(WarningLevel.init(rawValue:)) ?? .notice
            self.append(
                value,
                name,
                defaults,
                Level(level: level, label: nil),
                labels,
                annotations,
                hazard,
                group
            )
        }
        // Levels that cannot be read hide nothing that is wrong with the expression.
        if let levels, levels.isEmpty { _ = defaults.expr?.string }
        labels.removeAll { $0.name == "level" }
        for level in levels ?? [] {
            self.append(value, name, level.settings, level.level, labels, annotations, hazard, group)
        }
    }

    /// What `levels` may change for one level.
    struct Settings {
        var expr: YAMLValue?
        var clear: YAMLValue?
        var maybe: YAMLValue?
        var threshold: YAMLValue?
        var hold: Milliseconds = 0
        var keepFiringFor: Milliseconds = 0
        var lateness: Milliseconds = .day
        var noData = NoDataPolicy.unknown
        var days: CalendarDays?
        var season: Season?
        var queryOffset: Milliseconds = 0
    }

    struct Level {
        var level: WarningLevel
        /// The text of the label `level`; nil where the rule has no levels.
        var label: String?
        /// Of `{blue: 50}`.
        var constant: (text: String, value: Double)?
    }

    private func settings(_ map: YAMLMapping, in group: GroupContext) -> Settings {
        self.settings(map, over: Settings(queryOffset: group.queryOffset))
    }

    private func settings(_ map: YAMLMapping, over base: Settings) -> Settings {
        var settings = base
        settings.expr = map["expr"] ?? base.expr
        settings.clear = map["clear"] ?? base.clear
        settings.maybe = map["maybe"] ?? base.maybe
        settings.threshold = map["threshold"] ?? base.threshold
        settings.hold = map["for"].flatMap(self.duration) ?? base.hold
        settings.keepFiringFor = map["keep_firing_for"].flatMap(self.duration) ?? base.keepFiringFor
        settings.lateness = map["lateness"].flatMap(self.duration) ?? base.lateness
        settings.days = map["day_boundary"].flatMap(self.timeOfDay).map(CalendarDays.init(boundary:)) ?? base.days
        settings.season = map["season"].flatMap(self.season) ?? base.season
        if let value = map["no_data"], let text = value.string {
            if let policy = NoDataPolicy(rawValue: text) {
                settings.noData = policy
            } else {
                value.report("'\(text)' is no policy for no_data; known: unknown, keep")
            }
        }
        return settings
    }

    private func levels(_ value: YAMLValue, _ defaults: Settings) -> [(level: Level, settings: Settings)] {
        var result: [(level: Level, settings: Settings)] = []
        func level(_ value: YAMLValue) -> WarningLevel? {
            guard let text = value.string else { return nil }
            guard let level = WarningLevel(rawValue: text) else {
                value.report(Self.unknownLevel(text))
                return nil
            }
            if result.contains(where: { $0.level.level == level }) { value.report("level '\(text)' is given twice") }
            return level
        }
        if value.isEmpty { value.report("'levels' is empty: the rule would never fire; name one, or leave it out") }
        if value.isList {
            for item in value.list ?? [] {
                guard let level = level(item) else { continue }
                result.append((Level(level: level, label: level.rawValue), defaults))
            }
            return result
        }
        for entry in value.anyMapping()?.entries ?? [] {
            guard let level = level(entry.keyValue) else { continue }
            var item = Level(level: level, label: level.rawValue)
            if entry.value.isMapping {
                let keys = Self.ruleKeys.filter {
                    !["alert", "record", "levels", "labels", "annotations"].contains($0)
                }
                guard let map = self.mapping(entry.value, keys: keys) else { continue }
                result.append((item, self.settings(map, over: defaults)))
            } else if let number = entry.value.double {
                guard number.isFinite else {
                    entry.value.report("the threshold of level '\(level.rawValue)' is no finite number: it never fires")
                    continue
                }
                item.constant = (entry.value.string ?? "", number)
                result.append((item, defaults))
            }
        }
        return result
    }

    private mutating func append(
        _ value: YAMLValue,
        _ name: String,
        _ settings: Settings,
        _ level: Level,
        _ labels: [NamedTemplate],
        _ annotations: [NamedTemplate],
        _ hazard: String,
        _ group: GroupContext
    ) {
        guard let written = settings.expr else {
            value.report("'expr' is missing\(level.label.map { " for level '\($0)'" } ?? "")")
            return
        }
        func query(_ value: YAMLValue) -> Query? {
            self.query(value, level, days: settings.days, offset: settings.queryOffset)
        }
        let expr = query(written)
        let clear = settings.clear.map(query)
        let maybe = settings.maybe.map(query)
        let threshold = settings.threshold.map(query)
        guard let expr, clear.map({ $0 != nil }) ?? true, maybe.map({ $0 != nil }) ?? true,
            threshold.map({ $0 != nil }) ?? true
        else { return }
        if clear != nil, settings.keepFiringFor > 0 {
            self.note(value, "'keep_firing_for' has no effect beside 'clear', which ends the alert at once")
        }
        var id = "\(self.name)/\(group.name)/\(name)"
        if let label = level.label { id += "/\(label)" }
        var unique = id
        var repetition = 2
        while !self.ids.insert(unique).inserted {
            unique = "\(id)#\(repetition)"
            repetition += 1
        }
        var allLabels = labels
        if let label = level.label, let template = try? Template(parsing: label) {
            allLabels.append(NamedTemplate(name: "level", template: template, source: label))
        }
        self.alerts.append(
            AlertRule(
                id: unique,
                name: name,
                group: group.name,
                file: self.path,
                line: value.line,
                interval: group.interval,
                limit: group.limit,
                hazard: Hazard(rawValue: hazard),
                level: level.level,
                expr: expr,
                clear: clear ?? nil,
                maybe: maybe ?? nil,
                threshold: (threshold ?? nil).map(ThresholdSource.query)
                    ?? level.constant.map { ThresholdSource.constant($0.value) },
                hold: settings.hold,
                keepFiringFor: settings.keepFiringFor,
                lateness: settings.lateness,
                noData: settings.noData,
                season: settings.season,
                labels: allLabels,
                annotations: annotations
            )
        )
    }

    /// Takes notice of what works and may surprise, once at each place.
    mutating func note(_ value: YAMLValue, _ message: String) {
        let problem = Problem(file: self.path, line: value.line, column: value.column, message: message)
        guard self.noted.insert(problem).inserted else { return }
        self.findings.append(RuleFinding(kind: .note, problem: problem))
    }

    /// Takes notice of functions that count in UTC, once at each place.
    mutating func noteUTCTime(_ value: YAMLValue, _ written: LevelSubstitution) {
        for call in Query.callsInUTC(of: written.text) {
            let problem = value.problem(
                "\(call.function.rawValue)() counts in UTC, 8 hours behind local time; for a part of the year write "
                    + "'season: { from: 04-01, to: 07-01 }', for whole days 'day_boundary: \"08:00\"'",
                atByte: written.original(of: call.offset),
                source: self.source
            )
            guard self.noted.insert(problem).inserted else { continue }
            if self.refusesUTCTime {
                value.problems.report(problem)
            } else {
                self.findings.append(RuleFinding(kind: .utcTime, problem: problem))
            }
        }
    }
}
