// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import DeviceCatalog
import Dissemination
import EarlyWarning
import Foundation
import HTTPAPI
import SeriesStorage
import Telemetry
import TestSupport
import Testing

@testable import Platform

/// Warnings by recorded series, behind the journal.
struct RecordedWarningTests {
    private static let files = [
        "models/acme/level.yaml": """
        channels: { water_level_meters: { key: level } }
        report: { every: 5m }
        """,
        "models/acme/hourly.yaml": """
        channels: { water_level_meters: { key: level } }
        report: { every: 1h }
        """,
        "sites/g/creek.yaml": """
        site: creek
        name: { zh: 溪, en: Creek }
        kind: river
        devices: [{ id: creek-1, model: acme/level }]
        """,
        "sites/g/well.yaml": """
        site: well
        name: { zh: 井, en: Well }
        kind: river
        devices: [{ id: well-1, model: acme/hourly }]
        """,
    ]

    private static let rules = """
        groups:
          - name: mine
            rules:
              - record: my:level_cm
                expr: water_level_meters * 100
              - record: one
                expr: vector(1)
              - alert: Recorded
                expr: my:level_cm > 500
                labels: { hazard: low_water }
        """

    private func withBench(
        clock: RuleEngine.ClockMode,
        _ body: (_ open: (Timestamp) throws -> Workbench) throws -> Void
    ) throws {
        try Workbench.inFolders(Self.files) { data, devices in
            let rules = data.deletingLastPathComponent().appending(path: "Rules")
            try FileManager.default.createDirectory(at: rules, withIntermediateDirectories: true)
            try Data(Self.rules.utf8).write(to: rules.appending(path: "rules.yaml"))
            try body { now in try Workbench(data, now: now, clock: clock, devices: devices, rules: rules) }
        }
    }

    private static func time(_ minute: Int) -> Timestamp { Workbench.start + Milliseconds(minute) * .minute }

    private func entry(_ bench: Workbench, _ device: String, _ value: Double, minute: Int) throws -> JournalEntry {
        let time = Self.time(minute)
        var batch = ReadingBatch(receivedAt: time)
        let refusals = bench.resolver.resolve(
            device: device,
            readings: [Reading(key: "level", value: value, time: time, isSimulated: true)],
            receivedAt: time,
            into: &batch.readings
        )
        #expect(refusals.isEmpty)
        return try bench.store.commit(batch)
    }

    private func messages(_ bench: Workbench) throws -> [String] {
        try bench.records.feed(after: 0).map { try $0.message() }
            .map { message in
                let minute = (message.eventTime - Workbench.start) / .minute
                return "\(message.action) \(minute) \(message.value ?? .nan) \(message.headline)"
            }
    }

    /// A constant level is one warning, issued with the value of its moment; the end comes with the reading that ends it.
    @Test(arguments: RuleEngine.ClockMode.allCases, [("creek-1", 5), ("well-1", 60)])
    func aConstantLevelIsOneWarning(clock: RuleEngine.ClockMode, channel: (device: String, interval: Int)) throws {
        try self.withBench(clock: clock) { open in
            let bench = try open(Self.time(0))
            for (index, value) in [4.0, 6, 6, 6, 7, 6, 4].enumerated() {
                let minute = index * channel.interval
                try bench.core.process(self.entry(bench, channel.device, value, minute: minute), at: Self.time(minute))
                try bench.processRecorded(at: Self.time(minute))
                for later in 1..<channel.interval {
                    try bench.core.tick(at: Self.time(minute + later))
                    try bench.processRecorded(at: Self.time(minute + later))
                }
            }
            let told = try self.messages(bench)
            #expect(told.count == 2, "\(told)")
            #expect(told.first?.hasPrefix("issued \(channel.interval) 600.0") == true, "\(told)")
            #expect(told.last?.hasPrefix("ended \(6 * channel.interval) 400.0") == true, "\(told)")
            #expect(told.allSatisfy { !$0.contains("迟") })
            try bench.close()
        }
    }

    /// Readings of others lie in the journal between one and what was recorded of it; a start in between changes nothing.
    @Test(arguments: [false, true])
    func whatIsRecordedIsJudgedWithItsReading(restarts: Bool) throws {
        try self.withBench(clock: .data) { open in
            var bench = try open(Self.time(0))
            for minute in stride(from: 0, through: 30, by: 5) {
                let entries = [
                    try self.entry(bench, "creek-1", minute == 15 ? 8 : 6, minute: minute),
                    try self.entry(bench, "well-1", 1, minute: minute),
                ]
                for entry in entries { try bench.core.process(entry, at: Self.time(minute)) }
                if restarts {
                    try bench.close()
                    bench = try open(Self.time(minute))
                }
                try bench.processRecorded(at: Self.time(minute))
            }
            #expect(try self.messages(bench).map { $0.prefix(14) } == ["issued 0 600.0"])
            let request = SelectRequest(
                matchers: [LabelMatcher("__name__", equals: "my:level_cm"), LabelMatcher("site", equals: "creek")],
                extent: .window(after: .distantPast, through: .distantFuture)
            )
            #expect(try bench.store.reader.select(request).first?.values == [600, 600, 600, 800, 600, 600, 600])
            try bench.close()
        }
    }

    /// As far as what is behind by no more than data without a channel may be.
    @Test func whatNeedsNoReadingIsRecordedByTheWall() throws {
        try self.withBench(clock: .wall) { open in
            let bench = try open(Self.time(0))
            for minute in 1...20 {
                try bench.core.tick(at: Self.time(minute))
                try bench.processRecorded(at: Self.time(minute))
            }
            let request = SelectRequest(
                matchers: [LabelMatcher("__name__", equals: "one")],
                extent: .window(after: .distantPast, through: .distantFuture)
            )
            let times = try bench.store.reader.select(request).first?.times ?? []
            // From the end of the time for a backlog on.
            #expect(times == (-5...13).map(Self.time))
            try bench.close()
        }
    }
}
