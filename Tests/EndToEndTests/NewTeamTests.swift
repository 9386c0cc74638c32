// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// A new team's day: a hundred devices from a list with mistakes to their first readings, test water, and a new radar.
struct NewTeamTests {
    /// 60 stations that speak SL 651 and 40 nodes; with the mistakes, or without.
    private static func list(mistakes: Bool) -> String {
        var text = "device_id,model,site_id,site_name,kind,latitude,longitude,interval,address\n"
        for number in 0..<60 {
            let model = mistakes && number == 7 ? "generic/sl615" : "generic/sl651"
            let address = mistakes && number == 33 ? Self.address(32) : Self.address(number)
            text += "rtu-\(number),\(model),creek-\(number),溪\(number),river,29.1,116.2,5m,\(address)\n"
        }
        for number in 0..<40 {
            let latitude = mistakes && number == 5 ? "2912" : "29.12"
            text += "soil-\(number),generic/json,field-\(number),田\(number),field,\(latitude),116.2,10m,\n"
        }
        return text
    }

    /// As SL 502 writes it.
    private static func address(_ number: Int) -> String { String(62_300_000 + number) }

    /// A level of 19.070 m, made by a station at a moment `YYMMDDHHmm`.
    private static func frame(_ number: Int, at time: String, serial: Int = 1) -> [UInt8] {
        let station = "00" + self.address(number)
        let digits = String(serial, radix: 16, uppercase: true)
        let head = String(repeating: "0", count: 4 - digits.count) + digits
        return sl651Frame(
            0x32,
            hex("\(head) \(time)00 F1F1 \(station) 48 F0F0 \(time) 39 23 00019070"),
            station: station
        )
    }

    /// The counter of rain of a station, in tenths of a millimetre.
    private static func rain(_ number: Int, _ tenths: Int, at time: String, serial: Int) -> [UInt8] {
        let station = "00" + self.address(number)
        let total = String(repeating: "0", count: 6 - String(tenths).count) + String(tenths)
        return sl651Frame(
            0x32,
            hex("000\(serial) \(time)00 F1F1 \(station) 48 F0F0 \(time) 26 19 \(total)"),
            station: station
        )
    }

    private static let radar = """
        channels: { water_level_meters: { key: level, zero: site } }
        report: { every: 5m }
        """

    /// 20 mm in an hour are blue at two of the creeks.
    private static let thresholds = """
        site_id,hazard,level,value,window,valid_from,authority,source,confidence
        creek-40,rain,blue,20,1h,2000-01-01,县防办,汛〔2022〕3号,demo
        creek-41,rain,blue,20,1h,2000-01-01,县防办,汛〔2022〕3号,demo
        """

