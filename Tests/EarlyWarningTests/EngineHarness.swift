// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

@testable import EarlyWarning

/// An engine over series in memory.
final class EngineHarness {
    let store = MemorySeries()
    let engine: RuleEngine
    let reader: TestOverlay
    private(set) var position: Int64 = 0

    init(
        _ rules: String,
        clock: RuleEngine.ClockMode = .data,
        channels: [WatchedChannel] = [],
        thresholds: [(site: String, threshold: Threshold)] = [],
        settings: RuleEngine.Settings = RuleEngine.Settings()
    ) throws {
        self.engine = RuleEngine(
            rules: try RuleFileLoader().parse(rules),
            clockMode: clock,
            settings: settings,
            channels: { site in channels.filter { $0.series.site == site } }
        )
        self.reader = TestOverlay(base: self.store, thresholds: thresholds, channels: channels)
    }

    /// Stores and processes samples; duplicates do not reach the engine.
    @discardableResult
    func feed(_ samples: [(Labels, Sample)], receivedAt: Timestamp = .minutes(0)) throws -> [AlertTransition] {
        self.position += 1
        let applied = samples.filter { self.store.insert($0.0, $0.1) }
            .map { AppliedSample(series: SeriesKey(labels: $0.0), sample: $0.1) }
        let batch = AppliedBatch(
            position: JournalPosition(rawValue: self.position),
            receivedAt: receivedAt,
            content: .samples(applied)
        )
        return try self.engine.process(batch, reader: self.reader)
    }

    @discardableResult
    func feed(
        _ labels: Labels,
        _ minute: Int64,
        _ value: Double,
        quality: Quality = .notEvaluated,
        receivedAt: Int64 = 0
    ) throws -> [AlertTransition] {
        let sample = Sample(time: .minutes(minute), value: value, mark: SampleMark(quality: quality))
        return try self.feed([(labels, sample)], receivedAt: .minutes(receivedAt))
    }

    @discardableResult
    func advance(_ minute: Int64, site: String? = nil) throws -> [AlertTransition] {
        self.position += 1
        let batch = AppliedBatch(
            position: JournalPosition(rawValue: self.position),
            receivedAt: .minutes(0),
            content: .clockAdvance(site: site, to: .minutes(minute))
        )
        return try self.engine.process(batch, reader: self.reader)
    }

    func snapshot() -> [AlertSnapshot] { self.engine.snapshot(over: self.reader) }

    func tick(_ minute: Int64) throws -> [AlertTransition] {
        try self.engine.tick(wallTime: .minutes(minute), reader: self.reader)
    }
}

extension Timestamp {
    static func minutes(_ count: Int64) -> Timestamp { Timestamp(milliseconds: count * .minute) }
}

extension [AlertTransition] {
    /// `raised@5 ended@7`: changes and minutes.
    var line: String {
        self.map { transition in
            let reason = transition.reason.map { "(\($0))" } ?? ""
            return "\(transition.change.rawValue)@\(transition.eventTime.milliseconds / .minute)\(reason)"
        }
        .joined(separator: " ")
    }
}
