// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// The rules that are in force, as Prometheus's clients read them.
struct RuleRoutesTests {
    private func groups(_ answer: HTTPAnswer) throws -> [[String: Any]] {
        let data = try #require(try answer.json()["data"] as? [String: Any], "\(answer.text)")
        return try #require(data["groups"] as? [[String: Any]])
    }

    private func rules(_ answer: HTTPAnswer) throws -> [[String: Any]] {
        try self.groups(answer).flatMap { $0["rules"] as? [[String: Any]] ?? [] }
    }

    @Test(.timeLimit(.minutes(1)))
    func groupsHoldRulesAndTheirAlerts() async throws {
        try await RunningService.withAlert { (service: RunningService, _: URL) async throws in
            let answer = try await service.ask("/api/v1/rules")
            let group = try #require(try self.groups(answer).first)
            #expect(
                Set(group.keys) == [
                    "name", "file", "interval", "limit", "rules", "evaluationTime", "lastEvaluation",
                ]
            )
            let rules = try self.rules(answer)
            #expect(
                rules.allSatisfy {
                    Set($0.keys).subtracting(["lastError"]) == [
                        "type", "name", "query", "duration", "keepFiringFor", "labels", "annotations", "alerts",
                        "state", "health", "evaluationTime", "lastEvaluation",
                    ]
                }
            )
            let firing = rules.filter { $0["state"] as? String == "firing" }
            let rule = try #require(firing.first, "\(answer.text)")
            #expect(rule["type"] as? String == "alerting" && rule["health"] as? String == "ok")
            #expect(rule["lastEvaluation"] as? String != "0001-01-01T00:00:00Z")
            let alert = try #require((rule["alerts"] as? [[String: Any]])?.first)
            #expect(alert["state"] as? String == "firing")
            let labels = try #require(alert["labels"] as? [String: String])
            #expect(labels["alertname"] == rule["name"] as? String && labels["site"] == "usgs-01581752")
            #expect(Double(try #require(alert["value"] as? String)) != nil)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func filtersLeaveOutRulesAndAlerts() async throws {
        try await RunningService.withAlert { (service: RunningService, _: URL) async throws in
            func ask(_ parameters: KeyValuePairs<String, String>) async throws -> [[String: Any]] {
                try self.rules(try await service.ask("/api/v1/rules", parameters))
            }
            let all = try await ask([:])
            #expect(try await ask(["type": "alert"]).count == all.count)
            #expect(try await ask(["type": "record"]).isEmpty)
            let refused = try await service.ask("/api/v1/rules", ["type": "alarm"])
            #expect(refused.status == 400 && refused.text.contains("bad_data"), "\(refused.text)")
            let name = try #require(all.first?["name"] as? String)
            let named = try await ask(["rule_name[]": name, "rule_name[]": "none"])
            #expect(!named.isEmpty && named.count < all.count)
            #expect(named.allSatisfy { $0["name"] as? String == name })
            let groups = try self.groups(try await service.ask("/api/v1/rules"))
            let (group, file) = (
                try #require(groups[0]["name"] as? String), try #require(groups[0]["file"] as? String)
            )
            let kept = try self.groups(
                try await service.ask("/api/v1/rules", ["rule_group[]": group, "file[]": file])
            )
            #expect(kept.count == 1 && kept[0]["name"] as? String == group && kept[0]["file"] as? String == file)
            #expect(try await ask(["file[]": "none"]).isEmpty)
            let matched = try await ask(["match[]": #"{hazard="flood",level="blue"}"#, "match[]": #"{hazard="rain"}"#])
            let labels = matched.compactMap { $0["labels"] as? [String: String] }
            #expect(!matched.isEmpty && matched.count < all.count && labels.count == matched.count)
            #expect(labels.allSatisfy { $0["hazard"] == "rain" || $0["hazard"] == "flood" && $0["level"] == "blue" })
            let unreadable = try await service.ask("/api/v1/rules", ["match[]": "{"])
            #expect(unreadable.status == 400)
            let quiet = try await ask(["exclude_alerts": "true"])
            #expect(quiet.count == all.count && quiet.allSatisfy { $0["alerts"] == nil })
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func groupsComeInPages() async throws {
        try await RunningService.withAlert { (service: RunningService, _: URL) async throws in
            let all = try self.groups(try await service.ask("/api/v1/rules")).compactMap { $0["name"] as? String }
            var found: [String] = []
            var token = ""
            repeat {
                let parameters: KeyValuePairs = ["group_limit": "2", "group_next_token": token]
                let answer = try await service.ask("/api/v1/rules", parameters)
                let page = try self.groups(answer).compactMap { $0["name"] as? String }
                #expect(page.count == min(2, all.count - found.count), "\(answer.text)")
                found += page
                token = (try answer.json()["data"] as? [String: Any])?["groupNextToken"] as? String ?? ""
            } while !token.isEmpty && found.count < all.count
            #expect(found == all && token.isEmpty)
            for wrong: KeyValuePairs in [
                ["group_limit": "0"], ["group_next_token": "x"], ["group_limit": "1", "group_next_token": "x"],
            ] {
                let answer = try await service.ask("/api/v1/rules", wrong)
                #expect(answer.status == 400 && answer.text.contains("bad_data"), "\(answer.text)")
            }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aTokenOfAnOrgSeesItsOwnAlertsOnly() async throws {
        try await RunningService.withAlert { (service: RunningService, folder: URL) async throws in
            let own = try await RunningService.makeToken("viewer", org: "poyang-demo", data: folder).token
            let other = try await RunningService.makeToken("viewer", org: "yunshang-demo-coop", data: folder).token
            let seen = try await service.ask("/api/v1/rules", token: own)
            #expect(try self.rules(seen).contains { $0["state"] as? String == "firing" })
            let answer = try await service.ask("/api/v1/rules", token: other)
            #expect(try self.rules(answer).count == self.rules(seen).count)
            #expect(!answer.text.contains("usgs-01581752"), "\(answer.text)")
            #expect(try self.rules(answer).allSatisfy { $0["state"] as? String == "inactive" })
        }
    }
}
