// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// A device from its registration to its end, by the commands that its team uses.
struct DeviceLifeTests {
    private static let radar = """
        channels: { water_level_meters: { key: level, zero: site } }
        report: { every: 5m }
        """
    private static let gauge = """
        channels: { rainfall_accumulated_millimeters: { key: total } }
        report: { every: 10m }
        """

    /// A site whose rain is compared with a threshold of 20 mm in an hour.
    private static let hill = """
        site: hill
        name: { zh: 山, en: Hill }
        kind: rain
        thresholds:
          - { hazard: rain, level: blue, value: 20, window: 1h, valid_from: 2000-01-01, authority: a, source: s, confidence: demo }
        devices: [{ id: hill-1, model: acme/gauge }]
        """

    private struct Team {
        let service: RunningService
        let data: URL
        let devices: URL

        /// Runs a command of the team; fails where it does.
        @discardableResult
        func poyang(_ arguments: String..., fails: Bool = false) async throws -> String {
            let run = try await PoyangProcess.run(arguments + ["--data", self.data.path])
            try #require((run.status == 1) == fails, "\(arguments): \(run.output)\(run.errors)")
            return fails ? run.errors : run.output
        }

        /// Registers `creek-1`, a radar whose zero lies at 21.430 m, and its site.
        @discardableResult
        func registerCreek() async throws -> String {
            try await self.poyang(
                "devices",
                "register",
                "creek-1",
                "--model",
                "acme/radar",
                "--site",
                "creek",
                "--site-name",
                "溪",
                "--kind",
                "river",
                "--zero",
                "21.430"
            )
        }

        /// Publishes a reading at a minute after 2018-08-31T22:00Z.
        func publish(_ device: String, _ key: String, _ value: Double, minute: Int) async throws {
            let json = #"{"ts":\#(1_535_752_800_000 + minute * 60_000),"values":{"\#(key)":\#(value)}}"#
            try await TestPublisher.publish(
                [("poyang/v1/devices/\(device)/telemetry", Array(json.utf8))],
                to: self.service.broker
            )
        }
    }

    private static func arguments(_ folder: URL) -> [String] {
        [
            "--embedded-broker", "--data", folder.appending(path: "data").path, "--devices",
            folder.appending(path: "Devices").path, "--clock", "data",
        ]
    }

