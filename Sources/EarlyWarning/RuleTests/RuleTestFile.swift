// poyang
// SPDX-License-Identifier: Apache-2.0

import StrictYAML
import Telemetry

/// A file of rule tests as promtool knows them, with what we add.
struct RuleTestFile {
    struct InputSeries {
        var labels: Labels
        var values: [SeriesNotation.Value]
        var mark: SampleMark
        /// Histograms, which are not known here, are skipped by name.
        var isHistogram: Bool
        /// Ours: how much later than their times the samples arrive.
        var delay: Milliseconds = 0
    }

    struct ExpectedAlert {
        var labels: Labels
        var annotations: [String: String]
    }

    struct AlertTest {
        var value: YAMLValue
        var evalTime: Milliseconds
        var alertName: String
        var expected: [ExpectedAlert]
    }

    struct ExpressionTest {
        var value: YAMLValue
        var expression: String
        var evalTime: Milliseconds
        var expected: [(labels: Labels, value: Double)]
        var isHistogram: Bool
    }

    /// Ours: one change of an alert; what is not given is not compared.
    struct ExpectedTransition {
        var value: YAMLValue
        var at: Timestamp
        var change: String
        var alertName: String?
        var labels: Labels
        var level: String?
        var number: Double?
        var threshold: Double?
        var reason: String?
        /// Since when it fires.
        var since: Timestamp?
        var annotations: [String: String] = [:]
        /// Whether readings that came late are the reason.
        var isLate: Bool?
        var peak: Double?
        /// What it rests on, by the flags that are given.
        var evidence: [(evidence: Evidence, name: String, isExpected: Bool)] = []
    }

    /// Ours: a registered channel and how often it reports.
    struct ChannelLine {
        var series: Labels
        var every: Milliseconds
    }

    struct Group {
        var name: String
        var interval: Milliseconds
        var start: Timestamp
        var series: [InputSeries] = []
        var histories: [RuleTestHistory] = []
        var externalLabels = Labels.empty
        var externalURL = ""
        var alertTests: [AlertTest] = []
        var expressionTests: [ExpressionTest] = []
        var transitions: [ExpectedTransition]?
        var thresholds: [(site: String, threshold: Threshold)] = []
        var channels: [ChannelLine] = []
        /// A folder of sites and devices, relative to the file.
        var devices: String?
        var line: Int
    }

    /// Paths and patterns of paths, relative to the file.
    var ruleFiles: [YAMLValue] = []
    var evaluationInterval: Milliseconds = .minute
    var groupOrder: [String] = []
    var isFuzzy = false
    var groups: [Group] = []
}

/// Reads a file of rule tests.
struct RuleTestFileReader {
    let ignoresUnknownFields: Bool
    /// The folder of the file.
    let folder: String

    func read(_ file: YAMLValue) -> RuleTestFile {
        var result = RuleTestFile()
        let keys = ["rule_files", "evaluation_interval", "group_eval_order", "fuzzy_compare", "tests", "devices"]
        guard let map = self.mapping(file, keys: keys) else { return result }
        result.ruleFiles = map["rule_files"]?.list ?? []
        result.evaluationInterval = map["evaluation_interval"].flatMap(self.interval) ?? .minute
        for item in map["group_eval_order"]?.list ?? [] {
            guard let name = item.string else { continue }
            if result.groupOrder.contains(name) { item.report("group '\(name)' stands in the order already; keep one") }
            result.groupOrder.append(name)
        }
        result.isFuzzy = map["fuzzy_compare"]?.bool ?? false
        let devices = map["devices"]?.string
        for (index, test) in (map["tests"]?.list ?? []).enumerated() {
            guard var group = self.group(test, defaults: result, number: index + 1) else { continue }
            group.devices = group.devices ?? devices
            result.groups.append(group)
        }
        return result
    }

