// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// What a shell and its user see of `poyang query`.
struct QueryCommandTests {
    /// Two gauges over a day; a site whose name a shell would run.
    private static let rows: [String] = {
        var rows = ["time,metric,value,site"]
        for hour in 0..<24 {
            let time = "2022-06-21T\(hour < 10 ? "0" : "")\(hour):00:00+08:00"
            rows.append("\(time),water_level_meters,\(18.0 + Double(hour) / 20),xingzi")
            rows.append("\(time),water_level_meters,\(19.0 + Double(hour) / 20),hukou")
        }
        rows.append("2022-06-21T12:00:00+08:00,water_level_meters,1,$(touch made-by-the-shell)")
        return rows
    }()

    private static func withData(_ body: (URL) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("levels.csv")
            try Data(self.rows.map { $0 + "\n" }.joined().utf8).write(to: file)
            let data = folder.appendingPathComponent("data").path
            let load = try await PoyangProcess.run(["import", "--data", data, "--format", "csv", file.path])
            try #require(load.status == 0, "\(load.errors)")
            try await body(folder)
        }
    }

    /// As the generated scripts call it.
    private static func completions(_ word: String, _ folder: URL) async throws -> [String] {
        let line = ["poyang", "query", "--data", folder.appendingPathComponent("data").path, word]
        let run = try await PoyangProcess.run(
            ["---completion", "query", "--", "positional@0", "4", "\(word.count)"] + line,
            environment: ["SAP_SHELL": "bash"]
        )
        #expect(run.status == 0)
        #expect(run.errors.isEmpty, "a shell that completes must not complain: \(run.errors)")
        return run.output.split(separator: "\n").map(String.init)
    }

    @Test(.timeLimit(.minutes(1)), arguments: [true, false])
    func theShellCompletesWhatTheDataHave(isRunning: Bool) async throws {
        try await Self.withData { folder in
            let data = folder.appendingPathComponent("data").path
            let service = isRunning ? try await RunningService.start(["--embedded-broker", "--data", data]) : nil
            // On a busy machine the data are not read within the patience of a shell: it is asked again, as people do.
            for (word, offered) in [
                ("'water_l", ["water_level_meters"]), ("water_level_meters{si", ["water_level_meters{site"]),
                ("'max(water_level_meters{site=\"x", ["max(water_level_meters{site=\"xingzi\""]),
                ("'sum by (si", ["sum by (site"]), ("'quantile_o", ["quantile_over_time("]), ("'up[5", []),
            ] {
                try await eventually("the offer of \(offered) for \(word)") {
                    try await Self.completions(word, folder) == offered
                }
            }
            try await service?.stop()
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func theShellCompletesFunctionsWithoutData() async throws {
        try await withTemporaryFolder { folder in
            let functions = try await Self.completions("'avg_o", folder)
            let metrics = try await Self.completions("'water_l", folder)
            #expect(functions == ["avg_over_time("])
            #expect(metrics.isEmpty)
        }
    }

    /// Values come from devices; whoever writes to the store must not command the shells of those who read.
    @Test(.timeLimit(.minutes(1)))
    func bashTakesWhatIsOfferedAsItIs() async throws {
        try await Self.withData { folder in
            let program = try PoyangProcess.executable()
            let script = """
                cd '\(folder.path)'
                PATH='\(program.deletingLastPathComponent().path)':$PATH
                source <(poyang --generate-completion-script bash)
                COMP_WORDS=(poyang query --data data "'water_level_meters{site=\\"")
                COMP_CWORD=4
                COMP_LINE="${COMP_WORDS[*]}"
                COMP_POINT=${#COMP_LINE}
                _poyang poyang 'water_level_meters{site="' data
                printf '%s\\n' "${COMPREPLY[@]}"
                """
            let expected = ["$(touch made-by-the-shell)", "hukou", "xingzi"].map { "water_level_meters{site=\"\($0)\"" }
            // As above: a busy machine may need more patience than a shell has.
            try await eventually("the offer of \(expected)") {
                let run = try PoyangProcess(program: URL(fileURLWithPath: "/bin/bash"), ["-c", script])
                try await run.waitForExit()
                return run.output.split(separator: "\n").map(String.init).sorted() == expected
            }
            let made = folder.appendingPathComponent("made-by-the-shell").path
            #expect(!FileManager.default.fileExists(atPath: made))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aPlotIsDrawnForThePipeItGoesTo() async throws {
        try await Self.withData { folder in
            let data = folder.appendingPathComponent("data").path
            let arguments = ["query", "--data", data, "water_level_meters{site!~\".*touch.*\"}", "--plot"]
            let range = ["--from", "2022-06-21 00:00", "--to", "2022-06-21 23:00", "--step", "1h"]
            let ascii = try await PoyangProcess.run(
                arguments + range,
                environment: ["LC_ALL": "C", "COLUMNS": "60"]
            )
            #expect(ascii.status == 0)
            #expect(ascii.output.utf8.allSatisfy { $0 < 128 })
            #expect(ascii.output.split(separator: "\n").allSatisfy { $0.count <= 60 })
            #expect(ascii.output.contains("2022-06-21 00:00 - 2022-06-21 23:00 +08:00, every 1h"), "\(ascii.output)")
            #expect(ascii.output.hasPrefix("water_level_meters"))
            let unicode = try await PoyangProcess.run(
                arguments + ["--at", "2022-06-21 12:00"],
                environment: ["LC_ALL": "C.UTF-8", "COLUMNS": "60"]
            )
            #expect(unicode.output.contains("hukou   █"), "\(unicode.output)")
            #expect(!unicode.output.contains("\u{1B}"))
        }
    }

    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            ("raet(up[5m])", "1:1: unknown function", "  ^ did you mean rate?"),
            ("sum(\n  up[5m])", "2:3: expected type instant vector", "        ^ leave the range out"),
            ("water_level_meters = 19", "1:20: unexpected", "                     ^ compare with =="),
        ]
    )
    func anErrorIsShownInTheQuery(query: String, message: String, caret: String) async throws {
        try await withTemporaryFolder { folder in
            let run = try await PoyangProcess.run(["query", "--data", folder.path, query])
            #expect(run.status == 1)
            #expect(run.output.isEmpty)
            #expect(run.errors.contains("error: \(message)"), "\(run.errors)")
            #expect(run.errors.split(separator: "\n").last?.hasPrefix(caret) == true, "\(run.errors)")
        }
    }

    /// 120 kB, nearly the longest argument that Linux takes.
    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            String(repeating: "(", count: 120_000), "a" + String(repeating: " or a", count: 24_000),
            "x{a=~\"" + String(repeating: "(a*)*", count: 24_000) + "\"}", "1" + String(repeating: "+1", count: 60_000),
            "up[99999999999999999999y]", "up{a=~\"((a{1000}){1000}){1000}\"}", "\u{FFFD}",
        ]
    )
    func hostileQueriesAreRefusedInAFewLines(query: String) async throws {
        try await withTemporaryFolder { folder in
            let run = try await PoyangProcess.run(["query", "--data", folder.path, query])
            #expect(run.status == 1)
            #expect(run.errors.hasPrefix("error: 1:"), "\(run.errors.prefix(300))")
            #expect(run.errors.utf8.count < 3000)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aQueryThatIsNoTextIsRefused() async throws {
        try await withTemporaryFolder { folder in
            let program = try PoyangProcess.executable().path
            let command = "'\(program)' query --data '\(folder.path)' $'up \\xff\\xfe\\xc3('"
            let run = try PoyangProcess(program: URL(fileURLWithPath: "/bin/bash"), ["-c", command])
            try await run.waitForExit()
            #expect(run.outcome.status == 1)
            #expect(run.errors.hasPrefix("error: 1:4: unexpected character"), "\(run.errors)")
        }
    }

    @Test(arguments: [
        ["--plot", "--csv"], ["--from", "now", "--to", "-1h"], ["--at", "yesterday"],
        ["--from", "-1h", "--step", "0s"],
    ])
    func contradictionsAreUsageErrors(options: [String]) async throws {
        let run = try await PoyangProcess.run(["query", "up"] + options)
        #expect(run.status == 64)
    }
}
