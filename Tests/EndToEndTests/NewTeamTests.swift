// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry
import TestSupport
import Testing

/// A new team's day: a hundred devices from a list with mistakes to their first readings, two hours that are filled in, test
/// water, a new radar, and devices that try what is not theirs.
struct NewTeamTests {
    /// Devices that are registered in the end.
    private static let registered = 10_000

    @Test(.timeLimit(.minutes(10)))
    func aHundredDevicesReportBeforeLunch() async throws {
        try await NewTeam.with { team in
            try await self.theListIsTakenWhenItsMistakesAreMended(team)
            let accounts = try await team.makeAccounts("--missing")
            #expect(accounts.count == 100)
            let gateway = try await team.makeAccounts("--gateway", "sl651-gateway")
            let server = try await team.makeAccounts("--network-server", "chirpstack")
            let chirpstack = try #require(server["chirpstack"])
            let field = try await NewTeamField(
                team,
                gateway: try #require(gateway["sl651-gateway"]),
                networkServer: chirpstack
            )
            try await self.firstReadingsAreSeen(team, field)
            try await self.twoHoursAreFilledIn(team, field)
            try await self.aFrameOfAnotherStationIsRefused(team, try #require(accounts["rtu-2"]))
            try await self.theListComesOutAsItWentIn(team)
            try await self.testWaterWarnsNobodyWhereItWasAnnounced(team, field)
            try await self.aNewRadarShowsTheSameWater(team)

            // All hundred report on, while ten thousand are registered and devices try what is not theirs.
            let reporting = Task { try await field.reportOn() }
            defer { reporting.cancel() }
            try await self.theOthersAreRegistered(team)
            let stored = try await team.counter("stored")
            try await self.aDeviceIsNobodyButItself(
                team,
                try #require(accounts["rtu-50"]),
                try #require(accounts["rtu-51"]),
                chirpstack
            )
            #expect(try await team.counter("stored") > stored, "ingest has stood still")
            reporting.cancel()
            let rounds = try await reporting.value
            try await self.whatWasConfirmedIsThere(team, rounds)
            let counts = try await field.gateway.stop()
            let forwarded = NewTeam.stations * (rounds + 1) + 3 + 6
            #expect(
                counts["forwarded"] as? Int == forwarded && counts["confirmed"] as? Int == forwarded + 1,
                "\(counts)"
            )
            #expect(counts["repeated"] as? Int == 1)
        }
    }

    private func theListIsTakenWhenItsMistakesAreMended(_ team: NewTeam) async throws {
        let first = try await team.importDevices(NewTeam.list(mistakes: true))
        let wrong = first.rows.filter { $0["verdict"] as? String == "error" }
        try #require(first.status == 1 && wrong.map { $0["row"] as? Int } == [9, 35, 67], "\(wrong)")
        let problems = wrong.map { $0["problems"] as? String ?? "" }
        #expect(problems[0].hasPrefix("model: there is no model 'generic/sl615'; there are"), "\(problems)")
        #expect(problems[1].hasPrefix("address: '62300032' is the address of device 'rtu-32'"), "\(problems)")
        #expect(problems[2].hasPrefix("address: '24E124126B00000' is no DevEUI"), "\(problems)")
        let second = try await team.importDevices(NewTeam.list(mistakes: false))
        let verdicts = Dictionary(grouping: second.rows) { $0["verdict"] as? String ?? "" }.mapValues(\.count)
        #expect(verdicts == ["created": 3, "unchanged": 97], "\(second.text.suffix(300))")
    }

