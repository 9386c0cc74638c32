// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import StrictYAML
import Telemetry

/// One test of a file, from its series to its verdict.
struct RuleTestRun {
    let path: String
    let folder: String
    let file: RuleTestFile
    let group: RuleTestFile.Group
    let rules: RuleSet
    let makeDevices: ((any SeriesReader, String) throws -> RuleTestDevices)?
    let readHistory: ((RuleTestHistory) throws -> [AppliedSample])?

    private let store = MemorySeries()
    private var result: RuleTestReport.Case
    private var transitions: [AlertTransition] = []
    private var position: Int64 = 0
    /// From when on recording rules run.
    private var begin: Timestamp
    /// The series that each recording rule gave last, by its place.
    private var recorded: [Int: Set<Labels>] = [:]
    /// The places of the recording rules that follow from alerts, and so run after those.
    private let recordingAlerts: Set<Int>

    init(
        path: String,
        folder: String,
        file: RuleTestFile,
        group: RuleTestFile.Group,
        rules: RuleSet,
        makeDevices: ((any SeriesReader, String) throws -> RuleTestDevices)?,
        readHistory: ((RuleTestHistory) throws -> [AppliedSample])?
    ) {
        self.path = path
        self.folder = folder
        self.file = file
        self.group = group
        self.rules = rules
        self.makeDevices = makeDevices
        self.readHistory = readHistory
        self.begin = group.start
        self.recordingAlerts = Set(
            rules.recordings.indices.filter { rules.recordings.readsAlerts(rules.recordings[$0]) }
        )
        self.result = RuleTestReport.Case(name: group.name)
    }

    mutating func run() -> RuleTestReport.Case {
        do {
            try self.play()
        } catch {
            self.fail(self.group.line, 1, "the test stopped: \(error)")
        }
        return self.result
    }

    private mutating func fail(_ line: Int, _ column: Int, _ message: String) {
        self.fail(line, column, message, missing: [], surplus: [])
    }

    private mutating func fail(
        _ line: Int,
        _ column: Int,
        _ message: String,
        common: [String] = [],
        missing: [String],
        surplus: [String]
    ) {
        self.result.failures.append(
            RuleTestReport.Failure(
                problem: Problem(file: self.path, line: line, column: column, message: message),
                common: common,
                missing: missing,
                surplus: surplus
            )
        )
    }

    // MARK: - Playing

    private mutating func play() throws {
        let channels = self.group.channels.map { WatchedChannel(series: $0.series, schedule: .periodic($0.every)) }
        var reader: any SeriesReader = self.store
        var registered: RecordedSeries.Channels = { site in
            channels.filter { $0.series.site == site ?? $0.series.site }
        }
        if let folder = self.group.devices {
            guard let makeDevices else {
                return self.fail(
                    self.group.line,
                    1,
                    "'devices' is not available here; name 'thresholds' and 'channels'"
                )
            }
            let devices = try makeDevices(self.store, self.absolute(folder))
            reader = devices.reader
            let inner = registered
            registered = { inner($0) + devices.channels($0) }
        }
        let overlay = TestOverlay(base: reader, thresholds: self.group.thresholds, channels: channels)
        let view = RecordedSeries(self.rules.recordings, channels: registered).over(overlay)
        var settings = RuleEngine.Settings()
        settings.externalLabels = self.group.externalLabels
        settings.externalURL = self.group.externalURL
        settings.keepsAlertHistory = true
        let engine = RuleEngine(rules: self.rules, clockMode: .data, settings: settings) { registered($0) }
        let arrivals = try self.arrivals()
        for time in self.steps(arrivals) {
            var samples = (arrivals[time] ?? []).filter { self.store.insert($0.series.labels, $0.sample) }
            if self.isRecording(time) { samples += try self.record(view, at: time, afterAlerts: false) }
            if !samples.isEmpty { try self.feed(engine, view, time, .samples(samples)) }
            if self.isRecording(time), !self.recordingAlerts.isEmpty {
                try self.feed(engine, view, time, .clockAdvance(site: nil, to: time))
                let found = try self.record(engine.showingAlerts(over: view), at: time, afterAlerts: true)
                if !found.isEmpty { try self.feed(engine, view, time, .samples(found)) }
            }
            guard self.isCheck(time) else { continue }
            try self.feed(engine, view, time, .clockAdvance(site: nil, to: time))
            self.check(engine, view, time)
        }
        self.checkTransitions()
        self.result.transitions = self.transitions.map(Self.text)
        let expectsFailures = self.group.transitions?.contains { $0.alertName == "RuleError" } ?? false
        if !expectsFailures {
            for failure in engine.failures() {
                self.fail(self.group.line, 1, "rule \(failure.rule) cannot be evaluated: \(failure.message)")
            }
        }
    }

