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

/// The list of the morning comes once a day, and a broker that is away makes nobody silent, whatever happens in between.
struct SilenceListTests {
    private static let files = [
        "models/acme/level.yaml": """
        channels: { water_level_meters: { key: level } }
        report: { every: 5m }
        """,
        "sites/g/a.yaml": """
        site: a
        name: { zh: 甲, en: A }
        kind: river
        org: office
        admin_code: "360483101"
        devices: [{ id: a-1, model: acme/level }]
        """,
        "sites/g/b.yaml": """
        site: b
        name: { zh: 乙, en: B }
        kind: river
        org: office
        admin_code: "360483101"
        devices: [{ id: b-1, model: acme/level }]
        """,
    ]
    private let start = Timestamp(rfc3339: "2024-06-20T06:00:00+08:00") ?? .distantPast

    private func inFolders(_ body: (_ data: URL, _ devices: URL) throws -> Void) throws {
        try Workbench.inFolders(Self.files, body)
    }

    private func batch(_ bench: Workbench, _ readings: [(device: String, minute: Int)]) throws -> ReadingBatch {
        let times = readings.map { self.start + Milliseconds($0.minute) * .minute }
        var batch = ReadingBatch(receivedAt: try #require(times.max()))
        batch.messages = readings.count
        for (reading, time) in zip(readings, times) {
            let refusals = bench.resolver.resolve(
                device: reading.device,
                readings: [Reading(key: "level", value: 1, time: time)],
                receivedAt: batch.receivedAt,
                into: &batch.readings
            )
            #expect(refusals.isEmpty)
        }
        return batch
    }

    private func send(_ bench: Workbench, _ device: String, minute: Int) throws {
        let batch = try self.batch(bench, [(device, minute)])
        try bench.core.process(try bench.store.commit(batch), at: batch.receivedAt)
    }

    private func tick(_ bench: Workbench, minutes: Range<Int>, brokerFault: String? = nil) throws {
        for minute in minutes {
            try bench.core.tick(at: self.start + Milliseconds(minute) * .minute, brokerFault: brokerFault)
        }
    }

    /// `06-20 08:00 silence issued a-1,b-1` of each message of the feed.
    private func messages(_ bench: Workbench) throws -> [String] {
        try bench.records.feed(after: 0).map { try $0.message() }
            .map { message in
                let time = message.eventTime.rfc3339().dropFirst(5).prefix(11).replacing("T", with: " ")
                let devices = message.silentChannels.map { " " + $0.map(\.device).joined(separator: ",") } ?? ""
                return "\(time) \(message.hazard.rawValue) \(message.action)\(devices)"
            }
    }

    @Test func theListIsSentOnceInTheMorningOfEachDay() throws {
        try self.inFolders { data, devices in
            let bench = try Workbench(data, now: self.start, clock: .wall, devices: devices)
            try self.send(bench, "a-1", minute: 0)
            try self.send(bench, "b-1", minute: 0)
            for minute in stride(from: 5, through: 1440 + 180, by: 5) {
                try self.send(bench, "b-1", minute: minute)
                try self.tick(bench, minutes: minute..<minute + 5)
            }
            #expect(try self.messages(bench) == ["06-20 08:00 silence issued a-1", "06-21 08:00 silence issued a-1"])
            try bench.close()
        }
    }

    /// The process ends at any minute around 08:00, and begins again at any later one.
    @Test(arguments: [119, 120, 121, 150], [1, 2, 30, 700])
    func aStartNeitherRepeatsNorForgetsTheList(end: Int, pause: Int) throws {
        try self.inFolders { data, devices in
            var bench = try Workbench(data, now: self.start, clock: .wall, devices: devices)
            try self.send(bench, "a-1", minute: 0)
            try self.tick(bench, minutes: 1..<end)
            try bench.close()
            let again = end + pause
            bench = try Workbench(data, now: self.start + Milliseconds(again) * .minute, clock: .wall, devices: devices)
            try self.tick(bench, minutes: again..<again + 10)
            let found = try self.messages(bench)
            #expect(found.count == 1 && found[0].hasSuffix("silence issued a-1"), "\(found)")
            try bench.close()
        }
    }

    @Test func anEmptyMorningIsNotMadeUpForLater() throws {
        try self.inFolders { data, devices in
            var bench = try Workbench(data, now: self.start, clock: .wall, devices: devices)
            for minute in stride(from: 0, through: 130, by: 5) {
                try self.send(bench, "a-1", minute: minute)
                try self.tick(bench, minutes: minute..<minute + 5)
            }
            try self.tick(bench, minutes: 135..<200)
            #expect(bench.core.book.active.count == 1)
            try bench.close()
            bench = try Workbench(data, now: self.start + 200 * .minute, clock: .wall, devices: devices)
            try self.tick(bench, minutes: 200..<210)
            #expect(try self.messages(bench).isEmpty)
            try bench.close()
        }
    }

    /// Both report until 07:00; the broker is away until 09:00, and nothing of that time ever comes.
    @Test(arguments: [false, true])
    func aBrokerThatIsAwayIsOneWarning(restarts: Bool) throws {
        try self.inFolders { data, devices in
            var bench = try Workbench(data, now: self.start, clock: .wall, devices: devices)
            func report(_ minutes: Range<Int>) throws {
                for minute in minutes {
                    if minute % 5 == 0 {
                        try self.send(bench, "a-1", minute: minute)
                        try self.send(bench, "b-1", minute: minute)
                    }
                    try self.tick(bench, minutes: minute..<minute + 1)
                }
            }
            try report(0..<61)
            try self.tick(bench, minutes: 61..<120, brokerFault: "connection refused")
            if restarts {
                try bench.close()
                bench = try Workbench(data, now: self.start + 120 * .minute, clock: .wall, devices: devices)
            }
            try self.tick(bench, minutes: 120..<180, brokerFault: "connection refused")
            try self.tick(bench, minutes: 180..<181)
            try report(181..<240)
            #expect(try self.messages(bench) == ["06-20 07:02 system issued", "06-20 09:00 system ended"])
            #expect(bench.core.book.active.isEmpty, "nobody was silent")
            let issued = try #require(try bench.records.feed(after: 0).first).message()
            #expect(issued.headline.zh == "[演练] 全平台系统告警：消息代理（MQTT）无法连接，收不到读数（connection refused）")
            // Who is silent then is missed as ever.
            try self.tick(bench, minutes: 240..<260)
            #expect(bench.core.book.active.map(\.identity.site) == ["a", "b"])
            try bench.close()
        }
    }

    @Test func aShortRestartOfTheBrokerIsNoWarning() throws {
        try self.inFolders { data, devices in
            let bench = try Workbench(data, now: self.start, clock: .wall, devices: devices)
            for second in 0..<300 {
                let fault = second % 100 < 55 ? "no subscription yet" : nil
                try bench.core.tick(at: self.start + Milliseconds(second) * .second, brokerFault: fault)
            }
            #expect(try self.messages(bench).isEmpty)
            try bench.close()
        }
    }

    /// In `--clock data`: one batch or many, the lists are the same.
    @Test(arguments: [1, 7, 1000])
    func theDaysOfTheDataHaveTheirLists(batchSize: Int) throws {
        try self.inFolders { data, devices in
            let bench = try Workbench(data, now: self.start, clock: .data, devices: devices)
            // Silent from 07:10 to 10:20 of the second day, and from 08:15 of the third day on.
            var readings = (0..<300).map { (device: "a-1", minute: $0 * 5) }
            readings += (340...600).map { (device: "a-1", minute: $0 * 5) } + [("a-1", 5 * 1440)]
            while !readings.isEmpty {
                let part = try self.batch(bench, Array(readings.prefix(batchSize)))
                readings.removeFirst(min(batchSize, readings.count))
                try bench.core.process(try bench.store.commit(part), at: self.start)
            }
            #expect(try self.messages(bench) == ["06-21 08:00 silence issued a-1", "06-24 08:00 silence issued a-1"])
            try bench.close()
        }
    }

    @Test func aClockAdvanceHasTheNewestListOnly() throws {
        try self.inFolders { data, devices in
            let bench = try Workbench(data, now: self.start, clock: .data, devices: devices)
            try self.send(bench, "a-1", minute: 0)
            for (days, expected) in [(0.5, 1), (0.5, 1), (300, 2)] as [(Double, Int)] {
                let to = self.start + Milliseconds(days * 86_400_000)
                try bench.core.process(
                    try bench.store.commitClockAdvance(site: "a", to: to, at: self.start),
                    at: self.start
                )
                #expect(try self.messages(bench).count == expected)
            }
            #expect(try self.messages(bench).last == "04-15 08:00 silence issued a-1")
            try bench.close()
        }
    }
}
