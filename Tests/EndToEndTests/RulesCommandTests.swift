// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// `rules check` and `rules test` on promtool's own test data, with Debian's promtool beside them.
struct RulesCommandTests {
    private static let folder: URL? = {
        let given = ProcessInfo.processInfo.environment["POYANG_SHARED"].map { URL(filePath: $0) }
        let shared = given ?? PoyangProcess.project.deletingLastPathComponent().appending(path: "shared")
        let folder = shared.appending(path: "conformance/promtool")
        return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }()

    private static let isRun = folder != nil || ProcessInfo.processInfo.environment["CI"] == "true"

    struct Verdict: Sendable {
        let arguments: [String]
        let file: String
        let passes: Bool
        /// Of promtool 2.42, where it is another; nil where it cannot know.
        let older: Bool?

        init(_ arguments: String, _ file: String, passes: Bool, older: Bool?? = nil) {
            self.arguments = arguments.split(separator: " ").map(String.init)
            self.file = file + ".yml"
            self.passes = passes
            self.older = older ?? passes
        }
    }

    private static let verdicts = [
        Verdict("test", "unittest", passes: true, older: false),
        Verdict("test", "at-modifier-test", passes: true),
        Verdict("test", "no-test-group-interval", passes: true, older: false),
        Verdict("test", "start-time-test", passes: true, older: false),
        Verdict("test", "bad-input-series", passes: false), Verdict("test", "bad-promql", passes: false),
        Verdict("test", "bad-rules-syntax-test", passes: false), Verdict("test", "bad-rules-error-test", passes: false),
        Verdict("test", "failing", passes: false), Verdict("test", "rules_run", passes: false),
        Verdict("test --run correct", "rules_run", passes: true, older: .some(nil)),
        Verdict("test --run wrong", "rules_run", passes: false, older: .some(nil)),
        Verdict("check", "rules", passes: true), Verdict("check", "rules_large", passes: true),
        Verdict("check", "rules_duplicates", passes: true),
        Verdict("check --lint-fatal", "rules_duplicates", passes: false),
        Verdict("check --lint none --lint-fatal", "rules_duplicates", passes: true),
        Verdict("check --lint duplicate-rules --lint-fatal", "rules_duplicates", passes: false),
        Verdict("check", "rules-bad", passes: false), Verdict("check", "bad-rules-syntax", passes: false),
        Verdict("check", "rules_extrafields", passes: false),
        Verdict("check --ignore-unknown-fields", "rules_extrafields", passes: true, older: .some(nil)),
    ]

    @Test(.enabled(if: RulesCommandTests.isRun, "without the shared data"), .timeLimit(.minutes(2)))
    func verdictsAreThoseOfPromtool() async throws {
        let folder = try #require(Self.folder)
        let promtool = Promtool()
        if promtool == nil {
            print("promtool is not installed: its verdicts are not compared (`ops/setup prometheus`)")
        }
        try await withTemporaryFolder { scratch in
            for verdict in Self.verdicts {
                let file = folder.appending(path: verdict.file).path
                let run = try await PoyangProcess.run(["rules"] + verdict.arguments + [file])
                #expect(run.status == (verdict.passes ? 0 : 1), "\(verdict): \(run.output)\(run.errors)")
                guard let promtool, let older = verdict.older else { continue }
                let flags = verdict.arguments.dropFirst()
                let theirs = try promtool.run([verdict.arguments[0], "rules"] + flags + [file], in: scratch)
                #expect((theirs.status == 0) == older, "\(verdict): \(theirs.output)")
            }
        }
    }

    private static let rules = """
        groups:
          - name: g
            rules:
              - { alert: High, expr: level_meters > 3, labels: { hazard: flood } }
        """

    private static let tests = """
        rule_files: [rules.yaml]
        tests:
          - name: right
            input_series: [{ series: 'level_meters{site="a"}', values: 4 }]
            exp_transitions: [{ at: 0m, change: raised, value: 4 }]
          - name: wrong <&> here
            input_series: [{ series: 'level_meters{site="a"}', values: 4 }]
            exp_transitions: [{ at: 0m, change: raised, value: 5 }]
        """

