// poyang
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

/// The judge must be fair: it sees what is wrong, and skips only what it may.
struct ScriptRunnerTests {
    private func run(_ evaluation: String) throws -> PromQLScriptRunner.Report {
        let script = """
            load 1m
              up{a="x"} 1+1x10
              began{a="x"}@st -1mx10
              began{a="x"} 1+1x10
              hist {{schema:0 sum:1 count:1 buckets:[1]}}x10

            eval instant at 5m \(evaluation)

            """
        return PromQLScriptRunner.run(try PromQLScript(parsing: script))
    }

    @Test func aRightAnswerPasses() throws {
        #expect(try self.run("up\n  up{a=\"x\"} 6").passed == 1)
    }

    @Test(arguments: [
        ("up\n  up{a=\"x\"} 7", "up{a=\"x\"} 7", "up{a=\"x\"} 6"), ("up\n  expect fail", "an error", "up{a=\"x\"} 6"),
        ("up{a=\"y\"}\n  up{a=\"y\"} 7", "up{a=\"y\"} 7", "nothing"), ("up", "nothing", "up{a=\"x\"} 6"),
        ("raet(up[5m])\n  {a=\"x\"} 1", "{a=\"x\"} 1", "error: 1:1: unknown function"),
        ("rate(up[step])\n  {} 1", "{} 1", "error: 1:9: unexpected \"step\""),
        // Words in texts and labels are no functions.
        ("up{b=\"limitk(\"}\n  up{a=\"x\"} 7", "up{a=\"x\"} 7", "nothing"), ("info\n  info 1", "info 1", "nothing"),
        ("up @ start()\n  up{a=\"x\"} 7", "up{a=\"x\"} 7", "up{a=\"x\"} 6"),
    ])
    func aWrongAnswerFails(evaluation: String, expected: String, actual: String) throws {
        let report = try self.run(evaluation)
        let failure = try #require(report.failures.first, "skipped: \(report.skipped)")
        #expect(failure.line == 7)
        #expect(failure.expected == expected)
        #expect(failure.actual.hasPrefix(actual), "\(failure.actual)")
    }

    @Test(arguments: [
        ("info(up)\n  up 1", "experimental: info"),
        ("start_timestamp(up)\n  up 1", "experimental: start_timestamp"),
        ("hist\n  hist 1", "native histograms"),
        ("histogram_avg(hist)\n  {} 1", "native histograms: histogram_avg"),
        ("rate(began[5m])\n  {a=\"x\"} 5", "experimental: start timestamps"),
        ("up\n  up {{schema:0 sum:1 count:1}}", "native histograms"),
    ])
    func whatMayBeSkippedIsNamed(evaluation: String, reason: String) throws {
        let report = try self.run(evaluation)
        #expect(report.skipped == [reason: 1], "\(report.failures)")
    }
}
