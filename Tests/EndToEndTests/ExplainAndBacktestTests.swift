// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// `rules explain` and `rules backtest` on what a service has stored.
struct ExplainAndBacktestTests {
    private func rows(_ text: String) throws -> [[String: Any]] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]], "\(text)")
    }

    // MARK: - Explain

    @Test(.timeLimit(.minutes(1)))
    func eachPartOfARuleIsShownWithItsValues() async throws {
        try await RunningService.withAlert { service, folder in
            let words = ["rules", "explain", "StageAtOrAboveThreshold", "--site", "usgs-01581752"]
            let run = try await PoyangProcess.run(words + ["--data", folder.path])
            #expect(run.status == 0, "\(run.errors)")
            let blue = try #require(run.output.split(separator: "\n\n").first { $0.contains("level blue") })
            #expect(blue.contains("firing {"), "\(run.output)")
            #expect(blue.contains("since 2018-09-01T06:05:00+08:00"))
            #expect(blue.contains("threshold 0.9"))
            #expect(blue.contains(#"= {site="usgs-01581752"#) || blue.contains("0.97536"), "\(blue)")
            #expect(blue.contains(#"site_threshold_meters{hazard="flood",level="blue"}"#))
            #expect(blue.contains("newest sample 2018-09-01T06:05:00+08:00"))
            #expect(blue.contains("clear: "))
            let red = try #require(run.output.split(separator: "\n\n").first { $0.contains("level red") })
            #expect(red.contains("inactive") && red.contains("= nothing"), "\(red)")

            // Before it fired, from the history of alerts.
            let before = try await PoyangProcess.run(
                words + ["--at", "2018-08-31T22:01:00Z", "--json", "--url", service.url]
            )
            let earlier = try self.rows(before.output)
            #expect(!earlier.contains { $0["part"] as? String == "state" })
            #expect(earlier.contains { $0["value"] as? Double == 0.6096 }, "\(before.output)")
            let during = try await PoyangProcess.run(
                words + ["--at", "2018-08-31T22:06:00Z", "--json", "--url", service.url]
            )
            let states = try self.rows(during.output).filter { $0["part"] as? String == "state" }
            #expect(states.map { $0["state"] as? String } == ["firing"])
            #expect(states.map { $0["level"] as? String } == ["blue"])

            let unknown = try await PoyangProcess.run(["rules", "explain", "Nothing", "--url", service.url])
            #expect(unknown.status == 1)
            #expect(unknown.errors.contains("there is no rule 'Nothing'") && unknown.errors.contains("LowWater"))
            let nowhere = try await PoyangProcess.run(
                ["rules", "explain", "Stage", "--site", "xingzy", "--url", service.url]
            )
            #expect(nowhere.status == 1)
            #expect(nowhere.errors.contains("there is no site 'xingzy'; did you mean 'xingzi'?"), "\(nowhere.errors)")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aTokenOfAnOrgExplainsItsOwnSitesOnly() async throws {
        try await RunningService.withAlert { service, folder in
            let own = try await RunningService.makeToken("viewer", org: "poyang-demo", data: folder).token
            let other = try await RunningService.makeToken("viewer", org: "yunshang-demo-coop", data: folder).token
            let path = "/api/v1/rules/explain"
            let seen = try await service.ask(path, ["alert": "Stage"], token: own)
            #expect(seen.text.contains("usgs-01581752") && seen.text.contains("firing"), "\(seen.text)")
            let hidden = try await service.ask(path, ["alert": "Stage"], token: other)
            #expect(hidden.status == 200 && !hidden.text.contains("usgs-01581752"), "\(hidden.text)")
            let refused = try await service.ask(path, ["alert": "Stage", "site": "usgs-01581752"], token: other)
            #expect(refused.status == 404)
        }
    }

    // MARK: - Backtest

    private static let backtest = [
        "rules", "backtest", "--rules", "Rules/flood", "--from", "2018-08-31T22:00:00Z", "--to",
        "2018-08-31T23:00:00Z",
    ]

    @Test(.timeLimit(.minutes(1)))
    func storedHistoryIsPlayedByTheServiceAndWithoutIt() async throws {
        try await RunningService.withAlert { service, folder in
            let run = try await PoyangProcess.run(Self.backtest + ["--json", "--data", folder.path])
            #expect(run.status == 0, "\(run.errors)")
            let rows = try self.rows(run.output)
            let raised = try #require(rows.first)
            #expect(raised["change"] as? String == "raised" && raised["level"] as? String == "blue")
            #expect(raised["time"] as? String == "2018-09-01T06:05:00+08:00")
            #expect(raised["value"] as? Double == 0.97536 && raised["threshold"] as? Double == 0.9)
            // Its only reading is its peak.
            #expect(raised["lead_seconds"] as? Int == 0)
            #expect(rows.contains { $0["change"] as? String == "held" && $0["reason"] as? String == "no_data" })
            let elsewhere = try await PoyangProcess.run(
                Self.backtest + ["--site", "xingzi", "--data", folder.path]
            )
            #expect(elsewhere.output.contains("no alert was raised"), "\(elsewhere.output)")
            let nowhere = try await PoyangProcess.run(Self.backtest + ["--site", "nosuch", "--data", folder.path])
            #expect(nowhere.status == 1 && nowhere.errors.contains("there is no site 'nosuch'"), "\(nowhere.errors)")
            let plot = try await PoyangProcess.run(Self.backtest + ["--plot", "--data", folder.path])
            #expect(plot.output.contains("raised and ended: B/b blue"), "\(plot.output)\(plot.errors)")

            let viewer = try await RunningService.makeToken("viewer", org: "poyang-demo", data: folder).token
            let refused = try await PoyangProcess.run(Self.backtest + ["--url", service.url, "--token", viewer])
            #expect(refused.status == 1 && refused.errors.contains("may not administer"), "\(refused.errors)")

            try await service.stop()
            let offline = try await PoyangProcess.run(Self.backtest + ["--json", "--data", folder.path])
            #expect(offline.output == run.output, "\(offline.errors)")
        }
    }
}
