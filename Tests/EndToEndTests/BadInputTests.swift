// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry
import TestSupport
import Testing

/// Bad input gets a clear reason, loses nothing and never blocks the next reading.
struct BadInputTests {
    /// What the field sends, and where each value of it must end.
    private struct Case {
        let device: String
        let payload: String
        var reasons: [String] = []
        var refused = 0
        var stored = 0
        var duplicates = 0
    }

    private static let cases = [
        Case(
            device: "coop-field-1-node",
            payload: #"{"soil_moisture_percent": 31.5, "ts":1"#,
            reasons: ["malformed"],
            refused: 1
        ),
        Case(
            device: "coop-field-1-node",
            payload: #"{"ts":1700000000000,"values":{"soil_moisture_percent":31.5}}"#
                + String(repeating: " ", count: 10 << 20),
            reasons: ["too_large"],
            refused: 1
        ),
        Case(device: "nobody", payload: #"{"soil_moisture_percent": 31.5}"#, reasons: ["unknown_device"], refused: 1),
        Case(
            device: "coop-field-1-node",
            payload: #"{"ts":"2059-01-01T00:00:00Z","values":{"soil_moisture_percent":31.5}}"#,
            reasons: ["time_future"],
            refused: 1
        ),
        Case(
            device: "coop-field-1-node",
            payload: #"{"soil_moisture_percent": NaN}"#,
            reasons: ["not_a_number"],
            refused: 1
        ),
        Case(
            device: "coop-field-1-node",
            payload: #"{"soil_moisture_percent": "wet"}"#,
            reasons: ["not_a_number"],
            refused: 1
        ),
        Case(
            device: "coop-field-1-node",
            payload: #"{"ts":1700000100000,"values":{"soil_moisture_percent":31.5}}"#,
            stored: 1
        ),
        Case(
            device: "coop-field-1-node",
            payload: #"{"ts":1700000100000,"values":{"soil_moisture_percent":31.5}}"#,
            duplicates: 1
        ),
        Case(
            device: "coop-field-1-node",
            payload: #"""
                {"ts":1700000200000,"values":{"soil_moisture_percent":31.6,"air_temperature_celsius":21.5,
                "relative_humidity_percent":60,"battery_volts":"low","wind_speed_meters_per_second":1.5}}
                """#,
            reasons: ["not_a_number"],
            refused: 1,
            stored: 4
        ),
    ]

    /// Three packets of one message of SL 651, each acknowledged when it came.
    @Test(.timeLimit(.minutes(2)))
    func theLastPacketOfARefusedMessageTakesTheOthersWithIt() async throws {
        try await withTemporaryFolder { folder in
            let service = try await RunningService.start(["--embedded-broker", "--data", folder.path])
            func poyang(_ arguments: String...) async throws -> PoyangProcess.Outcome {
                try await PoyangProcess.run(arguments + ["--data", folder.path])
            }
            let packets = [
                "7E7E010012345678123432001C160030010006220621160000F1F1001234567848F0F02206211600261917569A",
                "7E7E0100123456781234320009160030020125153923001723B6",
                "7E7E010012345678123432000A160030030125003812122003286D",
            ]
            try await TestPublisher.publish(
                packets.map { ("poyang/v1/devices/rtu/sl651", Array($0.utf8)) },
                to: service.broker
            )
            try await service.settled(messages: 3)
            let registered = try await poyang(
                "devices",
                "register",
                "rtu",
                "--model",
                "generic/sl651",
                "--site",
                "xz",
                "--site-name",
                "星子",
                "--kind",
                "lake"
            )
            try #require(registered.status == 0, "\(registered.errors)")
            let first = try await poyang("quarantine", "retry", "1")
            #expect(first.status == 1 && first.errors.contains("packet 1 of 3 of one message"), "\(first)")
            let last = try await poyang("quarantine", "retry", "3")
            #expect(last.output.contains("refused 0; it is no longer in quarantine"), "\(last)")
            #expect(try await service.samples(of: "water_level_meters", at: "xz").map(\.value) == [12.5])
            #expect(try await service.samples(of: "battery_volts", at: "xz").map(\.value) == [12.2])
            let list = try await poyang("quarantine", "list", "--json")
            #expect(list.output.filter { !$0.isWhitespace } == "[]", "\(list)")
            try await service.stop()
        }
    }

    /// What it measured at the old site is no level of the new one.
    @Test(.timeLimit(.minutes(2)))
    func whatADeviceSentBeforeItWasMovedIsNotTakenInAtItsNewSite() async throws {
        try await withTemporaryFolder { folder in
            let service = try await RunningService.start(["--embedded-broker", "--data", folder.path])
            func poyang(_ arguments: String...) async throws -> PoyangProcess.Outcome {
                try await PoyangProcess.run(arguments + ["--data", folder.path])
            }
            func register(_ site: String) async throws {
                let outcome = try await poyang(
                    "devices",
                    "register",
                    "buoy",
                    "--model",
                    "generic/json",
                    "--site",
                    site,
                    "--site-name",
                    site,
                    "--kind",
                    "lake"
                )
                try #require(outcome.status == 0, "\(outcome.errors)")
            }
            let payload = #"{"ts":1700000000000,"values":{"water_level_meters":17.5}}"#
            try await TestPublisher.publish(
                [("poyang/v1/devices/buoy/telemetry", Array(payload.utf8))],
                to: service.broker
            )
            try await service.settled(messages: 1)
            try await register("old")
            try await register("new")
            let refused = try await poyang("quarantine", "retry", "1")
            #expect(refused.status == 1, "\(refused)")
            #expect(refused.errors.contains("stood at 'old' when it measured this"), "\(refused)")
            #expect(refused.errors.contains("poyang readings add old METRIC VALUE"), "\(refused)")
            #expect(try await service.status()["samples"] as? Int == 0)
            // It never stood there: a mistake in the list.
            let retired = try await poyang("devices", "retire", "buoy", "--by", "team")
            try #require(retired.status == 0, "\(retired.errors)")
            try await register("new")
            let taken = try await poyang("quarantine", "retry", "1")
            #expect(taken.output.contains("values taken 1, refused 0"), "\(taken)")
            #expect(try await service.samples(of: "water_level_meters", at: "new").map(\.value) == [17.5])
            try await service.stop()
        }
    }

    /// A node reports before somebody registers it.
    @Test(.timeLimit(.minutes(2)))
    func whatWasRefusedIsTakenInWhenTheDeviceIsKnown() async throws {
        try await withTemporaryFolder { folder in
            let service = try await RunningService.start([
                "--embedded-broker", "--data", folder.path, "--devices", "Devices", "--rules", "Rules",
            ])
            let metric = "water_temperature_celsius"
            let payloads = [
                #"{"water_temperature_celsius":18.5}"#,
                #"{"ts":1700000000000,"values":{"water_temperature_celsius":17.5,"ph":"sour"}}"#,
            ]
            try await TestPublisher.publish(
                payloads.map { ("poyang/v1/devices/late/telemetry", Array($0.utf8)) },
                to: service.broker
            )
            try await service.settled(messages: 2)
            func poyang(_ arguments: String...) async throws -> PoyangProcess.Outcome {
                try await PoyangProcess.run(arguments + ["--data", folder.path])
            }
            let list = try await poyang("quarantine", "list", "--device", "late", "--json")
            let rows = try #require(
                try JSONSerialization.jsonObject(with: Data(list.output.utf8)) as? [[String: Any]],
                "\(list.errors)"
            )
            let ids = rows.compactMap { $0["id"] as? Int }.sorted().map(String.init)
            try #require(ids.count == 2)
            let early = try await poyang("quarantine", "retry", ids[0])
            #expect(early.status == 1 && early.errors.contains("all of it is refused again"), "\(early)")

            let registered = try await poyang(
                "devices",
                "register",
                "late",
                "--model",
                "generic/json",
                "--site",
                "pond",
                "--site-name",
                "塘",
                "--kind",
                "pond"
            )
            try #require(registered.status == 0, "\(registered.errors)")
            let retried = try await poyang("quarantine", "retry", ids[0])
            #expect(retried.output.contains("values taken 1, refused 0; it is no longer"), "\(retried)")
            let samples = try await service.samples(of: metric, at: "pond")
            #expect(samples.map(\.value) == [18.5])
            let receivedAt = try #require(rows.last?["received_at"] as? String)
            let moment = samples.first.map { Timestamp(milliseconds: Int64(($0.time * 1000).rounded())) }
            #expect(moment == Timestamp(rfc3339: receivedAt), "it is of its first receipt")
            #expect(try await poyang("quarantine", "retry", ids[0]).errors.contains("there is no quarantined payload"))

            // What is still refused stays; what was taken is there once.
            for _ in 0..<2 {
                let half = try await poyang("quarantine", "retry", ids[1])
                #expect(half.output.contains("values taken 1, refused 1: ph: "), "\(half)")
            }
            #expect(try await service.samples(of: metric, at: "pond").map(\.value) == [17.5, 18.5])
            #expect(try await poyang("quarantine", "list", "--device", "late").output.contains("not_a_number"))
            try await service.stop()
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func everyValueEndsInOnePlaceWithAReason() async throws {
        try await withTemporaryFolder { folder in
            let service = try await RunningService.start([
                "--embedded-broker", "--data", folder.path, "--devices", "Devices", "--rules", "Rules",
            ])
            try await TestPublisher.publish(
                Self.cases.map { ("poyang/v1/devices/\($0.device)/telemetry", Array($0.payload.utf8)) },
                to: service.broker
            )
            try await service.settled(messages: Self.cases.count)

            let status = try await service.status()
            #expect(status["stored"] as? Int == Self.cases.reduce(0) { $0 + $1.stored })
            #expect(status["duplicates"] as? Int == Self.cases.reduce(0) { $0 + $1.duplicates })
            #expect(status["quarantined"] as? Int == Self.cases.reduce(0) { $0 + $1.refused })

            let run = try await PoyangProcess.run(["quarantine", "list", "--json", "--data", folder.path])
            let rows = try #require(
                try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [[String: Any]],
                "\(run.errors)"
            )
            let reasons = rows.compactMap { $0["reasons"] as? String }.sorted()
            #expect(reasons == Self.cases.flatMap(\.reasons).sorted())
            for row in rows {
                let detail = try #require(row["detail"] as? String)
                #expect(detail.count > 20, "an engineer should understand: \(detail)")
            }
            let large = try #require(rows.first { $0["reasons"] as? String == "too_large" })
            #expect(large["length"] as? Int ?? 0 > 10 << 20)
            #expect(rows.allSatisfy { $0["payload_hex"] is NSNull }, "all of it is text")

            let frame: [UInt8] = [0x7E, 0x7E, 0x01, 0xD0, 0xFF]
            let topic = "poyang/v1/devices/coop-field-1-node/sl651"
            try await TestPublisher.publish([(topic, frame)], to: service.broker)
            try await service.settled(messages: Self.cases.count + 1)
            let newest = try await PoyangProcess.run([
                "quarantine", "list", "--limit", "1", "--json", "--data", folder.path,
            ])
            #expect(newest.output.contains(#""payload_hex":"7e7e01d0ff""#), "\(newest.output)")
            let id = try #require(
                (try JSONSerialization.jsonObject(with: Data(newest.output.utf8)) as? [[String: Any]])?.first?["id"]
            )
            let shown = try await PoyangProcess.run(["quarantine", "show", "\(id)", "--data", folder.path])
            #expect(shown.output.hasSuffix("\n7e7e01d0ff\n"), "\(shown.output)")
            let metrics = String(decoding: try await service.get("/metrics").body, as: UTF8.self)
            #expect(metrics.contains("poyang_messages_total \(Self.cases.count + 1)\n"), "\(metrics)")
            #expect(metrics.contains(#"poyang_readings_total{outcome="quarantined",reason="not_a_number"} 3"#))
            try await service.stop()
        }
    }
}
