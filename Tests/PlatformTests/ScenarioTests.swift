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

/// Nights that somebody on duty had, with the rules as they are shipped.
struct ScenarioTests {
    private static let files = [
        "models/acme/level.yaml": """
        channels: { water_level_meters: { key: level } }
        report: { every: 5m }
        """,
        "models/acme/gauge.yaml": """
        channels: { rainfall_accumulated_millimeters: { key: total } }
        report: { every: 1h }
        """,
        "sites/g/creek.yaml": """
        site: creek
        name: { zh: 溪, en: Creek }
        kind: river
        thresholds:
          - { hazard: flood, level: blue, value: 1.50, valid_from: 2020-01-01, authority: a, source: s, confidence: demo }
          - { hazard: flood, level: orange, value: 2.00, valid_from: 2020-01-01, authority: a, source: s, confidence: demo }
        devices: [{ id: creek-1, model: acme/level }]
        """,
        "sites/g/well.yaml": """
        site: well
        name: { zh: 井, en: Well }
        kind: river
        devices: [{ id: well-1, model: acme/level, installed: 2024-06-20 }]
        """,
        "sites/g/hill.yaml": """
        site: hill
        name: { zh: 山, en: Hill }
        kind: rain
        devices: [{ id: hill-1, model: acme/gauge }]
        """,
    ]

    /// A folder for data, and one of devices.
    private func inFolders(_ body: (_ data: URL, _ devices: URL) throws -> Void) throws {
        try Workbench.inFolders(Self.files, body)
    }

    private static func time(_ text: String) throws -> Timestamp {
        try #require(Timestamp(rfc3339: text, defaultOffsetMinutes: Timestamp.chinaOffsetMinutes))
    }

    private func send(
        _ bench: Workbench,
        _ device: String,
        _ key: String,
        _ value: Double,
        at time: Timestamp,
        method: Telemetry.Method = .measured
    ) throws {
        var batch = ReadingBatch(receivedAt: time)
        batch.messages = 1
        let refusals = bench.resolver.resolve(
            device: device,
            readings: [Reading(key: key, value: value, time: time, method: method)],
            receivedAt: time,
            into: &batch.readings
        )
        #expect(refusals.isEmpty)
        try bench.core.process(try bench.store.commit(batch), at: time)
    }

    /// `02:40 flood issued blue 1.52`, of each message of a site.
    private func messages(_ bench: Workbench, of site: String) throws -> [String] {
        try bench.records.feed(after: 0).map { try $0.message() }.filter { $0.site.id == site }
            .map { message in
                let time = message.eventTime.rfc3339().dropFirst(11).prefix(5)
                let value = message.value.map { " \($0)" } ?? ""
                return "\(time) \(message.hazard.rawValue) \(message.action) \(message.level)\(value)"
            }
    }

    /// 0.95 m at 02:25, 1.52 m at 02:40, then nothing; at 03:10 somebody reads 2.05 m off the staff.
    @Test func aGaugeFallsSilentInAFloodAndIsReadByHand() throws {
        try self.inFolders { data, devices in
            let start = try Self.time("2024-06-20T02:00")
            let bench = try Workbench(data, now: start, clock: .wall, devices: devices)
            let levels: [Timestamp: Double] = [
                try Self.time("2024-06-20T02:25"): 0.95, try Self.time("2024-06-20T02:40"): 1.52,
            ]
            for minute in 0..<75 {
                let now = start + Milliseconds(minute) * .minute
                if let level = levels[now] { try self.send(bench, "creek-1", "level", level, at: now) }
                if minute == 70 { try self.send(bench, "creek-1", "level", 2.05, at: now, method: .manual) }
                try bench.core.tick(at: now)
            }
            let found = try self.messages(bench, of: "creek")
            let flood = found.filter { $0.contains(" flood ") }
            #expect(flood.first == "02:40 flood issued blue 1.52")
            #expect(flood.contains { $0.contains("amended blue 1.52") }, "held while nobody knows")
            #expect(flood.contains("03:10 flood raised orange 2.05"))
            #expect(!flood.contains { $0.contains(" lowered ") || $0.contains(" ended ") })
            // The level is above a threshold: the duty is called at once, and not with the list of the morning.
            #expect(found.contains("02:55 silence issued notice"))
            let silence = try bench.records.feed(after: 0).map { try $0.message() }
                .first { $0.hazard == .silence && $0.site.id == "creek" }
            #expect(silence?.headline.zh.contains("最后水位距阈值 1.50 m 不足 1 m 或已超过") ?? false)
            try bench.close()
        }
    }