    /// Each station is told that its message has arrived when the broker has it, and not before.
    private func firstReadingsAreSeen(_ team: NewTeam, _ field: NewTeamField) async throws {
        field.send(19_000, of: 0, at: NewTeam.start, serial: 1)
        try await field.confirmed(0, serial: 1)
        team.broker.process.signal(SIGSTOP)
        for number in 1..<NewTeam.stations { field.send(19_000, of: number, at: NewTeam.start, serial: 1) }
        try await field.gateway.event("station_heard", times: NewTeam.stations)
        for number in 1..<NewTeam.stations {
            let answer = try await field.stations[number].answer(within: number == 1 ? 1 : 0)
            #expect(answer == nil, "rtu-\(number): the broker has said nothing yet")
        }
        team.broker.process.signal(SIGCONT)
        for number in 1..<NewTeam.stations { try await field.confirmed(number, serial: 1) }

        for number in 0..<NewTeam.nodes {
            try await field.server.pass(
                NewTeamField.example,
                of: NewTeam.eui(number),
                at: NewTeam.start.rfc3339()
            )
        }
        try await eventually("a hundred first readings") {
            let devices = try await team.poyang("devices", "list").rows
            return devices.count == 100 && devices.allSatisfy { $0["state"] as? String == "reporting" }
        }
        #expect(try await team.service.samples(of: "soil_moisture_percent", at: "field-3").map(\.value) == [57.5])
        let show = try await PoyangProcess.run([
            "devices", "register", "rtu-3", "--model", "generic/sl651", "--site", "creek-3", "--data", team.data.path,
        ])
        #expect(show.output.contains("first data 19 m at 16:00"), "\(show.output)\(show.errors)")
    }

    /// The gateway asks for what is missing; over Beidou the station sends some of it by itself.
    private func twoHoursAreFilledIn(_ team: NewTeam, _ field: NewTeamField) async throws {
        let (start, back) = (NewTeam.start, NewTeam.start + 2 * .hour)
        let (stored, duplicates) = (try await team.counter("stored"), try await team.counter("duplicates"))
        let levels = (0...24).map { (step: Int) -> Int in 19_000 + step * 5 }
        let station = field.stations[NewTeamField.lost]
        field.send(levels[24], of: NewTeamField.lost, at: back, serial: 2)
        #expect(try #require(try await station.answer()).end == 0x1B, "stay on line")
        let question = try #require(try await station.answer())
        #expect(question.function == 0x38 && question.end == 0x05)
        let asked = FieldStation.time(start, 8) + FieldStation.time(back, 8) + "0418" + "000005" + "3923"
        #expect(hexText(question.body.dropFirst(8)) == asked)
        let body =
            "\(FieldStation.head(3, back)) F1F1 \(station.address) F0F0 \(FieldStation.time(start, 10)) 0418000005 3923"
            + levels.map { FieldStation.digits($0, 8) }.joined()
        let bytes = hex(body)
        station.send(station.frame(0x38, hexText(bytes[..<60]), packet: (1, 2), end: 0x17))
        station.send(station.frame(0x38, hexText(bytes[60...]), packet: (2, 2)))
        #expect(try #require(try await station.answer()).packetText == "2/2")
        try await field.gateway.event("filled")

        let satellite = try FieldStation(station.address, port: field.gateway.port)
        satellite.send(satellite.levels(serial: 2, sent: back, observed: back, [levels[24]]))
        #expect(try #require(try await satellite.answer()).function == 0x32)
        let lastHour = satellite.levels(
            0x31,
            serial: 4,
            sent: back,
            observed: start + 65 * .minute,
            Array(levels[13...])
        )
        satellite.send(lastHour)
        #expect(try #require(try await satellite.answer()).function == 0x31)

        // Two of the answer and the twelve of the last hour were there.
        try await eventually("the second of each") { try await team.counter("duplicates") == duplicates + 2 + 12 }
        #expect(try await team.counter("stored") == stored + 24)
        let seen = try await team.service.samples(of: "water_level_meters", at: "creek-\(NewTeamField.lost)")
        #expect(seen.map(\.value) == levels.map { Double($0) / 1000 })
        #expect(field.gateway.events("asked").count == 1)
    }