    private mutating func feed(
        _ engine: RuleEngine,
        _ view: any SeriesReader,
        _ time: Timestamp,
        _ content: AppliedBatch.Content
    ) throws {
        self.position += 1
        let batch = AppliedBatch(
            position: JournalPosition(rawValue: self.position),
            receivedAt: time,
            content: content
        )
        self.transitions += try engine.process(batch, reader: view)
    }

    /// The samples by the time at which they arrive.
    private mutating func arrivals() throws -> [Timestamp: [AppliedSample]] {
        var arrivals: [Timestamp: [AppliedSample]] = [:]
        for series in self.group.series {
            if series.isHistogram {
                self.result.skipped.append("series \(series.labels): native histograms are not supported")
            }
            let key = SeriesKey(labels: series.labels)
            for (index, value) in series.values.enumerated() {
                let number: Double
                switch value {
                case .missing: continue
                case .stale: number = SeriesNotation.staleMarker
                case .number(let given): number = given
                }
                let time = self.group.start + Milliseconds(index) * self.group.interval
                let sample = Sample(time: time, value: number, mark: series.mark)
                arrivals[time + series.delay, default: []].append(AppliedSample(series: key, sample: sample))
            }
        }
        for var history in self.group.histories {
            guard let readHistory = self.readHistory else {
                self.fail(self.group.line, 1, "'history' is not available here; write 'input_series'")
                continue
            }
            history.devices = history.devices ?? self.group.devices.map(self.absolute)
            for item in try readHistory(history) where history.from <= item.sample.time {
                guard item.sample.time < history.end else { continue }
                arrivals[item.sample.time + history.delay, default: []].append(item)
            }
        }
        if self.group.series.isEmpty, self.group.start == Timestamp(milliseconds: 0), let first = arrivals.keys.min() {
            let interval = self.file.evaluationInterval
            self.begin = Timestamp(milliseconds: first.milliseconds / interval * interval)
        }
        return arrivals
    }