    /// Installed at 00:00; the service starts at 02:00.
    ///
    /// It calls nothing silent for two minutes, and nobody at night.
    @Test func aDeviceThatNeverReportsIsMissedUntilItDoes() throws {
        try self.inFolders { data, devices in
            let start = try Self.time("2024-06-20T02:00")
            let bench = try Workbench(data, now: start, clock: .wall, devices: devices)
            for minute in 0..<2 { try bench.core.tick(at: start + Milliseconds(minute) * .minute) }
            #expect(bench.core.book.active.isEmpty)
            for minute in 2..<360 { try bench.core.tick(at: start + Milliseconds(minute) * .minute) }
            #expect(bench.core.book.active.map(\.identity.site) == ["well"])
            #expect(bench.core.book.active.map(\.latest) == [nil])
            #expect(try self.messages(bench, of: "creek").isEmpty, "nobody knows since when it should report")
            #expect(try bench.records.feed(after: 0).isEmpty)
            for minute in 360..<365 { try bench.core.tick(at: start + Milliseconds(minute) * .minute) }
            #expect(try self.messages(bench, of: "") == ["08:00 silence issued notice"])
            try self.send(bench, "well-1", "level", 3, at: start + 365 * .minute)
            #expect(bench.core.book.active.map(\.isList) == [true])
            #expect(try self.messages(bench, of: "well").isEmpty)
            try bench.close()
        }
    }

    /// 1.60 m at 12:05 between two readings of 1.00 m; then 12:05 comes again, as 1.20 m.
    ///
    /// With a start before every reading, or with none.
    @Test(arguments: [false, true])
    func aFloodThatIsOverAndNeverWasIsWithdrawn(restarts: Bool) throws {
        try self.inFolders { data, devices in
            var bench = try Workbench(data, now: try Self.time("2024-06-20T12:00"), devices: devices)
            let readings = [("12:00", 1.0), ("12:05", 1.6), ("12:10", 1.0), ("12:05", 1.2)]
            for (minute, value) in readings {
                if restarts {
                    try bench.close()
                    bench = try Workbench(data, now: try Self.time("2024-06-20T12:10"), devices: devices)
                }
                try self.send(bench, "creek-1", "level", value, at: try Self.time("2024-06-20T\(minute)"))
            }
            let flood = try self.messages(bench, of: "creek").filter { $0.contains(" flood ") }
            #expect(
                flood == ["12:05 flood issued blue 1.6", "12:10 flood ended blue 1.0", "12:10 flood cancelled blue"]
            )
            let number = try #require(try bench.records.warnings().first { $0.hazard == "flood" }).number
            #expect(try bench.records.ledger(number: number).map(\.fact.kind) == ["issued", "ended", "cancelled"])
            try bench.close()
        }
    }

    /// 1.60 m, and a reading of 1.90 m between them that comes last of all.
    @Test(arguments: [[1.6, 1.6], [1.6, 1.0]])
    func aHigherLevelThatComesLateIsTold(levels: [Double]) throws {
        try self.inFolders { data, devices in
            let bench = try Workbench(data, now: try Self.time("2024-06-20T12:00"), devices: devices)
            try self.send(bench, "creek-1", "level", levels[0], at: try Self.time("2024-06-20T12:00"))
            try self.send(bench, "creek-1", "level", levels[1], at: try Self.time("2024-06-20T12:10"))
            try self.send(bench, "creek-1", "level", 1.9, at: try Self.time("2024-06-20T12:05"))
            let last = try #require(
                try bench.records.feed(after: 0).map { try $0.message() }.last { $0.hazard == .flood }
            )
            #expect(last.action == .amended)
            #expect(last.headline.zh.hasSuffix("更正：峰值 1.90 m（2024-06-20 12:05），非 1.60 m"))
            #expect(try bench.records.ledger(number: last.number).map(\.fact.kind).last == "amended")
            try bench.close()
        }
    }

    /// A counter shows 1204.0 mm at 20:00 and 1264.5 mm at 02:00, and nothing in between.
    ///
    /// With a start before every reading, or with none.
    @Test(arguments: [false, true])
    func aCounterComesBackWithTheRainOfSixHours(restarts: Bool) throws {
        try self.inFolders { data, devices in
            let readings: [(String, Double)] = [
                ("2024-06-20T18:00", 1203.0), ("2024-06-20T19:00", 1203.5), ("2024-06-20T20:00", 1204.0),
                ("2024-06-21T02:00", 1264.5), ("2024-06-21T03:00", 1264.5),
            ]
            var bench = try Workbench(data, now: try Self.time("2024-06-20T18:00"), devices: devices)
            for (text, value) in readings {
                if restarts {
                    try bench.close()
                    bench = try Workbench(data, now: try Self.time(text), devices: devices)
                }
                try self.send(bench, "hill-1", "total", value, at: try Self.time(text))
            }
            let depths = try bench.store.reader.select(
                SelectRequest(
                    matchers: [LabelMatcher("__name__", equals: "rainfall_millimeters")],
                    extent: .window(after: .distantPast, through: .distantFuture),
                    qualities: .all
                )
            )
            #expect(depths.map(\.values) == [[0, 0.5, 0.5, 60.5, 0]])
            #expect(depths.first?.marks.map(\.method) == [.measured, .measured, .measured, .gapTotal, .measured])
            let rain = try self.messages(bench, of: "hill").filter { $0.contains(" rain ") }
            #expect(rain.first == "02:00 rain issued yellow 60.5")
            #expect(!rain.contains { $0.contains("orange") }, "of the last three hours nobody knows")
            try bench.close()
        }
    }
}
