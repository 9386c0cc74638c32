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

/// What a device reports while work is done on it is kept and warns nobody.
struct MaintenanceTests {
    private static let files = [
        "models/acme/gauge.yaml": """
        channels:
          rainfall_accumulated_millimeters: { key: total }
          battery_volts: { key: battery }
        report: { every: 10m }
        """,
        "sites/g/hill.yaml": """
        site: hill
        name: { zh: 山, en: Hill }
        kind: rain
        thresholds:
          - { hazard: rain, level: blue, value: 20, window: 1h, valid_from: 2020-01-01, authority: a, source: s, confidence: demo }
        devices: [{ id: hill-1, model: acme/gauge }]
        """,
    ]

    /// Runs the rules on a folder; `work` puts the gauge under maintenance from 10:12 to 11:12 beforehand.
    private func withBench(work: Bool, _ body: (_ data: URL, _ devices: URL) throws -> Void) throws {
        try Workbench.inFolders(Self.files) { data, devices in
            if work {
                let records = try CatalogStore(path: DataDirectory(path: data.path).catalog)
                let start = Self.time(12)
                let row = MaintenanceRow(
                    device: "hill-1",
                    start: start,
                    end: start + .hour,
                    who: "李工",
                    via: "socket",
                    note: "注水试验",
                    enteredAt: start
                )
                #expect(try records.begin(row) == 1)
                try records.close()
            }
            try body(data, devices)
        }
    }

    /// A minute after 10:00 on 20 June 2024.
    private static func time(_ minute: Int) -> Timestamp {
        Timestamp(milliseconds: 1_718_848_800_000) + Milliseconds(minute) * .minute
    }

    private func send(_ bench: Workbench, _ total: Double, minute: Int) throws {
        let time = Self.time(minute)
        var batch = ReadingBatch(receivedAt: time)
        let refusals = bench.resolver.resolve(
            device: "hill-1",
            readings: [Reading(key: "total", value: total, time: time)],
            receivedAt: time,
            into: &batch.readings
        )
        #expect(refusals.isEmpty)
        try bench.core.process(try bench.store.commit(batch), at: time)
    }

    private func depths(_ bench: Workbench, _ qualities: QualitySet) throws -> [Double] {
        let request = SelectRequest(
            matchers: [LabelMatcher("__name__", equals: "rainfall_millimeters")],
            extent: .window(after: .distantPast, through: .distantFuture),
            qualities: qualities
        )
        return try bench.store.reader.select(request).first?.values ?? []
    }

    private func messages(_ bench: Workbench) throws -> [String] {
        try bench.records.feed(after: 0).map { try $0.message() }
            .map { "\($0.hazard.rawValue) \($0.action) \($0.level)" }
    }

    /// 30 mm of test water between 10:10 and 10:20; 0.2 mm of rain at 11:30.
    ///
    /// With a start before every reading, or with none.
    @Test(arguments: [(true, false), (true, true), (false, false)])
    func testWaterWarnsNobody(work: Bool, restarts: Bool) throws {
        try self.withBench(work: work) { data, devices in
            var bench = try Workbench(data, now: Self.time(0), clock: .wall, devices: devices)
            let totals = [0: 100.0, 10: 100.0, 90: 130.2]
            for minute in stride(from: 0, through: 90, by: 10) {
                if restarts {
                    try bench.close()
                    bench = try Workbench(data, now: Self.time(minute), clock: .wall, devices: devices)
                }
                try self.send(bench, totals[minute] ?? 130, minute: minute)
            }
            #expect(try self.messages(bench).prefix(1) == (work ? [] : ["rain issued blue"]))
            // That of 11:20 tells of the time before 11:12, too.
            #expect(try self.depths(bench, .trusted) == (work ? [0, 0, 0.2] : [0, 0, 30, 0, 0, 0, 0, 0, 0, 0.2]))
            #expect(try self.depths(bench, QualitySet(.missing)) == (work ? [30, 0, 0, 0, 0, 0, 0] : []))
            try bench.close()
        }
    }

    /// The gauge is switched off at 10:12 and not switched on again.
    @Test func aDeviceIsNotCalledSilentWhileWorkIsDone() throws {
        try self.withBench(work: true) { data, devices in
            let bench = try Workbench(data, now: Self.time(0), clock: .wall, devices: devices)
            for minute in stride(from: 0, through: 10, by: 10) { try self.send(bench, 100, minute: minute) }
            // The limit of a gauge that reports every 10 minutes is 20, from the end of the work on.
            for minute in 11..<92 { try bench.core.tick(at: Self.time(minute)) }
            #expect(bench.core.book.active.isEmpty)
            try bench.core.tick(at: Self.time(92))
            #expect(bench.core.book.active.map(\.identity.hazard) == [.silence])
            try bench.close()
        }
    }

    @Test func workThatEndsEarlyEndsTheSparing() throws {
        try self.withBench(work: true) { data, devices in
            let bench = try Workbench(data, now: Self.time(0), clock: .wall, devices: devices)
            for minute in stride(from: 0, through: 10, by: 10) { try self.send(bench, 100, minute: minute) }
            for minute in 11..<40 { try bench.core.tick(at: Self.time(minute)) }
            #expect(try !bench.records.endMaintenance(of: "hill-2", at: Self.time(30), by: "李工"))
            #expect(try bench.records.endMaintenance(of: "hill-1", at: Self.time(30), by: "李工"))
            bench.resolver.replace(maintenance: try bench.records.maintenanceWindows())
            bench.core.lookAtChannels(at: Self.time(40))
            for minute in 40..<50 { try bench.core.tick(at: Self.time(minute)) }
            #expect(bench.core.book.active.isEmpty)
            for minute in 50..<52 { try bench.core.tick(at: Self.time(minute)) }
            #expect(bench.core.book.active.map(\.identity.hazard) == [.silence])
            #expect(try bench.records.maintenance(limit: 9).map(\.endedBy) == ["李工"])
            try bench.close()
        }
    }
}