    private func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "\(self.folder)/\(path)" }

    private var checkTimes: [Milliseconds] {
        self.group.alertTests.map(\.evalTime) + self.group.expressionTests.map(\.evalTime)
    }

    private func isCheck(_ time: Timestamp) -> Bool {
        self.checkTimes.contains(time - self.group.start)
    }

    private func isRecording(_ time: Timestamp) -> Bool {
        !self.rules.recordings.isEmpty && time >= self.begin && (time - self.begin) % self.file.evaluationInterval == 0
    }

    private func steps(_ arrivals: [Timestamp: [AppliedSample]]) -> [Timestamp] {
        var times = Set(arrivals.keys)
        times.formUnion(self.checkTimes.map { self.group.start + $0 })
        if !self.rules.recordings.isEmpty {
            let last = self.group.start + (self.checkTimes.max() ?? 0)
            for offset in stride(from: 0, through: last - self.begin, by: Int(self.file.evaluationInterval)) {
                times.insert(self.begin + Milliseconds(offset))
            }
        }
        if self.group.transitions == nil {
            let end = self.group.start + (self.checkTimes.max() ?? 0)
            times = times.filter { $0 <= end }
        }
        return times.sorted()
    }

    /// Evaluates the recording rules that are due, in the order of their groups, as promtool does.
    private mutating func record(
        _ view: any SeriesReader,
        at time: Timestamp,
        afterAlerts: Bool
    ) throws -> [AppliedSample] {
        var samples: [AppliedSample] = []
        let order = self.file.groupOrder
        let recordings = self.rules.recordings.enumerated()
            .sorted { left, right in
                let places = (
                    order.firstIndex(of: left.element.group) ?? .max, order.firstIndex(of: right.element.group) ?? .max
                )
                return places.0 == places.1 ? left.offset < right.offset : places.0 < places.1
            }
        for (place, rule) in recordings
        where (time - self.begin) % rule.interval == 0 && self.recordingAlerts.contains(place) == afterAlerts {
            let moment = try rule.moment(at: time - rule.queryOffset, after: self.recorded[place] ?? [], view)
            self.recorded[place] = moment.series
            for (labels, sample) in moment.samples where self.store.insert(labels, sample) {
                samples.append(AppliedSample(series: SeriesKey(labels: labels), sample: sample))
            }
        }
        return samples
    }

    // MARK: - Checking

    private mutating func check(_ engine: RuleEngine, _ view: any SeriesReader, _ time: Timestamp) {
        let snapshot = engine.snapshot(over: view)
        for test in self.group.alertTests where self.group.start + test.evalTime == time {
            self.check(test, snapshot)
        }
        let reader = engine.showingAlerts(over: view)
        for test in self.group.expressionTests where self.group.start + test.evalTime == time {
            self.check(test, Evaluator(reader: reader), time)
        }
    }

    private mutating func check(_ test: RuleTestFile.AlertTest, _ snapshot: [AlertSnapshot]) {
        let actual = snapshot.filter {
            $0.alertName == test.alertName && ($0.state == .firing || $0.state == .held)
        }
        var missing = test.expected
        var common: [String] = []
        var surplus: [String] = []
        for alert in actual {
            let text = "\(alert.labels) \(Self.text(alert.annotations))"
            let index = missing.firstIndex { $0.labels == alert.labels && $0.annotations == alert.annotations }
            if let index { missing.remove(at: index) }
            if index == nil { surplus.append(text) } else { common.append(text) }
        }
        guard !missing.isEmpty || !surplus.isEmpty else { return }
        self.fail(
            test.value.line,
            test.value.column,
            "alertname \(test.alertName), time \(self.text(test.evalTime))",
            common: common,
            missing: missing.map { "\($0.labels) \(Self.text($0.annotations))" },
            surplus: surplus
        )
    }

    /// A span after the start, or the time where the test has no start of its own.
    private func text(_ offset: Milliseconds) -> String {
        offset < 1000 * .day && offset >= 0
            ? PrometheusDuration.text(offset) : (self.group.start + offset).rfc3339()
    }

    private static func text(_ annotations: [String: String]) -> String {
        annotations.sorted { $0.key < $1.key }.map { "\($0.key)=\"\($0.value)\"" }.joined(separator: ", ")
    }

    private mutating func check(_ test: RuleTestFile.ExpressionTest, _ evaluator: Evaluator, _ time: Timestamp) {
        guard !test.isHistogram else {
            self.result.skipped.append("expr \(test.expression): native histograms are not supported")
            return
        }
        let place = "expr \(test.expression), time \(self.text(test.evalTime))"
        do {
            let query = try Query(parsing: test.expression)
            guard query.type == .vector || query.type == .scalar else {
                let message =
                    "the expression yields a \(query.type.rawValue); a test needs an instant vector or a scalar"
                return self.fail(test.value.line, test.value.column, "\(place): \(message)")
            }
            let actual = try evaluator.instant(query, at: time).samples
            var missing = test.expected
            var common: [String] = []
            var surplus: [String] = []
            for sample in actual {
                let text = "\(sample.labels) \(GoFormat.general(sample.value))"
                let index = missing.firstIndex { $0.labels == sample.labels && self.agree($0.value, sample.value) }
                if let index { missing.remove(at: index) }
                if index == nil { surplus.append(text) } else { common.append(text) }
            }
            guard !missing.isEmpty || !surplus.isEmpty else { return }
            self.fail(
                test.value.line,
                test.value.column,
                place,
                common: common,
                missing: missing.map { "\($0.labels) \(GoFormat.general($0.value))" },
                surplus: surplus
            )
        } catch {
            self.fail(test.value.line, test.value.column, "\(place): \(error)")
        }
    }

    private func agree(_ expected: Double, _ actual: Double) -> Bool {
        if expected.isNaN && actual.isNaN || expected == actual { return true }
        return self.file.isFuzzy && (expected.nextUp == actual || expected.nextDown == actual)
    }

    private mutating func checkTransitions() {
        guard let expected = self.group.transitions else { return }
        for (index, wanted) in expected.enumerated() {
            let place = (line: wanted.value.line, column: wanted.value.column)
            guard index < self.transitions.count else {
                let message = "transition \(index + 1) did not come"
                self.fail(place.line, place.column, message, missing: [wanted.text], surplus: [])
                continue
            }
            let actual = self.transitions[index]
            let differences = wanted.differences(from: actual)
            guard !differences.isEmpty else { continue }
            let message = "transition \(index + 1): \(differences.joined(separator: "; "))"
            self.fail(place.line, place.column, message, missing: [wanted.text], surplus: [Self.text(actual)])
        }
        let surplus = self.transitions.dropFirst(expected.count).map(Self.text)
        guard !surplus.isEmpty else { return }
        self.fail(self.group.line, 1, "unexpected transitions", missing: [], surplus: surplus)
    }

    private static func text(_ transition: AlertTransition) -> String {
        let value = transition.value.map { " value \(GoFormat.general($0))" } ?? ""
        let reason = transition.reason.map { " (\($0))" } ?? ""
        return "\(transition.change.rawValue) \(transition.alertName) \(transition.labels) level "
            + "\(transition.level.rawValue) at \(transition.eventTime)\(value)\(reason)"
    }
}