    private func withTests(_ body: (URL) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            try Data(Self.rules.utf8).write(to: folder.appending(path: "rules.yaml"))
            try Data(Self.tests.utf8).write(to: folder.appending(path: "x.test.yaml"))
            try await body(folder)
        }
    }

    @Test func aDifferenceIsShownAsADiff() async throws {
        try await self.withTests { folder in
            let run = try await PoyangProcess.run(["rules", "test", "--diff", folder.path])
            #expect(run.status == 1)
            #expect(run.output.contains("@@ \(folder.path)/x.test.yaml:8:23: transition 1"), "\(run.output)")
            #expect(run.output.contains("- raised at 1970-01-01T08:00:00+08:00 value 5"), "\(run.output)")
            #expect(run.output.contains(#"+ raised High {hazard="flood", site="a"}"#), "\(run.output)")
            #expect(run.output.hasSuffix("1 passed, 1 failed\n"))
        }
    }

    @Test func buildServersReadTheOutcome() async throws {
        try await self.withTests { folder in
            let file = folder.appending(path: "out.xml")
            let run = try await PoyangProcess.run(["rules", "test", "--junit", file.path, folder.path])
            #expect(run.status == 1)
            let document = try String(contentsOf: file, encoding: .utf8)
            #expect(document.contains(#"<testsuites tests="2" failures="1">"#), "\(document)")
            #expect(document.contains(#"name="wrong &lt;&amp;&gt; here""#), "\(document)")
            #expect(document.contains("expected value 5.0, got 4.0"), "\(document)")
            let lint = try PoyangProcess(program: URL(filePath: "/usr/bin/xmllint"), ["--noout", file.path])
            try await lint.waitForExit()
            #expect(lint.outcome.status == 0, "\(lint.errors)")
        }
    }

    @Test func unknownKeysOfATestMayBeIgnored() async throws {
        try await self.withTests { folder in
            let path = folder.appending(path: "y.yaml").path
            let text = "rule_files: [rules.yaml]\ntests: [{ name: right, what: ever, exp_transitions: [] }]\n"
            try Data(text.utf8).write(to: URL(filePath: path))
            let strict = try await PoyangProcess.run(["rules", "test", path])
            #expect(strict.status == 1 && strict.output.contains("unknown key 'what'"), "\(strict.output)")
            let lax = try await PoyangProcess.run(["rules", "test", "--ignore-unknown-fields", path])
            #expect(lax.status == 0, "\(lax.output)")
        }
    }

    @Test func aTestPlaysARecording() async throws {
        try await withTemporaryFolder { folder in
            let test = """
                rule_files: [\(PoyangProcess.project.path)/Rules/flood/stage.yaml]
                devices: \(PoyangProcess.project.path)/Devices
                tests:
                  - name: the flood of 2018
                    history:
                      file: \(PoyangProcess.project.path)/ops/demo-data/usgs_01581752_event1_20180831.csv
                      map: \(PoyangProcess.project.path)/ops/demo-data/usgs-01581752.map.yaml
                    exp_transitions:
                      - { at: 2018-08-31T22:40:00Z, change: raised, level: blue, value: 1.139952, threshold: 0.9 }
                      - { at: 2018-08-31T22:50:00Z, change: raised, level: yellow }
                      - { at: 2018-08-31T22:55:00Z, change: raised, level: orange }
                      - { at: 2018-08-31T23:15:00Z, change: raised, level: red, value: 1.883664 }
                      - { at: 2018-09-01T00:00:00Z, change: ended, level: red }
                      - { at: 2018-09-01T00:25:00Z, change: ended, level: orange }
                      - { at: 2018-09-01T00:35:00Z, change: ended, level: yellow }
                      - { at: 2018-09-01T01:35:00Z, change: ended, level: blue }
                  - name: a recording in the form of import
                    history: levels.csv
                    alert_rule_test:
                      - at: 2020-01-01T08:00:00+08:00
                        alertname: StageAtOrAboveThreshold
                        exp_alerts:
                          - exp_labels: { site: usgs-01581752, hazard: flood, level: blue }
                            exp_annotations:
                              summary_zh: 水位 1.00 m，阈值 0.90 m
                              summary_en: Stage 1.00 m, threshold 0.90 m
                              description_zh: 水位达到或超过 0.90 m 即告警，回落到阈值以下 0.10 m 后解除。
                              description_en: Raised at or above 0.90 m; ends more than 0.10 m below it.
                """
            try Data(test.utf8).write(to: folder.appending(path: "x.test.yaml"))
            let levels = "time_ms,metric,site,value\n1577836800000,water_level_meters,usgs-01581752,1\n"
            try Data(levels.utf8).write(to: folder.appending(path: "levels.csv"))
            let run = try await PoyangProcess.run(["rules", "test", folder.path])
            #expect(run.status == 0, "\(run.output)\(run.errors)")
            #expect(run.output.hasSuffix("2 passed, 0 failed\n"))
        }
    }

    @Test func aCheckIsATableForPrograms() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "r.yaml").path
            let rule = "{ alert: A, expr: hour() > 3 }"
            let other = "{ alert: C, expr: x, clear: y, keep_firing_for: 5m }"
            let text = "groups: [{ name: g, rules: [\(rule), \(rule), \(other), { alert: B, expr: 1 + }] }]"
            try Data(text.utf8).write(to: URL(filePath: path))
            let run = try await PoyangProcess.run(["rules", "check", "--json", path])
            #expect(run.status == 1)
            let rows = try #require(
                try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [[String: Any]]
            )
            #expect(Set(rows.compactMap { $0["kind"] as? String }) == ["file", "error", "lint", "note"])
            #expect(rows.allSatisfy { $0["file"] as? String == path })
        }
    }

    /// The rules that are shipped go by local time; those of others may count in UTC, and are told what that is.
    @Test func hoursOfUTCAreRefusedInTheShippedRulesAndNotedInOthers() async throws {
        try await withTemporaryFolder { folder in
            try FileManager.default.createDirectory(
                at: folder.appending(path: "Rules/rice"),
                withIntermediateDirectories: true
            )
            let text = "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: x > 3 and on() hour() > 3\n"
            let path = "Rules/rice/night.yaml"
            try Data(text.utf8).write(to: folder.appending(path: path))
            let place = "\(path):5:26: hour() counts in UTC"

            let shipped = try await PoyangProcess.run(["rules", "check"], in: folder)
            #expect(shipped.status == 1)
            #expect(shipped.errors.contains("error: \(place)"), "\(shipped.errors)")
            #expect(shipped.errors.contains("day_boundary"), "\(shipped.errors)")
            let silent = try await PoyangProcess.run(["rules", "check", "--lint", "none"], in: folder)
            #expect(silent.status == 1)

            let named = try await PoyangProcess.run(["rules", "check", path], in: folder)
            #expect(named.status == 0 && named.errors.contains("lint: \(place)"), "\(named.errors)")
            let chosen = try await PoyangProcess.run(
                ["rules", "check"],
                environment: ["POYANG_RULES": "Rules"],
                in: folder
            )
            #expect(chosen.status == 0 && chosen.errors.contains("lint: \(place)"), "\(chosen.errors)")
            for (lint, status) in [("utc-time", 1), ("all", 1), ("duplicate-rules", 0), ("none", 0)]
                as [(String, Int32)]
            {
                let fatal = try await PoyangProcess.run(
                    ["rules", "check", "--lint", lint, "--lint-fatal", path],
                    in: folder
                )
                #expect(fatal.status == status, "\(lint): \(fatal.errors)")
            }
        }
    }
}
