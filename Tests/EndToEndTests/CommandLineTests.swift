// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// The program says what is wrong and what to do.
struct CommandLineTests {
    @Test
    func withoutArgumentsItPrintsHelp() async throws {
        let run = try await PoyangProcess.run([])
        #expect(run.status == 0)
        #expect(run.output.contains("serve"))
        #expect(run.output.contains("quarantine"))
    }

    @Test
    func aWrongFlagIsAUsageErrorWithTheRightOne() async throws {
        let run = try await PoyangProcess.run(["serve", "--brokker", "mqtt://127.0.0.1:1"])
        #expect(run.status == 64)
        #expect(run.errors.contains("--brokker"))
        #expect(run.errors.contains("--broker"))
    }

    @Test(.timeLimit(.minutes(1)))
    func aDataDirectoryInUseNamesItsOwner() async throws {
        try await withTemporaryFolder { folder in
            let service = try await RunningService.start(["--embedded-broker", "--data", folder.path])
            let second = try await PoyangProcess.run(["serve", "--data", folder.path, "--listen", "127.0.0.1:0"])
            #expect(second.status == 1)
            #expect(second.errors.contains("pid \(service.process.processID)"), "\(second.errors)")
            #expect(second.errors.contains("--data"))
            try await service.stop()
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func anUnreachableBrokerDoesNotStopTheService() async throws {
        try await withTemporaryFolder { folder in
            let process = try PoyangProcess([
                "serve", "--data", folder.path, "--listen", "127.0.0.1:0", "--broker", "mqtt://127.0.0.1:1",
            ])
            let url = try await process.announced("ready ")
            let service = RunningService(process: process, url: url, broker: "")
            let ready = try await service.get("/-/ready")
            #expect(ready.status == 503)
            #expect(String(decoding: ready.body, as: UTF8.self).contains("127.0.0.1:1"))
            #expect(try await service.get("/-/healthy").status == 200)
            try await service.stop()
            #expect(process.outcome.status == 0, "\(process.errors)")
        }
    }

    @Test
    func aTakenPortIsNamed() async throws {
        try await withTemporaryFolder { folder in
            let service = try await RunningService.start([
                "--embedded-broker", "--data", folder.appendingPathComponent("a").path,
            ])
            let address = String(service.url.dropFirst("http://".count))
            let second = try await PoyangProcess.run([
                "serve", "--data", folder.appendingPathComponent("b").path, "--listen", address,
            ])
            #expect(second.status == 1)
            #expect(second.errors.contains(address), "\(second.errors)")
            try await service.stop()
        }
    }

    @Test(arguments: [
        (
            "Devices/sites/x/bad.yaml", "site: x\nkind: lake\nname: { zh: 甲, en: A }\nthresholdz: []\n",
            "bad.yaml:4:1", "thresholds"
        ),
        (
            "Rules/flood/bad.yaml",
            "groups:\n  - name: g\n    rules:\n      - alert: A\n        expr: water_level_meters >\n",
            "bad.yaml:5", "expr"
        ),
    ])
    func aMalformedFileIsNamedWithItsPlace(path: String, text: String, place: String, hint: String) async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appendingPathComponent(path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(text.utf8).write(to: file)
            let isRule = path.hasPrefix("Rules")
            let check = try await PoyangProcess.run(
                isRule
                    ? ["rules", "check", file.path]
                    : ["devices", "validate", "--devices", folder.appendingPathComponent("Devices").path]
            )
            #expect(check.status == 1)
            #expect((check.errors + check.output).contains(place), "\(check.errors)\(check.output)")
            #expect((check.errors + check.output).contains(hint), "\(check.errors)\(check.output)")

            let serve = try await PoyangProcess.run([
                "serve", "--listen", "127.0.0.1:0", "--data", folder.appendingPathComponent("data").path,
                isRule ? "--rules" : "--devices",
                folder.appendingPathComponent(isRule ? "Rules" : "Devices").path,
            ])
            #expect(serve.status == 1)
            #expect(serve.errors.contains(place), "\(serve.errors)")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aReaderThatHasGoneAwayEndsTheCommandQuietly() async throws {
        try await withTemporaryFolder { folder in
            let program = try PoyangProcess.executable().path
            let command = "'\(program)' sites list --data '\(folder.path)' | true; echo \"${PIPESTATUS[0]}\""
            let run = try PoyangProcess(program: URL(fileURLWithPath: "/bin/bash"), ["-c", command])
            try await run.waitForExit()
            #expect(run.output == "0\n", "\(run.errors)")
            #expect(run.errors.isEmpty)
        }
    }
}