    private func group(_ value: YAMLValue, defaults: RuleTestFile, number: Int) -> RuleTestFile.Group? {
        let keys = [
            "alert_rule_test", "channels", "devices", "exp_transitions", "external_labels", "external_url", "history",
            "input_series", "interval", "name", "promql_expr_test", "start_timestamp", "thresholds",
        ]
        guard let map = self.mapping(value, keys: keys) else { return nil }
        var group = RuleTestFile.Group(
            name: map["name"]?.string ?? "test \(number)",
            interval: map["interval"].flatMap(self.interval) ?? defaults.evaluationInterval,
            start: map["start_timestamp"].flatMap(self.time) ?? Timestamp(milliseconds: 0),
            line: value.line
        )
        group.series = (map["input_series"]?.list ?? []).compactMap(self.series)
        group.externalLabels = self.labelMap(map["external_labels"])
        group.externalURL = map["external_url"]?.string ?? ""
        let start = group.start
        group.alertTests = (map["alert_rule_test"]?.list ?? []).compactMap { self.alertTest($0, start) }
        group.expressionTests = (map["promql_expr_test"]?.list ?? []).compactMap { self.expressionTest($0, start) }
        if let history = map["history"] {
            group.histories = ((history.isList ? history.list : [history]) ?? []).compactMap(self.history)
        }
        group.transitions = map["exp_transitions"]?.list?.compactMap { self.transition($0, start) }
        group.thresholds = (map["thresholds"]?.list ?? []).compactMap(self.threshold)
        group.channels = (map["channels"]?.list ?? []).compactMap(self.channel)
        group.devices = map["devices"]?.string
        return group
    }

    private func path(_ value: YAMLValue?) -> String? {
        value?.string.map { $0.hasPrefix("/") ? $0 : "\(self.folder)/\($0)" }
    }

    /// The name of a file, or a mapping.
    private func history(_ value: YAMLValue) -> RuleTestHistory? {
        if value.isScalar { return self.path(value).map { RuleTestHistory(file: $0) } }
        guard let map = self.mapping(value, keys: ["file", "from", "late_by", "map", "to"]),
            let file = self.path(map.required("file"))
        else { return nil }
        var history = RuleTestHistory(file: file)
        history.map = self.path(map["map"])
        if let from = map["from"].flatMap(self.time) { history.from = from }
        if let end = map["to"].flatMap(self.time) { history.end = end + 1 }
        history.delay = map["late_by"].flatMap(self.duration) ?? 0
        return history
    }

    private func series(_ value: YAMLValue) -> RuleTestFile.InputSeries? {
        guard let map = self.mapping(value, keys: ["late_by", "method", "quality", "series", "values"]),
            let name = map.required("series"), let values = map.required("values"), let text = values.string,
            let labels = self.labels(name)
        else { return nil }
        if labels.isEmpty { name.report("a series needs a name or a label") }
        var quality = Quality.notEvaluated
        if let number = map["quality"]?.int {
            if let known = UInt8(exactly: number).flatMap(Quality.init(rawValue:)) {
                quality = known
            } else {
                map["quality"]?.report("\(number) is no quality; known: 1, 2, 3, 4, 9")
            }
        }
        var method = Method.measured
        if let name = map["method"]?.string {
            if let known = Method(name: name) {
                method = known
            } else {
                map["method"]?.report("unknown method '\(name)'")
            }
        }
        let mark = SampleMark(quality: quality, method: method)
        if text.contains("{{") {
            return RuleTestFile.InputSeries(labels: labels, values: [], mark: mark, isHistogram: true)
        }
        guard let parsed = self.attempt(values, { try SeriesNotation.values(text) }) else { return nil }
        let delay = map["late_by"].flatMap(self.duration) ?? 0
        return RuleTestFile.InputSeries(labels: labels, values: parsed, mark: mark, isHistogram: false, delay: delay)
    }

