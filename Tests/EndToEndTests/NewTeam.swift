// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry
import TestSupport
import Testing

/// A team with a hundred new devices, and the service that is to take them in: 60 stations that speak SL 651 to a gateway, and
/// 40 soil sensors behind a LoRaWAN network server.
struct NewTeam {
    typealias Account = (name: String, password: String)

    static let stations = 60
    static let nodes = 40
    /// When the devices report for the first time, +08:00; they go by times of their own.
    static let start = Timestamp(milliseconds: 1_655_798_400_000)

    let folder: URL
    let broker: SecuredBroker
    let data: URL
    let service: RunningService

    private static let radar = """
        channels: { water_level_meters: { key: level, zero: site } }
        report: { every: 5m }
        """

    /// The service with the models that are shipped, one of the team's own, and the rules of rain.
    static func with(_ body: (NewTeam) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let broker = try await SecuredBroker(folder)
            let devices = folder.appending(path: "Devices")
            try FileManager.default.createDirectory(at: devices, withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                at: PoyangProcess.project.appending(path: "Devices/models"),
                to: devices.appending(path: "models")
            )
            try write(["models/acme/radar.yaml": Self.radar], below: devices)
            let data = folder.appending(path: "data")
            let service = try await broker.serve(
                data: data,
                devices: devices,
                rules: PoyangProcess.project.appending(path: "Rules/rain"),
                ["--clock", "data"]
            )
            try await body(NewTeam(folder: folder, broker: broker, data: data, service: service))
            try await service.stop()
            try await broker.stop()
        }
    }

    /// Runs a command of the team; its table, and all that it wrote.
    func poyang(_ arguments: String...) async throws -> (status: Int32, rows: [[String: Any]], text: String) {
        let run = try await PoyangProcess.run(arguments + ["--json", "--data", self.data.path])
        let rows = try? JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [[String: Any]]
        return (run.status, rows ?? [], run.output + run.errors)
    }

    /// Writes a list of devices and imports it.
    func importDevices(_ list: String) async throws -> (status: Int32, rows: [[String: Any]], text: String) {
        let file = self.folder.appending(path: "devices.csv")
        try Data(list.utf8).write(to: file)
        return try await self.poyang("devices", "import-csv", file.path)
    }

    /// Makes accounts at the broker; their passwords by user.
    func makeAccounts(_ arguments: String...) async throws -> [String: Account] {
        let run = try await PoyangProcess.run(
            ["devices", "credentials", "--json", "--data", self.data.path] + arguments
        )
        try #require(run.status == 0, "\(run.errors)")
        let rows = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [[String: Any]])
        let accounts = try rows.map { row in
            (name: try #require(row["user"] as? String), password: try #require(row["password"] as? String))
        }
        return Dictionary(uniqueKeysWithValues: accounts.map { ($0.name, $0) })
    }

    func counter(_ name: String) async throws -> Int { try #require(try await self.service.status()[name] as? Int) }

    /// How many values of a metric can be seen, by site.
    func counts(_ metric: String) async throws -> [String: Int] {
        let end = Int(Date().timeIntervalSince1970)
        let answer = try await self.service.ask(
            "/api/v1/query",
            ["query": "count_over_time(\(metric)[100y])", "time": "\(end)"]
        )
        let result = try #require((try answer.json()["data"] as? [String: Any])?["result"] as? [[String: Any]])
        return try Dictionary(
            uniqueKeysWithValues: result.map { row in
                let site = try #require((row["metric"] as? [String: Any])?["site"] as? String)
                let value = (row["value"] as? [Any])?.last as? String
                return (site, try #require(value.flatMap { Int($0) }))
            }
        )
    }
}

// MARK: - What the team writes down

extension NewTeam {
    /// The list of the hundred: with three mistakes, or without.
    static func list(mistakes: Bool) -> String {
        var text = "device_id,model,site_id,site_name,kind,latitude,longitude,interval,address\n"
        for number in 0..<Self.stations {
            let model = mistakes && number == 7 ? "generic/sl615" : "generic/sl651"
            let address = mistakes && number == 33 ? Self.address(32) : Self.address(number)
            text += "rtu-\(number),\(model),creek-\(number),溪\(number),river,29.1,116.2,5m,\(address)\n"
        }
        for number in 0..<Self.nodes {
            let eui = mistakes && number == 5 ? String(Self.eui(5).dropLast()) : Self.eui(number)
            text += "soil-\(number),milesight/em500-smtc,field-\(number),田\(number),field,29.12,116.2,10m,\(eui)\n"
        }
        return text
    }

    /// As SL 502 writes it.
    static func address(_ number: Int) -> String { String(62_300_000 + number) }

    /// As the label on a node has it.
    static func eui(_ number: Int) -> String { "24E124126B" + FieldStation.digits(number, 6) }

    /// 20 mm in an hour are blue at two of the creeks.
    static let thresholds = """
        site_id,hazard,level,value,window,valid_from,authority,source,confidence
        creek-40,rain,blue,20,1h,2000-01-01,县防办,汛〔2022〕3号,demo
        creek-41,rain,blue,20,1h,2000-01-01,县防办,汛〔2022〕3号,demo
        """
}