    @Test(.timeLimit(.minutes(5)))
    func aHundredDevicesReportBeforeLunch() async throws {
        try await withTemporaryFolder { folder in
            let broker = try await SecuredBroker(folder)
            let data = folder.appending(path: "data")
            let models = folder.appending(path: "Devices")
            try write(["models/acme/radar.yaml": Self.radar], below: models)
            let service = try await broker.serve(
                data: data,
                devices: models,
                rules: PoyangProcess.project.appending(path: "Rules/rain"),
                ["--clock", "data"]
            )
            func poyang(_ arguments: String...) async throws -> (status: Int32, rows: [[String: Any]], text: String) {
                let run = try await PoyangProcess.run(arguments + ["--json", "--data", data.path])
                let rows = try? JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [[String: Any]]
                return (run.status, rows ?? [], run.output + run.errors)
            }

            // The list, its three mistakes, and the list again.
            let file = folder.appending(path: "devices.csv")
            try Data(Self.list(mistakes: true).utf8).write(to: file)
            let first = try await poyang("devices", "import-csv", file.path)
            let wrong = first.rows.filter { $0["verdict"] as? String == "error" }
            #expect(first.status == 1 && wrong.map { $0["row"] as? Int } == [9, 35, 67], "\(wrong)")
            let problems = wrong.map { $0["problems"] as? String ?? "" }
            #expect(problems[0].hasPrefix("model: there is no model 'generic/sl615'; there are"), "\(problems)")
            #expect(problems[1].hasPrefix("address: '62300032' is the address of device 'rtu-32'"), "\(problems)")
            #expect(problems[2].hasPrefix("latitude: '2912' is no number from -90.0 to 90.0"), "\(problems)")
            try Data(Self.list(mistakes: false).utf8).write(to: file)
            let second = try await poyang("devices", "import-csv", file.path)
            let verdicts = Dictionary(grouping: second.rows) { $0["verdict"] as? String ?? "" }.mapValues(\.count)
            #expect(verdicts == ["created": 3, "unchanged": 97], "\(second.text.suffix(300))")

            // Everybody gets an account, and publishes: the stations over TCP, the nodes over TLS.
            let accounts = try await poyang("devices", "credentials", "--missing")
            var passwords: [String: String] = [:]
            for row in accounts.rows {
                passwords[try #require(row["user"] as? String)] = try #require(row["password"] as? String)
            }
            #expect(passwords.count == 100)
            let authority = broker.authority.path
            func station(_ number: Int, _ payload: [UInt8]) async throws -> Bool {
                try await SecuredBroker.publish(
                    payload,
                    to: "poyang/v1/devices/rtu-\(number)/sl651",
                    as: ("rtu-\(number)", try #require(passwords["rtu-\(number)"])),
                    at: broker.plainURL
                )
            }
            func node(_ number: Int) async throws -> Bool {
                try await SecuredBroker.publish(
                    Array(#"{"ts":"2022-06-21T16:50:00+08:00","values":{"soil_moisture_percent":21.4}}"#.utf8),
                    to: "poyang/v1/devices/soil-\(number)/telemetry",
                    as: ("soil-\(number)", try #require(passwords["soil-\(number)"])),
                    at: broker.secureURL,
                    authority: authority
                )
            }
            try await eventually("the first station") { try await station(0, Self.frame(0, at: "2206211650")) }
            for number in 1..<60 {
                #expect(try await station(number, Self.frame(number, at: "2206211650")), "rtu-\(number)")
            }
            for number in 0..<40 { #expect(try await node(number), "soil-\(number)") }
            try await eventually("a hundred first readings") {
                let devices = try await poyang("devices", "list").rows
                return devices.count == 100 && devices.allSatisfy { $0["state"] as? String == "reporting" }
            }
            let show = try await PoyangProcess.run([
                "devices", "register", "soil-3", "--model", "generic/json", "--site", "field-3", "--data", data.path,
            ])
            #expect(show.output.contains("first data 21.4 % at 16:50"), "\(show.output)\(show.errors)")

            // One station was away for two hours; what it sends afterwards comes over two ways.
            let missed = (0..<24).map { "220621" + (17 * 60 + $0 * 5).clock }
            for _ in 0..<2 {
                for (index, time) in missed.enumerated() {
                    #expect(try await station(1, Self.frame(1, at: time, serial: index + 2)))
                }
            }
            try await eventually("the second way of each") { try await service.status()["duplicates"] as? Int == 24 }
            #expect(try await service.status()["stored"] as? Int == 124)
            #expect(try await service.samples(of: "water_level_meters", at: "creek-1").count == 25)
            // A frame of another station is refused, whoever sends it.
            #expect(try await station(2, Self.frame(3, at: "2206211655")))
            try await eventually("a quarantined frame") {
                try await poyang("quarantine", "list", "--device", "rtu-2").text.contains("wrong_address")
            }

            // What was registered goes out as it came in.
            let copy = folder.appending(path: "copy.csv")
            let export = try await PoyangProcess.run([
                "devices", "export", "--output", copy.path, "--data", data.path,
            ])
            #expect(export.status == 0, "\(export.errors)")
            let again = try await poyang("devices", "import-csv", copy.path)
            #expect(again.rows.count == 100 && again.rows.allSatisfy { $0["verdict"] as? String == "unchanged" })

            // 30 mm of test water in ten minutes: announced it warns nobody, at the neighbour's it does.
            let list = folder.appending(path: "thresholds.csv")
            try Data(Self.thresholds.utf8).write(to: list)
            #expect(try await poyang("sites", "import-thresholds", list.path).status == 0)
            for number in [40, 41] {
                #expect(try await station(number, Self.rain(number, 1000, at: "2206211655", serial: 2)))
            }
            try await eventually("both counters") {
                let counters = try await poyang("query", "rainfall_accumulated_millimeters", "--at", "2022-06-21 16:55")
                return counters.rows.count == 2
            }
            let work = try await poyang("devices", "maintenance", "rtu-40", "--for", "1h", "--by", "李工")
            #expect(work.status == 0, "\(work.text)")
            for number in [40, 41] {
                #expect(try await station(number, Self.rain(number, 1300, at: "2206211705", serial: 3)))
            }
            try await eventually("a warning") { try await poyang("warnings", "list", "--active").rows.count == 1 }
            let settled = try #require(try await service.status()["messages"] as? Int)
            try await service.settled(messages: settled)
            let warned = try await poyang("warnings", "list", "--active").rows.map { $0["site"] as? String }
            #expect(warned == ["creek-41"])

            // A radar is swapped: the new one hangs 32 mm higher and shows so much less of the same water.
            func command(_ arguments: [String]) async throws {
                let run = try await PoyangProcess.run(arguments + ["--data", data.path])
                #expect(run.status == 0, "\(arguments): \(run.errors)")
            }
            func level(_ device: String, _ meters: Double, minute: Int) async throws {
                let account = try await poyang("devices", "credentials", device)
                let password = try #require(account.rows.first?["password"] as? String, "\(account.text)")
                let json = #"{"ts":"2022-06-21T16:\#(minute):00+08:00","values":{"level":\#(meters)}}"#
                try await eventually("the level of \(device)") {
                    try await SecuredBroker.publish(
                        Array(json.utf8),
                        to: "poyang/v1/devices/\(device)/telemetry",
                        as: (device, password),
                        at: broker.plainURL
                    )
                }
            }
            try await command([
                "devices", "register", "radar-1", "--model", "acme/radar", "--site", "weir", "--site-name", "堰",
                "--kind",
                "river", "--zero", "21.430",
            ])
            try await level("radar-1", 2.000, minute: 50)
            try await command(["devices", "replace", "radar-1", "--with", "radar-2", "--zero", "21.462", "--by", "李工"])
            try await level("radar-2", 1.969, minute: 55)
            try await eventually("two levels") {
                try await service.samples(of: "water_level_meters", at: "weir").count == 2
            }
            let levels = try await service.samples(of: "water_level_meters", at: "weir").map(\.value)
            #expect(levels == [23.43, 23.431] && abs(levels[1] - levels[0]) <= 0.01)
            try await service.stop()
            try await broker.stop()
        }
    }
}

extension Int {
    /// Minutes of the day as `HHmm`.
    fileprivate var clock: String {
        let text = String(self / 60 * 100 + self % 60)
        return String(repeating: "0", count: 4 - text.count) + text
    }
}
