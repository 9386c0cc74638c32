// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Field teams read Chinese: what is wrong with their files is said in the language of their locale.
struct ChineseWordsTests {
    private func run(_ arguments: [String], locale: String = "zh_CN.UTF-8") async throws -> PoyangProcess.Outcome {
        try await PoyangProcess.run(arguments, environment: ["LC_ALL": locale])
    }

    @Test(.timeLimit(.minutes(2)))
    func verdictsOfDevicesAndThresholdsComeInBothLanguages() async throws {
        try await withTemporaryFolder { folder in
            let data = folder.appending(path: "data").path
            try write(
                [
                    "devices.csv": """
                    device_id,model,site_id,site_name,kind,interval
                    creek-1,generic/json,creek,溪,river,5m
                    creek-2,acme/none,creek,,,soon
                    """,
                    "thresholds.csv": """
                    site_id,hazard,level,value,valid_from,authority,source,confidence
                    creek,flood,blue,1.5,2020-01-01,水文局,文 7,verified
                    creek,flood,blau,high,2020-01-01,水文局,文 7,verified
                    """,
                ],
                below: folder
            )
            let devices = ["devices", "import-csv", folder.appending(path: "devices.csv").path, "--data", data]
            let trial = try await self.run(devices + ["--dry-run"])
            #expect(trial.status == 1)
            #expect(trial.errors.contains("试运行，未保存：新增 1，更改 0，无变化 0，错误 1"), "\(trial.errors)")
            let shown = try await self.run(devices)
            let words = "model：没有型号“acme/none”；现有 "
            #expect(shown.output.contains("错误") && shown.output.contains(words), "\(shown.output)")
            #expect(shown.output.contains("interval：“soon”不是间隔；请写成 5m"), "\(shown.output)")
            let english = try await self.run(devices, locale: "C.UTF-8")
            #expect(english.output.contains("model: there is no model 'acme/none'"), "\(english.output)")
            #expect(english.errors.contains("created 0, changed 0, unchanged 1, errors 1"), "\(english.errors)")
            let json = try await self.run(devices + ["--json"])
            #expect(json.output.contains(#""verdict":"error","problems":"model: there is no model"#), "\(json.output)")
            #expect(json.output.contains(#""problems_zh":"model：没有型号"#), "\(json.output)")

            let limits = ["sites", "import-thresholds", folder.appending(path: "thresholds.csv").path, "--data", data]
            let thresholds = try await self.run(limits)
            #expect(thresholds.output.contains("level：“blau”不是有效的 level；可选：notice, blue"), "\(thresholds.output)")
            #expect(thresholds.output.contains("value：应为数字，现为 'high'"), "\(thresholds.output)")

            let apply = ["devices", "apply", "--data", data, "--devices", folder.path]
            let trialOfFiles = try await self.run(apply + ["--dry-run"])
            #expect(trialOfFiles.output.contains("设备、站点、区域和型号均无变化\n试运行，未生效：站点 1，设备 1，规则 "))
            #expect(try await self.run(apply).output.contains("\n已生效：站点 1，设备 1，规则 "))
            try write(["models/acme/bare.yaml": "channels: {}\n"], below: folder)
            let refused = try await self.run(apply)
            #expect(refused.status == 1 && refused.errors.contains("bare.yaml:1:1: 型号至少要有一个通道"), "\(refused.errors)")
            let started = try await self.run(["serve", "--listen", "127.0.0.1:0"] + apply[2...])
            #expect(started.status == 1 && started.errors.contains("bare.yaml:1:1: 型号至少要有一个通道"), "\(started.errors)")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func whatIsWrongInAFileIsNamedInChineseWithItsPlace() async throws {
        try await withTemporaryFolder { folder in
            try write(
                [
                    "sites/g/creek.yaml": """
                    site: creek
                    name: { zh: 溪, en: Creek }
                    kind: river
                    thresholds:
                      - { hazard: flood, level: blau, value: 1.5, valid_from: 2020-01-01, authority: a, source: s, confidence: c }
                    """
                ],
                below: folder
            )
            let good = ["models/acme/level.yaml": "channels: { water_level_meters: {} }\n"]
            try write(good, below: folder.appending(path: "good"))
            let right = try await self.run(["devices", "validate", folder.appending(path: "good").path])
            #expect(right.output.contains("good：站点 0，区域 0，型号 1（样例 0），设备 0，均无误"), "\(right.output)")
            let run = try await self.run(["devices", "validate", folder.path])
            #expect(run.status == 1)
            #expect(
                run.errors.contains("creek.yaml:5:") && run.errors.contains("：")
                    && run.errors.contains("“blau”不是有效的 level")
            )
        }
    }
}