extension RuleTestFile.ExpectedTransition {
    /// What is given of it, in the words of a transition's own text.
    fileprivate var text: String {
        var text = self.change
        if let name = self.alertName { text += " \(name)" }
        if !self.labels.isEmpty { text += " \(self.labels)" }
        if let level = self.level { text += " level \(level)" }
        text += " at \(self.at)"
        if let number = self.number { text += " value \(GoFormat.general(number))" }
        if let reason = self.reason { text += " (\(reason))" }
        return text
    }

    /// What is not as expected.
    fileprivate func differences(from actual: AlertTransition) -> [String] {
        var result: [String] = []
        func compare<Value: Equatable>(_ name: String, _ expected: Value?, _ actual: Value?) {
            guard let expected, expected != actual else { return }
            result.append("expected \(name) \(expected), got \(actual.map { "\($0)" } ?? "none")")
        }
        func compareNumber(_ name: String, _ expected: Double?, _ actual: Double?) {
            guard let expected else { return }
            guard let actual else { return result.append("expected \(name) \(expected), got none") }
            if abs(expected - actual) > 1e-9 * max(1, abs(expected)) {
                result.append("expected \(name) \(expected), got \(actual)")
            }
        }
        compare("time", self.at, actual.eventTime)
        compare("change", self.change, actual.change.rawValue)
        compare("alertname", self.alertName, actual.alertName)
        compare("level", self.level, actual.level.rawValue)
        compare("reason", self.reason, actual.reason)
        compare("since", self.since, actual.activeSince)
        for (evidence, name, isExpected) in self.evidence {
            compare(name, isExpected, actual.evidence.contains(evidence))
        }
        compareNumber("value", self.number, actual.value)
        compareNumber("threshold", self.threshold, actual.threshold)
        compareNumber("peak", self.peak, actual.peak?.value)
        compare("late", self.isLate, actual.amends != nil)
        for label in self.labels { compare("label \(label.name)", label.value, actual.labels[label.name]) }
        for (name, text) in self.annotations.sorted(by: { $0.key < $1.key }) {
            compare("annotation \(name)", text, actual.annotations[name])
        }
        return result
    }
}
