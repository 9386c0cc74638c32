// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Samples go in and out as files, with and without a service.
struct BulkTests {
    private static let csv = """
        time,metric,value,quality,method,simulated,failed_test,depth,site
        2022-06-21T16:00:00+08:00,rainfall_millimeters,0,2,measured,false,,,hukou
        2022-06-21T16:05:00+08:00,rainfall_millimeters,0.5,1,gap_total,false,,,hukou
        2022-06-21T16:10:00.250+08:00,rainfall_millimeters,1,3,manual,true,sender,,hukou
        2022-06-21T16:00:00+08:00,soil_moisture_percent,31.7,2,measured,false,,20cm,"a ""b"", c"
        2022-06-21T16:00:00+08:00,soil_moisture_percent,NaN,2,measured,false,,40cm,"a ""b"", c"

        """

    private func file(_ name: String, _ text: String, in folder: URL) throws -> String {
        let file = folder.appendingPathComponent(name)
        try Data(text.utf8).write(to: file)
        return file.path
    }

    private func export(_ data: String, _ format: String, _ arguments: [String] = []) async throws -> String {
        let all = ["--match", "{__name__=~\".+\"}", "--format", format, "--data", data] + arguments
        let run = try await PoyangProcess.run(["export"] + all)
        #expect(run.status == 0, "\(run.errors)")
        return run.output
    }

    private func imports(_ path: String, _ format: String, _ data: String) async throws -> PoyangProcess.Outcome {
        try await PoyangProcess.run(["import", "--format", format, "--data", data, path])
    }

    @Test(.timeLimit(.minutes(1)))
    func whatIsExportedComesBackAsItWas() async throws {
        try await withTemporaryFolder { folder in
            let first = folder.appendingPathComponent("first").path
            let run = try await self.imports(self.file("a.csv", Self.csv, in: folder), "csv", first)
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.errors.contains("imported 5 samples"), "\(run.errors)")
            #expect(try await self.export(first, "csv") == Self.csv)
            for format in ["openmetrics", "prometheus", "vm-jsonl", "csv"] {
                let text = try await self.export(first, format)
                let second = folder.appendingPathComponent(format).path
                let back = try await self.imports(self.file("a.\(format)", text, in: folder), format, second)
                #expect(back.status == 0, "\(back.errors)")
                #expect(try await self.export(second, format) == text)
                // Without a place for the quality, what is suspect stays behind.
                #expect(try await self.export(second, "csv").split(separator: "\n").count == (format == "csv" ? 6 : 5))
            }
            let part = folder.appendingPathComponent("part.csv").path
            let some = try await PoyangProcess.run([
                "export", "--match", "rainfall_millimeters{site=\"hukou\",__quality__=\"1\"}", "--from",
                "2022-06-21T16:05:00+08:00", "--format", "vm-jsonl", "--output", part, "--data", first,
            ])
            #expect(some.status == 0 && some.errors.contains("wrote "), "\(some.errors)")
            #expect(
                try String(contentsOfFile: part, encoding: .utf8)
                    == #"{"metric":{"__name__":"rainfall_millimeters","site":"hukou"},"values":[0.5],"timestamps":[1655798700000]}"#
                    + "\n"
            )
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func namesRefusedLinesAndKeepsTheOthers() async throws {
        try await withTemporaryFolder { folder in
            let good = #"{"metric":{"__name__":"m"},"values":[1],"timestamps":[1]}"#
            let path = try self.file("a.jsonl", "\(good)\n{\"metric\":1}\n\(good)\n", in: folder)
            let data = folder.appendingPathComponent("data").path
            let run = try await self.imports(path, "vm-jsonl", data)
            #expect(run.status == 1)
            #expect(run.errors.contains("\(path):2:11: 'metric' should be an object"), "\(run.errors)")
            #expect(try await self.export(data, "vm-jsonl") == good + "\n")
            let strict = try await PoyangProcess.run([
                "import", "--strict", "--format", "vm-jsonl", "--data", data, path,
            ])
            #expect(strict.status == 1 && strict.errors.contains("stopped at"), "\(strict.errors)")
            let range = try await PoyangProcess.run(["export", "--match", "m[5m]", "--format", "csv", "--data", data])
            #expect(range.status == 1 && range.errors.contains("match"), "\(range.errors)")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func worksThroughARunningService() async throws {
        try await withTemporaryFolder { folder in
            let data = folder.appendingPathComponent("data").path
            let service = try await RunningService.start(["--embedded-broker", "--data", data])
            let damaged = Self.csv + "2022-06-22,rainfall_millimeters,x,,,,,hukou\n"
            let run = try await self.imports(self.file("a.csv", damaged, in: folder), "csv", data)
            #expect(run.status == 1)
            #expect(run.errors.contains("imported 5 samples"), "\(run.errors)")
            #expect(run.errors.contains("a.csv:7:33: value 'x' is no number"), "\(run.errors)")
            #expect(try await self.export(data, "csv") == Self.csv)
            let query = "match%5B%5D=rainfall_millimeters%7B__quality__%3D~%22.*%22%7D&start=1655798700"
            let answer = try await service.get("/api/v1/export?\(query)")
            let text = String(decoding: answer.body, as: UTF8.self)
            #expect(answer.status == 200 && text.contains(#""values":[0.5,1]"#), "\(text)")
            #expect(try await service.get("/api/v1/export?match%5B%5D=m%2B1").status == 400)
            try await service.stop()
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func anImportThatWasKilledGoesOnWhereItBrokeOff() async throws {
        try await withTemporaryFolder { folder in
            // Random values, so that there is much to write and the kill comes before the end.
            var random = SeededGenerator(seed: 7)
            var text = ""
            for number in 0..<400 {
                let times = (0..<3000).map { String(1_700_000_000_000 + $0 * 300_000) }.joined(separator: ",")
                let values = (0..<3000).map { _ in String(Double(Int.random(in: 0..<1_000_000, using: &random)) / 100) }
                    .joined(separator: ",")
                text +=
                    #"{"metric":{"__name__":"m","site":"s\#(number)"},"values":[\#(values)],"timestamps":[\#(times)]}"#
                text += "\n"
            }
            let path = try self.file("a.jsonl", text, in: folder)
            let straight = folder.appendingPathComponent("straight").path
            let whole = try await self.imports(path, "vm-jsonl", straight)
            #expect(whole.status == 0 && whole.errors.contains("imported 1200000 samples"), "\(whole.errors)")

            let data = folder.appendingPathComponent("killed").path
            let wal = data + "/samples.db-wal"
            let victim = try PoyangProcess(["import", "--format", "vm-jsonl", "--data", data, path])
            // On a thread of its own: those of Swift's tasks may be busy with other tests until the import is over.
            let process = victim.processID
            Thread.detachNewThread {
                let deadline = ContinuousClock.now + .seconds(60)
                while ContinuousClock.now < deadline, kill(process, 0) == 0 {
                    let size = try? FileManager.default.attributesOfItem(atPath: wal)[.size] as? Int
                    if size ?? 0 > 1_200_000 { break }
                    usleep(500)
                }
                kill(process, SIGKILL)
            }
            try await victim.waitForExit()
            let second = try await self.imports(path, "vm-jsonl", data)
            #expect(second.status == 0, "\(second.errors)")
            #expect(second.errors.contains("going on at line"), "\(victim.errors) \(second.errors)")
            #expect(second.errors.contains("imported 1200000 samples, 0 were there already"), "\(second.errors)")
            #expect(try await self.export(data, "vm-jsonl") == self.export(straight, "vm-jsonl"))
        }
    }
}
