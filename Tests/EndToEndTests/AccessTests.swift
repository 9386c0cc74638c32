// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Who may see and do what.
struct AccessTests {
    private static let coop = "yunshang-demo-coop"

    private func ask(
        _ service: RunningService,
        _ path: String,
        method: String = "GET",
        token: String? = nil,
        body: String? = nil
    ) async throws -> (status: Int, text: String) {
        try await service.send(path, method: method, token: token, body: body.map { Data($0.utf8) })
    }

    private func makeToken(_ role: String, org: String? = nil, data: URL) async throws -> (id: String, token: String) {
        try await RunningService.makeToken(role, org: org, data: data)
    }

    /// A flood at the demo gauge, a wet field of the cooperative, and a payload of each that is refused.
    private func publish(to service: RunningService) async throws {
        let gauge = "poyang/v1/devices/usgs-01581752-1/telemetry"
        let field = "poyang/v1/devices/coop-field-1-node/telemetry"
        let payloads = [
            (gauge, #"{"ts":1535752800000,"values":{"gage_height_ft":2.0},"simulated":true}"#),
            (gauge, #"{"ts":1535753100000,"values":{"gage_height_ft":3.2},"simulated":true}"#),
            (gauge, #"{"gage_height_ft":"high"}"#),
            (field, #"{"ts":1535753100000,"values":{"soil_moisture_percent":31.5}}"#),
            (field, #"{"soil_moisture_percent":"wet"}"#),
        ]
        try await TestPublisher.publish(payloads.map { ($0.0, Array($0.1.utf8)) }, to: service.broker)
        try await service.settled(messages: payloads.count)
    }

    private func start(_ folder: URL) async throws -> RunningService {
        try await RunningService.start([
            "--embedded-broker", "--data", folder.path, "--clock", "data", "--exercise",
        ])
    }

    @Test(.timeLimit(.minutes(1)))
    func readsOnLoopbackAreOpenUntilATokenExistsAndWritesNever() async throws {
        try await withTemporaryFolder { folder in
            let service = try await self.start(folder)
            try await self.publish(to: service)
            let warnings = try await self.ask(service, "/api/warnings")
            #expect(warnings.status == 200)
            let rows = try JSONSerialization.jsonObject(with: Data(warnings.text.utf8)) as? [[String: Any]]
            let number = try #require(rows?.first?["number"] as? String)
            let writes = [
                ("/api/warnings/\(number)/ack", #"{"note":"seen"}"#),
                ("/api/devices/import", "device_id,model,site_id\n"),
                ("/api/v1/import", "{}"), ("/api/v1/write", ""),
                ("/api/clock/advance", #"{"to":"2030-01-01T00:00:00Z"}"#),
                ("/api/reload", "{}"), ("/api/tokens", #"{"role":"admin"}"#),
            ]
            for (path, body) in writes {
                let answer = try await self.ask(service, path, method: "POST", body: body)
                #expect(answer.status == 401, "\(path): \(answer.text)")
                #expect(answer.text.contains("token"))
            }
            let reads = [
                "/api/status", "/alerts/active", "/api/v1/query?query=up", "/api/v1/export?match%5B%5D=up", "/metrics",
                "/api/sites", "/alerts",
            ]
            for path in reads { #expect(try await self.ask(service, path).status == 200, "\(path)") }

            let viewer = try await self.makeToken("viewer", data: folder)
            for path in reads {
                #expect(try await self.ask(service, path).status == 401, "\(path)")
                #expect(try await self.ask(service, path, token: viewer.token).status == 200, "\(path)")
                #expect(try await self.ask(service, path, token: "guess").status == 401, "\(path)")
            }
            for path in ["/-/healthy", "/-/ready", "/"] {
                #expect(try await self.ask(service, path).status == 200, "\(path)")
            }
            for (path, body) in writes {
                let answer = try await self.ask(service, path, method: "POST", token: viewer.token, body: body)
                #expect(answer.status == 403, "\(path): \(answer.text)")
            }
            let duty = try await self.makeToken("duty", data: folder)
            let acknowledged = try await self.ask(
                service,
                "/api/warnings/\(number)/ack",
                method: "POST",
                token: duty.token,
                body: #"{"note":"seen"}"#
            )
            #expect(acknowledged.status == 200, "\(acknowledged.text)")
            let ledger = try await self.ask(service, "/api/warnings/\(number)/ledger", token: duty.token)
            #expect(ledger.text.contains(duty.id), "the ledger says who: \(ledger.text)")
            let revoke = try await PoyangProcess.run(["token", "revoke", viewer.id, "--data", folder.path])
            #expect(revoke.status == 0, "\(revoke.errors)")
            #expect(try await self.ask(service, "/api/status", token: viewer.token).status == 401)
            try await service.stop()
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func theOrgOfATokenLimitsWhatIsSeenAndDone() async throws {
        try await withTemporaryFolder { folder in
            let service = try await self.start(folder)
            try await self.publish(to: service)
            let token = try await self.makeToken("viewer", org: Self.coop, data: folder).token
            let everything = try await self.makeToken("viewer", data: folder).token
            // What one with all rights sees of the other org must not be seen here.
            for path in [
                "/api/status", "/api/sites", "/api/devices", "/api/warnings", "/alerts", "/alerts/active",
                "/alerts.atom", "/api/v1/alerts", "/api/v1/query?query=water_level_meters%5B100y%5D",
                "/api/v1/series?match%5B%5D=water_level_meters", "/api/v1/label/site/values",
                "/api/v1/query?query=%7Bsite%3D%22usgs-01581752%22%7D%5B100y%5D",
            ] {
                let all = try await self.ask(service, path, token: everything)
                #expect(
                    all.status == 200 && all.text.contains(path.hasSuffix(".atom") ? "poyang-E2018" : "usgs-01581752"),
                    "\(path): \(all.text)"
                )
                let own = try await self.ask(service, path, token: token)
                #expect(own.status == 200, "\(path): \(own.text)")
                #expect(!own.text.contains("usgs-01581752") && !own.text.contains("E2018"), "\(path): \(own.text)")
            }
            let own = try await self.ask(service, "/api/v1/query?query=soil_moisture_percent%5B100y%5D", token: token)
            #expect(own.text.contains("coop-field-1"), "\(own.text)")

            let all = try await self.ask(service, "/alerts?start=2000-01-01T00:00:00Z", token: everything)
            let collection = try JSONSerialization.jsonObject(with: Data(all.text.utf8)) as? [String: Any]
            let features = try #require(collection?["features"] as? [[String: Any]])
            let message = try #require(features.first?["properties"] as? [String: Any])
            let id = try #require(message["id"] as? String)
            let number = try #require(message["number"] as? String)
            for path in ["/alerts/\(id)", "/alerts/\(id).cap", "/api/warnings/\(number)", "/api/sites/usgs-01581752"] {
                #expect(try await self.ask(service, path, token: everything).status == 200, "\(path)")
                #expect(try await self.ask(service, path, token: token).status == 404, "\(path)")
            }
            let export = "/api/v1/export?match%5B%5D=%7B__name__%3D~%22.%2B%22%7D"
            #expect(try await self.ask(service, export, token: everything).text.contains("usgs-01581752"))
            #expect(try await !self.ask(service, export, token: token).text.contains("usgs-01581752"))
            let follower = try FeedFollower(service, from: .parameter(0), token: token)
            let other = try FeedFollower(service, from: .parameter(0), token: everything)
            _ = try await other.events(through: features.count)
            try await follower.connected()
            #expect(follower.events.isEmpty)

            let engineer = try await self.makeToken("device-admin", org: Self.coop, data: folder).token
            let quarantine = try await self.ask(service, "/api/quarantine", token: engineer)
            #expect(quarantine.text.contains("coop-field-1-node"), "\(quarantine.text)")
            #expect(!quarantine.text.contains("usgs-01581752-1"), "\(quarantine.text)")
            let register = try await self.ask(
                service,
                "/api/devices/import",
                method: "POST",
                token: engineer,
                body: "device_id,model,site_id\nintruder,generic/json,usgs-01581752\n"
            )
            #expect(register.text.contains("error"), "\(register.text)")
            let writer = try await self.makeToken("writer", org: Self.coop, data: folder).token
            let line =
                #"{"metric":{"__name__":"water_level_meters","site":"usgs-01581752"},"values":[1],"timestamps":[1]}"#
            let write = try await self.ask(service, "/api/v1/import", method: "POST", token: writer, body: line)
            #expect(write.text.contains("belongs to no site"), "\(write.text)")
            try await service.stop()
        }
    }
}