    /// When a check is made, from the start of the test on: `eval_time`, or ours, `at`.
    private func evalTime(_ map: YAMLMapping, _ start: Timestamp) -> Milliseconds {
        guard let at = map["at"] else { return map["eval_time"].flatMap(self.duration) ?? 0 }
        if map["eval_time"] != nil { at.report("'at' and 'eval_time' exclude each other; give one of them") }
        return self.time(at).map { $0 - start } ?? 0
    }

    private func alertTest(_ value: YAMLValue, _ start: Timestamp) -> RuleTestFile.AlertTest? {
        let keys = ["alertname", "at", "eval_time", "exp_alerts", "groupname"]
        guard let map = self.mapping(value, keys: keys) else { return nil }
        guard let given = map.required("alertname"), let name = given.string else { return nil }
        if name.isEmpty { given.report("'alertname' is empty; name the alert that is looked at") }
        let expected = (map["exp_alerts"]?.list ?? [])
            .compactMap { alert -> RuleTestFile.ExpectedAlert? in
                guard let map = self.mapping(alert, keys: ["exp_labels", "exp_annotations"]) else { return nil }
                return RuleTestFile.ExpectedAlert(
                    // The name stands in front of them; that it is a label, too, may be said or left out.
                    labels: self.labelMap(map["exp_labels"]).removing(["alertname"]),
                    annotations: self.texts(map["exp_annotations"])
                )
            }
        let time = self.evalTime(map, start)
        return RuleTestFile.AlertTest(value: value, evalTime: time, alertName: name, expected: expected)
    }

    private func expressionTest(_ value: YAMLValue, _ start: Timestamp) -> RuleTestFile.ExpressionTest? {
        guard let map = self.mapping(value, keys: ["at", "eval_time", "exp_samples", "expr"]),
            let expression = map.required("expr")?.string
        else { return nil }
        var test = RuleTestFile.ExpressionTest(
            value: value,
            expression: expression,
            evalTime: self.evalTime(map, start),
            expected: [],
            isHistogram: false
        )
        for sample in map["exp_samples"]?.list ?? [] {
            guard let map = self.mapping(sample, keys: ["labels", "value", "histogram"]) else { continue }
            if map["histogram"] != nil { test.isHistogram = true }
            test.expected.append((map["labels"].flatMap(self.labels) ?? .empty, map["value"]?.double ?? 0))
        }
        return test
    }

    /// What a transition may rest on, by the key that asks for it.
    private static let evidence: [(key: String, evidence: Evidence)] = [
        ("gap_total", .gapTotal), ("interpolated", .interpolated), ("manual", .manual), ("simulated", .simulated),
        ("unconfirmed", .suspect),
    ]

    private func transition(_ value: YAMLValue, _ start: Timestamp) -> RuleTestFile.ExpectedTransition? {
        let keys = [
            "alertname", "annotations", "at", "change", "labels", "late", "level", "peak", "reason", "since",
            "threshold",
            "value",
        ]
        guard let map = self.mapping(value, keys: keys + Self.evidence.map(\.key)),
            let moment = map.required("at").flatMap({ self.moment($0, start) }),
            let change = map.required("change")?.string
        else { return nil }
        return RuleTestFile.ExpectedTransition(
            value: value,
            at: moment,
            change: change,
            alertName: map["alertname"]?.string,
            labels: self.labelMap(map["labels"]),
            level: map["level"]?.string,
            number: map["value"]?.double,
            threshold: map["threshold"]?.double,
            reason: map["reason"]?.string,
            since: map["since"].flatMap { self.moment($0, start) },
            annotations: self.texts(map["annotations"]),
            isLate: map["late"]?.bool,
            peak: map["peak"]?.double,
            evidence: Self.evidence.compactMap { key, evidence in
                map[key]?.bool.map { (evidence: evidence, name: key, isExpected: $0) }
            }
        )
    }

    /// A span after the start, or a time.
    private func moment(_ value: YAMLValue, _ start: Timestamp) -> Timestamp? {
        guard let text = value.string else { return nil }
        return PrometheusDuration.parse(text).map { start + $0 } ?? self.time(value)
    }

