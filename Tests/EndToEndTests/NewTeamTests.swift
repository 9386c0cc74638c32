// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// A new team's day: a hundred devices from a list with mistakes to their first readings.
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

    @Test(.timeLimit(.minutes(5)))
    func aHundredDevicesReportBeforeLunch() async throws {
        try await withTemporaryFolder { folder in
            let broker = try await SecuredBroker(folder)
            let data = folder.appending(path: "data")
            let service = try await broker.serve(data: data, ["--clock", "data"])
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
            try await eventually("25 readings") {
                try await service.samples(of: "water_level_meters", at: "creek-1").count == 25
            }
            let status = try await service.status()
            #expect(status["stored"] as? Int == 124 && status["duplicates"] as? Int == 24, "\(status)")
            // A frame of another station is refused, whoever sends it.
            #expect(try await station(2, Self.frame(3, at: "2206211655")))
            try await eventually("a quarantined frame") {
                try await poyang("quarantine", "list", "--device", "rtu-2").text.contains("wrong_address")
            }
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
