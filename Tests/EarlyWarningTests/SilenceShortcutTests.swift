// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry
import TestSupport
import Testing

@testable import EarlyWarning

/// Rules about silence are mostly decided by when samples came, without reading the store; that must change nothing.
struct SilenceShortcutTests {
    static let channels = ["up", "down"]
        .map { position in
            WatchedChannel(
                series: ["__name__": "level", "site": "a", "position": position],
                schedule: .periodic(4 * .minute)
            )
        }

    static func rules(_ comparison: String) -> String {
        """
        groups:
          - name: g
            rules:
              - alert: Silent
                expr: channel_silent \(comparison)
              - alert: Long
                expr: channel_silent \(comparison)
                for: 7m
        """
    }

    /// The second form is not recognised.
    @Test func formsAreRecognised() throws {
        for (text, isRecognised) in [("== 1", true), (">= 1", false), ("== bool 1", false), ("== 0", false)] {
            let rules = try RuleFileLoader().parse(Self.rules(text))
            let engine = RuleEngine(rules: rules, clockMode: .data)
            #expect(engine.compiled.allSatisfy { $0.wantsSilence == isRecognised }, "\(text)")
        }
    }

    @Test(arguments: [UInt64(1), 2, 3, 4, 5, 6], [RuleEngine.ClockMode.data, .wall])
    func saysWhatTheEvaluatorSays(seed: UInt64, clock: RuleEngine.ClockMode) throws {
        print("silence: seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let store = MemorySeries()
        let reader = SilenceReader(base: store, channels: Self.channels)
        let engines = try ["== 1", ">= 1"]
            .map { text in
                RuleEngine(rules: try RuleFileLoader().parse(Self.rules(text)), clockMode: clock) { _ in Self.channels }
            }
        var now: Int64 = 1000
        var transitions = 0
        for position in 1...400 {
            now += Int64.random(in: 0..<20, using: &random) == 0 ? Int64.random(in: 9...40, using: &random) : 2
            var samples: [AppliedSample] = []
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let position = Int.random(in: 0..<5, using: &random) == 0 ? "down" : "up"
                let lag = Int.random(in: 0..<8, using: &random) == 0 ? Int64.random(in: -9...9, using: &random) : 0
                let labels: Labels = ["__name__": "level", "site": "a", "position": position]
                let sample = Sample(time: .minutes(now - lag), value: Double(Int.random(in: 0...3, using: &random)))
                guard store.insert(labels, sample) else { continue }
                samples.append(AppliedSample(series: SeriesKey(labels: labels), sample: sample))
            }
            let batch = AppliedBatch(
                position: JournalPosition(rawValue: Int64(position)),
                receivedAt: .minutes(now),
                content: .samples(samples)
            )
            var said: [[String]] = []
            for engine in engines {
                var found = try engine.process(batch, reader: reader)
                found += try engine.tick(wallTime: .minutes(now) + 1, reader: reader)
                said.append(found.map(DifferentialTests.line))
            }
            try #require(said[0] == said[1], "seed \(seed), batch \(position)")
            transitions += said[0].count
        }
        #expect(transitions > 4)
    }
}

/// Works out silence anew for every question.
private struct SilenceReader: SeriesReader {
    let base: MemorySeries
    let channels: [WatchedChannel]

    func select(_ request: SelectRequest) throws -> [SeriesColumns] {
        guard request.matchers.contains(where: { $0.name == Labels.metricName && $0.value == "channel_silent" }) else {
            return try self.base.select(request)
        }
        let through = request.extent.through
        return try self.channels.compactMap { channel in
            let all = SelectRequest(
                matchers: channel.matchers,
                extent: .window(after: .distantPast, through: .distantFuture),
                qualities: .all
            )
            let times = try self.base.select(all).first?.times ?? []
            guard let last = times.lastIndex(where: { $0 <= through }), let schedule = channel.schedule else {
                return nil
            }
            let next = last + 1 < times.count ? times[last + 1] : .distantFuture
            let end = times[last] + schedule.silenceLimit
            let isSilent = end <= through
            return SeriesColumns(
                labels: channel.series.with(Labels.metricName, "channel_silent"),
                times: [times[last]],
                values: [isSilent ? 1 : 0],
                marks: [.measured],
                lookback: .max / 4,
                nextChange: isSilent ? next : min(next, end)
            )
        }
    }

    func series(matching matchers: [LabelMatcher], after: Timestamp, through: Timestamp) throws -> [Labels] {
        try self.base.series(matching: matchers, after: after, through: through)
    }
}