    private func withTeam(_ body: (Team, URL) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let devices = folder.appending(path: "Devices")
            try write(["models/acme/radar.yaml": Self.radar, "models/acme/gauge.yaml": Self.gauge], below: devices)
            let service = try await RunningService.start(Self.arguments(folder))
            let team = Team(service: service, data: folder.appending(path: "data"), devices: devices)
            try await body(team, folder)
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func aRadarIsRegisteredSurveyedReplacedAndRetired() async throws {
        try await self.withTeam { team, _ in
            let refused = try await team.poyang(
                "devices",
                "register",
                "creek-1",
                "--model",
                "acme/rader",
                "--site",
                "creek",
                "--site-name",
                "溪",
                "--kind",
                "brook",
                fails: true
            )
            #expect(refused.contains("model: there is no model 'acme/rader'; there are acme/gauge, acme/radar"))
            #expect(refused.contains("kind: 'brook' is no kind of site"))
            let registered = try await team.registerCreek()
            #expect(registered.contains("waiting for the first reading"))
            #expect(registered.contains("poyang/v1/devices/creek-1/telemetry"))

            try await team.publish("creek-1", "level", 2.000, minute: 0)
            try await team.service.settled(messages: 1)
            let again = try await team.poyang(
                "devices",
                "register",
                "creek-1",
                "--model",
                "acme/radar",
                "--site",
                "creek",
                "--interval",
                "10m"
            )
            #expect(again.contains("first data 23.43 m at 06:00"), "\(again)")

            // The radar is hung 32 mm higher and shows so much less of the same water.
            let surveyed = try await team.poyang(
                "devices",
                "survey",
                "creek-1",
                "--zero",
                "21.462",
                "--by",
                "李工",
                "--source",
                "2018-17"
            )
            #expect(surveyed.contains("zero 21.43 m → zero 21.462 m (2018-17)"), "\(surveyed)")
            try await team.publish("creek-1", "level", 1.968, minute: 5)
            try await team.service.settled(messages: 2)

            let node = ["--model", "generic/json", "--site", "creek", "--address", "24-E1-24-12-6B-00-00-12"]
            let register = ["devices", "register", "node", "--data", team.data.path] + node
            #expect(try await PoyangProcess.run(register).status == 0)
            let taken = try await team.poyang(
                "devices",
                "replace",
                "creek-1",
                "--with",
                "creek-2",
                "--address",
                "24e124126b000012",
                fails: true
            )
            #expect(taken.contains("'24e124126b000012' is the address of device 'node' already"), "\(taken)")
            try await team.poyang("devices", "replace", "creek-1", "--with", "creek-2", "--by", "李工", "--note", "雷击")
            try await team.publish("creek-2", "level", 1.969, minute: 10)
            try await team.publish("creek-1", "level", 9, minute: 10)
            try await team.service.settled(messages: 4)
            let levels = try await team.service.samples(of: "water_level_meters", at: "creek").map(\.value)
            #expect(levels == [23.43, 23.43, 23.431])
            #expect(try await team.poyang("quarantine", "list", "--device", "creek-1").contains("unknown_device"))
            let shown = try await team.poyang("devices", "show", "creek-2")
            #expect(shown.contains("creek-1, zero 21.462 m: 雷击") && shown.contains("李工"), "\(shown)")

            try await team.poyang("devices", "retire", "creek-2", "--by", "李工")
            #expect(try await team.poyang("devices", "retire", "creek-2", fails: true).contains("there is no device"))
            let retired = try await team.poyang("devices", "show", "creek-2")
            #expect(retired.contains("state: retired") && retired.contains("retired by: 李工"), "\(retired)")
            let replaced = try await team.poyang("devices", "show", "creek-1")
            #expect(replaced.contains("state: replaced") && replaced.contains("replaced by: creek-2"), "\(replaced)")
            #expect(replaced.contains("by creek-2: 雷击"), "its history is there: \(replaced)")
            #expect(try await team.service.samples(of: "water_level_meters", at: "creek").count == 3, "history stays")
            try await team.service.stop()
        }
    }

    /// Somebody imports last year's list.
    @Test(.timeLimit(.minutes(3)))
    func anOldListDoesNotBringBackWhatWasReplaced() async throws {
        try await self.withTeam { team, folder in
            try await team.registerCreek()
            try await team.poyang("devices", "replace", "creek-1", "--with", "creek-2", "--by", "李工")
            let list = folder.appending(path: "old.csv")
            try Data("device_id,model,site_id\ncreek-1,acme/radar,creek\n".utf8).write(to: list)
            let run = try await PoyangProcess.run(["devices", "import-csv", list.path, "--data", team.data.path])
            #expect(run.status == 1 && run.output.contains("and 'creek-2' stands in its place"), "\(run.output)")
            #expect(run.output.contains("run `poyang devices replace creek-2 --with creek-1`"), "\(run.output)")
            #expect(try await team.poyang("devices", "show", "creek-1").contains("state: replaced"))
            try await team.poyang("devices", "replace", "creek-2", "--with", "creek-1")
            #expect(try await team.poyang("devices", "show", "creek-1").contains("state: waiting"))

            // What was merely taken out of use may come again.
            try await team.poyang("devices", "retire", "creek-1")
            let again = try await team.poyang("devices", "import-csv", list.path)
            #expect(again.contains("created") && again.contains("and is in use again"), "\(again)")
            try await team.service.stop()
        }
    }

    /// Objects that a script sends with values of the wrong kind.
    @Test(.timeLimit(.minutes(3)))
    func whatIsWrongWithAnObjectIsSaid() async throws {
        let cases = [
            (
                #"{"device_id":5,"model":"generic/sl651","site_id":"creek","address":62309999}"#, 201,
                #""address":"62309999""#
            ),
            (
                #"{"device_id":"b","model":"generic/json","name":null}"#, 400,
                "'name' should be text or a number, found null"
            ),
            (#"{"device_id":"b","model":"generic/json","name":["x"]}"#, 400, "found a list"),
            (#"{"device_id":"b","model":"generic/json","name":true}"#, 400, "found true"),
            (#"{"device_id":"b","device_id":"c","model":"generic/json"}"#, 400, "'device_id' is given twice; keep one"),
            ("{}", 400, "at least device_id, model and site_id"),
            ("[1]", 400, "at byte 0: expected an object in braces, found '['"),
            (#"{"device_id":"b" "model":1}"#, 400, "at byte 17: expected ',' or '}'"),
        ]
        try await self.withTeam { team, _ in
            try await team.registerCreek()
            let admin = try await RunningService.makeToken("admin", data: team.data).token
            for (body, status, part) in cases {
                let answer = try await team.service.send(
                    "/api/devices",
                    method: "POST",
                    token: admin,
                    body: Data(body.utf8)
                )
                #expect(answer.status == status && answer.text.contains(part), "\(body): \(answer)")
                #expect(status == 201 || answer.text.contains("detail_zh"), "\(answer)")
            }
            let long = try await team.service.send(
                "/api/devices/import",
                method: "POST",
                token: admin,
                body: Data(repeating: UInt8(ascii: "x"), count: (64 << 20) + 1)
            )
            #expect(long.status == 413 && long.text.contains("longer than 67108864 bytes"), "\(long)")
            try await team.service.stop()
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func applyPrintsAPlanAndThenDoesIt() async throws {
        try await self.withTeam { team, _ in
            try write(["sites/g/hill.yaml": Self.hill], below: team.devices)
            let plan = try await team.poyang("devices", "apply", "--dry-run")
            #expect(plan.contains("+ site hill: rain 山\n") && plan.contains("+ device hill-1: acme/gauge at hill"))
            #expect(plan.contains("would be: 1 sites"), "\(plan)")
            #expect(try await team.poyang("devices", "list").contains("no device"))
            #expect(try await team.poyang("devices", "apply").contains("applied: 1 sites, 1 devices"))
            try write(["sites/g/hill.yaml": Self.hill.replacing("value: 20", with: "value: 25")], below: team.devices)
            let changed = try await team.poyang("devices", "apply")
            #expect(
                changed.contains("~ threshold hill rain blue mm in 1h from 2000-01-01: value: 20.0 mm"),
                "\(changed)"
            )
            #expect(try await team.poyang("devices", "apply").contains("no difference"))
            #expect(try await team.poyang("devices", "retire", "hill-1", fails: true).contains("change it there"))
            try await team.service.stop()
        }
    }

    /// 30 mm of test water in ten minutes, once announced and once not.
    @Test(.timeLimit(.minutes(3)))
    func testWaterIsAnnouncedAndWarnsNobodyAlsoAfterARestart() async throws {
        try await self.withTeam { team, folder in
            try write(["sites/g/hill.yaml": Self.hill], below: team.devices)
            try await team.poyang("devices", "apply")
            try await team.publish("hill-1", "total", 100, minute: 0)
            try await team.service.settled(messages: 1)
            #expect(try await team.poyang("devices", "maintenance", "hill-1").contains("never under maintenance"))
            let begun = try await team.poyang("devices", "maintenance", "hill-1", "--for", "1h", "--by", "李工", "--json")
            #expect(begun.contains(#""until":"2018-09-01T07:00:00+08:00""#), "\(begun)")
            try await team.service.stop()

            let service = try await RunningService.start(Self.arguments(folder))
            let after = Team(service: service, data: team.data, devices: team.devices)
            try await after.publish("hill-1", "total", 130, minute: 10)
            try await service.settled(messages: 1)
            #expect(try await after.poyang("devices", "show", "hill-1").contains("state: maintenance"))
            // Every member is one that the service fills.
            let listed = try await after.poyang("devices", "list", "--json")
            #expect(listed.contains(#""state":"maintenance""#) && !listed.contains("null"), "\(listed)")
            let members = try await after.poyang("devices", "show", "hill-1", "--json")
            #expect(!members.contains("first_seen"), "\(members)")
            let quiet = try #require(try await service.json("/alerts/active")["features"] as? [[String: Any]])
            #expect(quiet.isEmpty, "\(quiet)")
            let ended = try await after.poyang("devices", "maintenance", "hill-1", "--end", "--by", "王工")
            #expect(ended.contains("ended") && ended.contains("王工"), "\(ended)")
            #expect(
                try await after.poyang("devices", "maintenance", "hill-1", "--end", fails: true).contains("not under")
            )
            // Its interval begins while work was done; the one behind it counts.
            for (index, total) in [130.2, 130.4].enumerated() {
                try await after.publish("hill-1", "total", total, minute: 20 + 10 * index)
            }
            try await service.settled(messages: 3)
            #expect(try await service.samples(of: "rainfall_millimeters", at: "hill").map(\.value) == [0, 0.2])
            try await after.publish("hill-1", "total", 160.4, minute: 40)
            try await service.settled(messages: 4)
            let features = try #require(try await service.json("/alerts/active")["features"] as? [[String: Any]])
            #expect(features.count == 1, "without an announcement it warns")

            let log = try await after.poyang(
                "devices",
                "calibration",
                "hill-1",
                "--metric",
                "rainfall_accumulated_millimeters",
                "--before",
                "9.6",
                "--after",
                "10.0",
                "--reference",
                "10",
                "--by",
                "李工",
                "--json"
            )
            #expect(log.contains(#""change":0.4"#), "\(log)")
            #expect(try await after.poyang("devices", "calibration", "hill-1").contains("李工"))
            let wrong = try await after.poyang(
                "devices",
                "calibration",
                "hill-1",
                "--metric",
                "ph",
                "--before",
                "9.6",
                "--after",
                "10.0",
                fails: true
            )
            #expect(wrong.contains("has no 'ph'"), "\(wrong)")
            try await service.stop()
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func aDeviceShowsItsFirmwareAlsoAfterARestart() async throws {
        try await self.withTeam { team, folder in
            try write(["sites/g/hill.yaml": Self.hill], below: team.devices)
            try await team.poyang("devices", "apply")
            #expect(try await !team.poyang("devices", "show", "hill-1").contains("firmware"))
            let topic = "poyang/v1/devices/hill-1/telemetry"
            let told = #"{"ts":1535752800000,"values":{"total":100,"firmware":"1.4.2"}}"#
            try await TestPublisher.publish([(topic, Array(told.utf8))], to: team.service.broker)
            try await team.service.settled(messages: 1)
            let shown = try await team.poyang("devices", "show", "hill-1")
            #expect(shown.contains("firmware: 1.4.2\nfirmware since: 2018-09-01T06:00:00+08:00\n"), "\(shown)")
            try await team.service.stop()
            let service = try await RunningService.start(Self.arguments(folder))
            let after = Team(service: service, data: team.data, devices: team.devices)
            let json = try await after.poyang("devices", "show", "hill-1", "--json")
            #expect(json.contains(#""firmware":"1.4.2","firmware_since":"2018-09-01T06:00:00+08:00""#), "\(json)")
            try await service.stop()
        }
    }

    /// It is no reading: the device still waits for its first data.
    @Test(.timeLimit(.minutes(3)))
    func aDeviceShowsWhetherItIsConnected() async throws {
        try await self.withTeam { team, folder in
            try write(["sites/g/hill.yaml": Self.hill], below: team.devices)
            try await team.poyang("devices", "apply")
            #expect(try await !team.poyang("devices", "show", "hill-1").contains("connection"))
            func say(_ word: String) async throws {
                let message = ("poyang/v1/devices/hill-1/status", Array(word.utf8))
                try await TestPublisher.publish([message], to: team.service.broker)
            }
            try await say("online")
            try await say("bogus")
            try await team.service.settled(messages: 2)
            let shown = try await team.poyang("devices", "show", "hill-1")
            #expect(shown.contains("state: waiting\n") && shown.contains("connection: online\nconnection since: 20"))
            #expect(shown.contains("reject reasons: malformed 1"), "\(shown)")
            let watch = try PoyangProcess(
                ["devices", "watch", "hill-1", "--count", "1", "--data", team.data.path],
                environment: ["LC_ALL": "C.UTF-8"]
            )
            try await eventually("the watch to begin") { watch.output.contains(" · online since 20") }
            try await say("offline")
            try await watch.waitForExit()
            #expect(watch.output.contains("/status  7 bytes, read as status\n  offline\n"), "\(watch.output)")
            #expect(!watch.output.contains("first data"))
            try await team.service.stop()
            let service = try await RunningService.start(Self.arguments(folder))
            let after = Team(service: service, data: team.data, devices: team.devices)
            let json = try await after.poyang("devices", "show", "hill-1", "--json")
            #expect(json.contains(#""connection":"offline","connection_since":"20"#), "\(json)")
            let list = try await service.ask("/api/devices").text
            #expect(list.contains(#""connection":"offline""#), "\(list)")
            try await service.stop()
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func otherHardwareUnderARetiredIdHasNotItsFirmware() async throws {
        try await self.withTeam { team, folder in
            let register = [
                "devices", "register", "creek-1", "--model", "acme/radar", "--site", "creek", "--site-name", "溪",
                "--kind", "river", "--zero", "21.430", "--data", team.data.path,
            ]
            #expect(try await PoyangProcess.run(register).status == 0)
            let told = (topic: "poyang/v1/devices/creek-1/telemetry", text: #"{"firmware":"1.4.2"}"#)
            try await TestPublisher.publish([(told.topic, Array(told.text.utf8))], to: team.service.broker)
            try await team.service.settled(messages: 1)
            #expect(try await team.poyang("devices", "show", "creek-1").contains("firmware: 1.4.2"))
            try await team.poyang("devices", "retire", "creek-1", "--by", "李工")
            #expect(try await PoyangProcess.run(register).status == 0)
            #expect(try await !team.poyang("devices", "show", "creek-1").contains("firmware"))
            try await team.service.stop()
            let service = try await RunningService.start(Self.arguments(folder))
            let after = Team(service: service, data: team.data, devices: team.devices)
            #expect(try await !after.poyang("devices", "show", "creek-1").contains("firmware"))
            let uplink = #"""
                {"end_device_ids":{"device_id":"creek-1"},"uplink_message":
                 {"received_at":"2018-09-01T06:00:00Z","version_ids":{"firmware_version":"1.0"}}}
                """#
            try await TestPublisher.publish([("v3/a@t/devices/creek-1/up", Array(uplink.utf8))], to: service.broker)
            try await eventually("what the network server says") {
                try await after.poyang("devices", "show", "creek-1").contains("firmware: 1.0")
            }
            try await service.stop()
        }
    }

    /// Somebody levels the zero two days late.
    @Test(.timeLimit(.minutes(3)))
    func aSurveyOfThePastSaysWhatKeepsTheOldZero() async throws {
        try await self.withTeam { team, _ in
            try await team.registerCreek()
            for (index, level) in [2.0, 2.0, 2.1].enumerated() {
                try await team.publish("creek-1", "level", level, minute: 5 * index)
            }
            try await team.service.settled(messages: 3)
            let hand = [
                "readings", "add", "creek", "water_level_meters", "23.5", "--at", "2018-08-31T22:12:00Z", "--by", "王工",
            ]
            let read = try await PoyangProcess.run(hand + ["--data", team.data.path])
            #expect(read.status == 0, "\(read.errors)")
            func levels() async throws -> [Double] {
                try await team.service.samples(of: "water_level_meters", at: "creek").map(\.value)
            }
            let survey = [
                "devices", "survey", "creek-1", "--zero", "21.45", "--by", "李工", "--from", "2018-08-31T22:05:00Z",
                "--data",
                team.data.path,
            ]
            let english = try await PoyangProcess.run(survey)
            #expect(english.status == 0 && english.output.contains("2 readings since then keep the old zero"))
            let since = "2018-09-01T06:05:00+08:00"
            #expect(
                english.errors.contains("note: 2 readings that were stored since \(since) keep the old zero"),
                "what a person read is not counted: \(english.errors)"
            )
            #expect(try await levels() == [23.43, 23.43, 23.53, 23.5])
            try await team.publish("creek-1", "level", 2.1, minute: 15)
            try await team.service.settled(messages: 4)
            #expect(try await levels() == [23.43, 23.43, 23.53, 23.5, 23.55])
            try await team.service.stop()
        }
    }
}