    /// Also where who sends it may publish on its own topic.
    private func aFrameOfAnotherStationIsRefused(_ team: NewTeam, _ account: NewTeam.Account) async throws {
        let frame = Self.frame(3, 19_000, at: NewTeam.start + 5 * .minute)
        #expect(
            try await SecuredBroker.publish(
                frame,
                to: "poyang/v1/devices/rtu-2/sl651",
                as: account,
                at: team.broker.plainURL
            )
        )
        try await eventually("a quarantined frame") {
            try await team.poyang("quarantine", "list", "--device", "rtu-2").text.contains("wrong_address")
        }
    }

    private func theListComesOutAsItWentIn(_ team: NewTeam) async throws {
        let copy = team.folder.appending(path: "copy.csv")
        let export = try await PoyangProcess.run([
            "devices", "export", "--output", copy.path, "--data", team.data.path,
        ])
        #expect(export.status == 0, "\(export.errors)")
        let again = try await team.poyang("devices", "import-csv", copy.path)
        #expect(again.rows.count == 100 && again.rows.allSatisfy { $0["verdict"] as? String == "unchanged" })
    }

    /// 30 mm in ten minutes, at two stations; one of them is under maintenance.
    private func testWaterWarnsNobodyWhereItWasAnnounced(_ team: NewTeam, _ field: NewTeamField) async throws {
        let list = team.folder.appending(path: "thresholds.csv")
        try Data(NewTeam.thresholds.utf8).write(to: list)
        #expect(try await team.poyang("sites", "import-thresholds", list.path).status == 0)
        func rain(_ tenths: Int, minute: Int, serial: Int) async throws {
            let time = NewTeam.start + Milliseconds(minute) * .minute
            for number in [40, 41] { field.sendRain(tenths, of: number, at: time, serial: serial) }
            for number in [40, 41] { try await field.confirmed(number, serial: serial) }
        }
        try await rain(1000, minute: 5, serial: 2)
        try await eventually("both counters") {
            let metric = "rainfall_accumulated_millimeters"
            return try await team.poyang("query", metric, "--at", "2022-06-21 16:05").rows.count == 2
        }
        let work = try await team.poyang("devices", "maintenance", "rtu-40", "--for", "1h", "--by", "李工")
        #expect(work.status == 0, "\(work.text)")
        try await rain(1150, minute: 10, serial: 3)
        try await rain(1300, minute: 15, serial: 4)
        try await eventually("a warning") { try await team.poyang("warnings", "list", "--active").rows.count == 1 }
        try await team.service.settled(messages: try await team.counter("messages"))
        let warned = try await team.poyang("warnings", "list", "--active").rows.map { $0["site"] as? String }
        #expect(warned == ["creek-41"])
    }

    /// The new one hangs 32 mm higher and shows so much less of the same water.
    private func aNewRadarShowsTheSameWater(_ team: NewTeam) async throws {
        func command(_ arguments: [String]) async throws {
            let run = try await PoyangProcess.run(arguments + ["--data", team.data.path])
            #expect(run.status == 0, "\(arguments): \(run.errors)")
        }
        func level(_ device: String, _ meters: Double, minute: Int) async throws {
            let account = try #require(try await team.makeAccounts(device)[device])
            let json = #"{"ts":"2022-06-21T16:\#(minute):00+08:00","values":{"level":\#(meters)}}"#
            try await eventually("the level of \(device)") {
                try await SecuredBroker.publish(
                    Array(json.utf8),
                    to: "poyang/v1/devices/\(device)/telemetry",
                    as: account,
                    at: team.broker.plainURL
                )
            }
        }
        try await command([
            "devices", "register", "radar-1", "--model", "acme/radar", "--site", "weir", "--site-name", "堰", "--kind",
            "river", "--zero", "21.430",
        ])
        try await level("radar-1", 2.000, minute: 50)
        try await command(["devices", "replace", "radar-1", "--with", "radar-2", "--zero", "21.462", "--by", "李工"])
        try await level("radar-2", 1.969, minute: 55)
        try await eventually("two levels") {
            try await team.service.samples(of: "water_level_meters", at: "weir").count == 2
        }
        let levels = try await team.service.samples(of: "water_level_meters", at: "weir").map(\.value)
        #expect(levels == [23.43, 23.431] && abs(levels[1] - levels[0]) <= 0.01)
    }

    /// Those of the teams before, each with an account.
    private func theOthersAreRegistered(_ team: NewTeam) async throws {
        let already = try await team.poyang("devices", "list").rows.count
        let others = Self.registered - already
        var list = "device_id,model,site_id,site_name,kind\n"
        for number in 0..<others { list += "node-\(number),generic/json,meadow,草洲,field\n" }
        let run = try await team.importDevices(list)
        #expect(run.status == 0 && run.rows.count == others, "\(run.text.prefix(500))")
        #expect(try await team.makeAccounts("--missing").count == others)
    }

    /// A is neither B nor the network server, reads nothing, and is nobody once its account is gone.
    private func aDeviceIsNobodyButItself(
        _ team: NewTeam,
        _ a: NewTeam.Account,
        _ b: NewTeam.Account,
        _ server: NewTeam.Account
    ) async throws {
        let topic = "poyang/v1/devices/\(b.name)/sl651"
        let (plain, secure) = (team.broker.plainURL, team.broker.secureURL)
        func publish(_ payload: [UInt8], to topic: String, as user: NewTeam.Account) async throws -> Bool {
            try await SecuredBroker.publish(payload, to: topic, as: user, at: plain)
        }
        // mosquitto acknowledges what it then drops.
        let earlier = NewTeam.start - 30 * .minute
        let forged = Self.frame(51, 99_990, at: earlier)
        let uplink = NetworkServer.uplink(NewTeamField.moisture(9900), of: NewTeam.eui(9), at: earlier.rfc3339())
        #expect(try await publish(forged, to: topic, as: a))
        #expect(try await publish(forged, to: topic, as: server))
        #expect(try await publish(uplink, to: NetworkServer.topic(NewTeam.eui(9)), as: a))
        let listener = try BareClient(port: team.broker.plain, user: a.name, password: a.password)
        #expect(listener.returnCode == 0)
        try listener.subscribe([topic, "poyang/v1/devices/#", "application/#", "#"])
        #expect(
            try await SecuredBroker.publish(
                Self.frame(51, 19_500, at: earlier + 5 * .minute),
                to: topic,
                as: b,
                at: secure,
                authority: team.broker.authority.path
            )
        )
        try await eventually("B's own level") {
            try await team.service.samples(of: "water_level_meters", at: "creek-51").map(\.value).contains(19.5)
        }
        #expect(listener.next(within: 2) == .nothing, "A reads what others send")
        let levels = try await team.service.samples(of: "water_level_meters", at: "creek-51").map(\.value)
        let soil = try await team.service.samples(of: "soil_moisture_percent", at: "field-9").map(\.value)
        #expect(!levels.contains(99.99) && !soil.contains(99))

        #expect(try await team.poyang("devices", "credentials", a.name, "--revoke").status == 0)
        #expect(listener.next(within: 20) == .end, "a connection of a revoked account ends")
        let again = try BareClient(port: team.broker.plain, user: a.name, password: a.password)
        #expect(again.returnCode != 0)
        #expect(try await !publish(Self.frame(50, 19_000, at: earlier), to: "poyang/v1/devices/rtu-50/sl651", as: a))
    }

    /// Every message that was confirmed to a station or to the network server is stored, once.
    private func whatWasConfirmedIsThere(_ team: NewTeam, _ rounds: Int) async throws {
        #expect(rounds > 0)
        // The readings of a station under maintenance are not shown; B has sent one itself.
        var levels = Dictionary(uniqueKeysWithValues: (0..<NewTeam.stations).map { ("creek-\($0)", rounds + 1) })
        levels["creek-1"] = rounds + 25
        levels["creek-51"] = rounds + 2
        let soil = Dictionary(uniqueKeysWithValues: (0..<NewTeam.nodes).map { ("field-\($0)", rounds + 1) })
        levels["weir"] = 2
        levels["creek-40"] = nil
        try await eventually("all that was confirmed") {
            let seen = try await team.counts("water_level_meters").filter { $0.key != "creek-40" }
            let seenOfNodes = try await team.counts("soil_moisture_percent")
            return seen == levels && seenOfNodes == soil
        }
    }

    /// A level made by a station, as it publishes it itself.
    private static func frame(_ number: Int, _ millimeters: Int, at time: Timestamp) -> [UInt8] {
        let station = "00" + NewTeam.address(number)
        return sl651Frame(
            0x32,
            hex(
                "\(FieldStation.head(1, time)) F1F1 \(station) 48 F0F0 \(FieldStation.time(time, 10)) 3923 "
                    + FieldStation.digits(millimeters, 8)
            ),
            station: station
        )
    }
}
