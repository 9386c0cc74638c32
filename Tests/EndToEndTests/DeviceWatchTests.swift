// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Somebody looks at a device while its first messages come in.
struct DeviceWatchTests {
    private static let site = """
        site: plot
        name: { zh: 地块, en: Plot }
        kind: field
        devices: [{ id: soil-1, model: acme/probe }]
        """
    private static let probe = """
        channels: { soil_moisture_percent: { key: soil, min: 0, max: 60 }, battery_volts: { key: battery } }
        report: { every: 10m }
        """
    private static let rules = """
        groups:
          - name: dry
            rules:
              - alert: SoilDry
                expr: soil_moisture_percent < 15
                labels: { hazard: soil_drought, level: blue }
                annotations: { summary_zh: "墒情偏低", summary_en: "Dry soil" }
        """

    @Test(.timeLimit(.minutes(3)))
    func bytesValuesRefusalsAndRulesAreShownAsTheyCome() async throws {
        try await withTemporaryFolder { folder in
            let devices = folder.appending(path: "Devices")
            try write(["models/acme/probe.yaml": Self.probe, "sites/coop/plot.yaml": Self.site], below: devices)
            let rules = folder.appending(path: "Rules")
            try write(["soil_drought/dry.yaml": Self.rules], below: rules)
            let data = folder.appending(path: "data").path
            let service = try await RunningService.start([
                "--embedded-broker", "--data", data, "--devices", devices.path, "--rules", rules.path,
            ])
            func watch(_ arguments: String..., language: String) throws -> PoyangProcess {
                try PoyangProcess(
                    ["devices", "watch", "soil-1", "--data", data] + arguments,
                    environment: ["LC_ALL": language]
                )
            }
            func publish(_ json: String) async throws {
                try await TestPublisher.publish(
                    [("poyang/v1/devices/soil-1/telemetry", Array(json.utf8))],
                    to: service.broker
                )
            }
            let english = try watch("--count", "4", language: "C.UTF-8")
            let chinese = try watch("--count", "1", language: "zh_CN.UTF-8")
            let machine = try watch("--count", "4", "--json", language: "C.UTF-8")
            try await eventually("all three to begin") {
                english.output.contains("registered – waiting for the first reading")
                    && chinese.output.contains("已登记 – 等待首条数据") && machine.errors.contains("registered")
            }
            let now = Int(Date().timeIntervalSince1970 * 1000)
            try await publish(#"{"ts":\#(now - 60_000),"values":{"soil":21.4,"battery":3.61}}"#)
            try await publish(#"{"ts":\#(now - 30_000),"values":{"soil":214}}"#)
            try await publish(#"{"ts":\#(now - 60_000),"values":{"soil":21.4}}"#)
            // The alerts shown are those of the moment at which a message is shown.
            try await eventually("the first three to be shown") {
                english.output.split(separator: "rules: nothing to say").count == 4
            }
            try await publish(#"{"ts":\#(now),"values":{"soil":12.5}}"#)
            for process in [english, chinese, machine] {
                try await process.waitForExit()
                #expect(process.outcome.status == 0, "\(process.errors)")
            }
            let text = english.output
            #expect(text.contains("registered – waiting – first data 21.4 % at "), "\(text)")
            #expect(text.contains("soil_moisture_percent{site=plot} = 21.4 %"), "\(text)")
            #expect(text.contains("quality 2 not_evaluated"))
            #expect(text.contains("! refused, in quarantine (out_of_range): soil: "), "\(text)")
            #expect(text.contains(#""values":{"soil":214}"#), "the bytes as they came")
            #expect(text.contains("rules: nothing to say") && text.contains("rules: SoilDry/blue firing since "))
            #expect(chinese.output.contains("已登记 – 等待 – 首条数据 21.4 %，"), "\(chinese.output)")

            let lines = machine.output.split(separator: "\n")
                .compactMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
            try #require(lines.count == 4, "\(machine.output)")
            #expect(lines.allSatisfy { $0["decoder"] as? String == "json" })
            #expect((lines[0]["values"] as? [Any])?.count == 2 && (lines[0]["refused"] as? [Any])?.isEmpty == true)
            let refused = try #require((lines[1]["refused"] as? [[String: Any]])?.first)
            #expect(refused["reason"] as? String == "out_of_range" && refused["key"] as? String == "soil")
            #expect((lines[3]["alerts"] as? [[String: Any]])?.first?["state"] as? String == "firing")

            let shown = try await PoyangProcess.run(["devices", "show", "soil-1", "--data", data]).output
            for line in [
                "interval kept percent: 100", "battery volts: 3.61", "duplicates: 1", "rejected: 1",
                "reject reasons: out_of_range 1",
            ] {
                #expect(shown.contains(line), "\(line) in \(shown)")
            }
            let unknown = try await PoyangProcess.run(["devices", "watch", "soil-2", "--data", data])
            #expect(unknown.status == 1 && unknown.errors.contains("there is no device 'soil-2'"), "\(unknown.errors)")
            try await service.stop()
            let gone = try await PoyangProcess.run(["devices", "watch", "soil-1", "--data", data])
            #expect(gone.status == 1 && gone.errors.contains("no service is running"), "\(gone.errors)")
        }
    }

    private static func site(_ id: String, org: String, device: String, name: String) -> String {
        """
        site: \(id)
        name: { zh: \(id), en: \(id) }
        kind: field
        org: \(org)
        devices: [{ id: \(device), name: \(name), model: acme/probe }]
        """
    }

    /// Devices that are called as the levels of everybody's topics, and a gateway that speaks for two orgs.
    @Test(.timeLimit(.minutes(3)))
    func aWatcherOfAnOrgSeesNothingOfOthersWhateverItsDevicesAreCalled() async throws {
        try await withTemporaryFolder { folder in
            let devices = folder.appending(path: "Devices")
            try write(
                [
                    "models/acme/probe.yaml": Self.probe,
                    "sites/coop/plot.yaml": Self.site("plot", org: "coop", device: "telemetry", name: "v1"),
                    "sites/others/pond.yaml": Self.site("pond", org: "others", device: "pond-1", name: "Pond"),
                ],
                below: devices
            )
            let data = folder.appending(path: "data")
            let none = folder.appending(path: "none")
            try FileManager.default.createDirectory(at: none, withIntermediateDirectories: true)
            let service = try await RunningService.start([
                "--embedded-broker", "--data", data.path, "--devices", devices.path, "--rules", none.path,
            ])
            func watch(_ device: String, _ token: String, count: Int) throws -> PoyangProcess {
                try PoyangProcess(
                    ["devices", "watch", device, "--json", "--count", "\(count)", "--url", service.url],
                    environment: ["POYANG_TOKEN": token, "LC_ALL": "C.UTF-8"]
                )
            }
            let bound = try await RunningService.makeToken("device-admin", org: "coop", data: data).token
            let free = try await RunningService.makeToken("device-admin", data: data).token
            let own = try watch("telemetry", bound, count: 2)
            let all = try watch("telemetry", free, count: 2)
            let foreign = try watch("pond-1", bound, count: 1)
            try await foreign.waitForExit()
            #expect(foreign.outcome.status == 1 && foreign.errors.contains("no device 'pond-1'"), "\(foreign.errors)")
            try await eventually("both to begin") {
                own.errors.contains("registered") && all.errors.contains("registered")
            }
            let messages = [
                ("poyang/v1/devices/pond-1/telemetry", #"{"soil":47.25}"#),
                ("v1/devices/pond-1/telemetry", #"{"soil":47.25,"odd":1}"#),
                (
                    "v1/gateway/telemetry",
                    #"{"pond-1":[{"soil":47.25,"odd":1}],"telemetry":[{"soil":21.5,"strange":1}],"secret":{"soil":1}}"#
                ),
                ("poyang/v1/devices/telemetry/telemetry", #"{"soil":33.5}"#),
            ]
            try await TestPublisher.publish(messages.map { ($0.0, Array($0.1.utf8)) }, to: service.broker)
            for process in [own, all] {
                try await process.waitForExit()
                #expect(process.outcome.status == 0, "\(process.errors)")
            }
            for word in ["47.25", "pond", "odd", "secret", "34372E3235"] {
                #expect(!own.output.contains(word), "\(word) in \(own.output)")
            }
            let lines = own.output.split(separator: "\n")
                .compactMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
            try #require(lines.count == 2, "\(own.output)")
            #expect(lines[0]["topic"] as? String == "v1/gateway/telemetry" && lines[0]["partial"] as? Bool == true)
            #expect((lines[0]["values"] as? [[String: Any]])?.compactMap { $0["value"] as? Double } == [21.5])
            #expect((lines[0]["refused"] as? [[String: Any]])?.compactMap { $0["key"] as? String } == ["strange"])
            #expect(lines[1]["text"] as? String == #"{"soil":33.5}"# && lines[1]["partial"] as? Bool == false)
            #expect(all.output.contains("pond-1") && all.output.contains(#""partial":false"#), "\(all.output)")
            try await service.stop()
        }
    }
}