    private func threshold(_ value: YAMLValue) -> (site: String, threshold: Threshold)? {
        let keys = ["site", "hazard", "level", "value", "unit", "window", "valid_from", "valid_to"]
        guard let map = self.mapping(value, keys: keys), let site = map.required("site")?.string,
            let hazard = map.required("hazard")?.string, let level = map.required("level"), let name = level.string,
            let number = map.required("value")?.double
        else { return nil }
        guard let known = WarningLevel(rawValue: name) else {
            level.report(
                "'\(name)' is no level; known: \(WarningLevel.allCases.map(\.rawValue).joined(separator: ", "))"
            )
            return nil
        }
        var unit = Unit.meters
        if let text = map["unit"]?.string {
            if let named = Unit(named: text) { unit = named } else { map["unit"]?.report("unknown unit '\(text)'") }
        }
        return (
            site,
            Threshold(
                hazard: Hazard(rawValue: hazard),
                level: known,
                name: "",
                value: number,
                unit: unit,
                validFrom: map["valid_from"].flatMap(self.time) ?? .distantPast,
                validTo: map["valid_to"].flatMap(self.time),
                authority: "",
                source: "",
                confidence: "test",
                window: map["window"].flatMap(self.duration)
            )
        )
    }

    private func channel(_ value: YAMLValue) -> RuleTestFile.ChannelLine? {
        guard let map = self.mapping(value, keys: ["series", "every"]),
            let labels = map.required("series").flatMap(self.labels),
            let every = map.required("every").flatMap(self.duration)
        else { return nil }
        return RuleTestFile.ChannelLine(series: labels, every: every)
    }
}

extension RuleTestFileReader {
    private func mapping(_ value: YAMLValue, keys: [String]) -> YAMLMapping? {
        self.ignoresUnknownFields ? value.anyMapping() : value.mapping(keys: keys)
    }

    private func duration(_ value: YAMLValue) -> Milliseconds? {
        guard let text = value.string else { return nil }
        if let span = PrometheusDuration.parse(text) { return span }
        value.report("'\(text)' is no duration; write it like 30s, 5m, 1h30m, 1d")
        return nil
    }

    /// Nil where it is zero, which to promtool is as good as none.
    private func interval(_ value: YAMLValue) -> Milliseconds? { self.duration(value).flatMap { $0 > 0 ? $0 : nil } }

    /// RFC 3339, or seconds since 1970.
    private func time(_ value: YAMLValue) -> Timestamp? {
        guard let text = value.string else { return nil }
        if let moment = Timestamp(rfc3339: text, defaultOffsetMinutes: Timestamp.chinaOffsetMinutes) { return moment }
        if let seconds = Double(text), abs(seconds) < 1e12 { return Timestamp(milliseconds: Int64(seconds * 1000)) }
        value.report("'\(text)' is no time; write it like 2022-06-21T16:00:00+08:00, or as seconds since 1970")
        return nil
    }

    private func labels(_ value: YAMLValue) -> Labels? {
        guard let text = value.string else { return nil }
        return self.attempt(value) { try SeriesNotation.labels(text) }
    }

    private func texts(_ value: YAMLValue?) -> [String: String] {
        let entries = value?.anyMapping()?.entries ?? []
        return Dictionary(entries.map { ($0.key, $0.value.string ?? "") }, uniquingKeysWith: { $1 })
    }

    private func labelMap(_ value: YAMLValue?) -> Labels {
        let entries = value?.anyMapping()?.entries ?? []
        return Labels(entries.map { Label(name: $0.key, value: $0.value.string ?? "") })
    }

    private func attempt<Result>(_ value: YAMLValue, _ body: () throws -> Result) -> Result? {
        do {
            return try body()
        } catch let failure as SeriesNotation.Failure {
            value.report(failure.message)
        } catch {
            value.report("\(error)")
        }
        return nil
    }
}
