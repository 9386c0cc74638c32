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
}
