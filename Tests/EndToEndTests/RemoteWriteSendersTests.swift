// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Prometheus and vmagent, as Debian has them, push to us: what they sent is what a query returns.
struct RemoteWriteSendersTests {
    /// Scrapes itself and us each second; pushes all of that, but not what was pushed to it.
    private func prometheus(port: UInt16, watched: UInt16, service: RunningService, token: String) throws -> String {
        let host = try #require(service.url.split(separator: "/").last)
        return """
            global: { scrape_interval: 1s, scrape_timeout: 1s }
            scrape_configs:
              - job_name: server
                static_configs: [{ targets: ["127.0.0.1:\(port)"] }]
              - job_name: poyang
                authorization: { credentials: \(token) }
                static_configs: [{ targets: ["\(host)"] }]
              - job_name: watched
                static_configs: [{ targets: ["127.0.0.1:\(watched)"] }]
            remote_write:
              - url: \(service.url)/api/v1/write
                authorization: { credentials: \(token) }
                queue_config: { batch_send_deadline: 200ms }
                write_relabel_configs: [{ source_labels: [job], regex: agent, action: drop }]

            """
    }

    private func vmagent(port: UInt16, prometheus: UInt16) -> String {
        """
        global: { scrape_interval: 1s, scrape_timeout: 1s }
        scrape_configs:
          - job_name: agent
            static_configs: [{ targets: ["127.0.0.1:\(port)", "127.0.0.1:\(prometheus)"] }]

        """
    }

    /// Waits until all that Prometheus has of a selector at a moment is here, too, and fails with what is not.
    private func compare(
        _ query: String,
        at time: Double,
        _ prometheus: Sender,
        _ service: RunningService,
        token: String
    ) async throws -> RawSamples {
        var difference: String?
        var theirs = try await RawSamples(query, at: time, from: prometheus.url)
        do {
            try await eventually("the same samples", within: .seconds(15), poll: .milliseconds(200)) {
                let ours = try await RawSamples(query, at: time, from: service.url, token: token)
                theirs = try await RawSamples(query, at: time, from: prometheus.url)
                difference = theirs.difference(from: ours)
                return difference == nil
            }
        } catch {
            Issue.record("\(query): \(difference ?? "")")
        }
        return theirs
    }

    /// The moment of a scrape of which there were so many before, by Prometheus's own record.
    private func moment(ofScrape number: Int, job: String, _ prometheus: Sender) async throws -> Double {
        var times: [Double] = []
        try await eventually("\(number) scrapes of \(job)", within: .seconds(60), poll: .milliseconds(200)) {
            let now = Date().timeIntervalSince1970
            let up = try await RawSamples("up{job=\"\(job)\"}[5m]", at: now, from: prometheus.url)
            let points = up.series.values.map { $0.compactMap { Double($0.split(separator: " ")[0]) } }
            times = points.min { $0.count < $1.count } ?? []
            return times.count >= number
        }
        return try #require(times.prefix(number).last) / 1000
    }

    @Test(.timeLimit(.minutes(3)))
    func everySampleOfPrometheusAndVmagentIsHereAsItWas() async throws {
        try await withTemporaryFolder { folder in
            let data = folder.appendingPathComponent("data")
            let service = try await RunningService.start(["--embedded-broker", "--data", data.path])
            let token = try await RunningService.makeToken("writer", data: data).token
            let (port, agentPort) = (try Sender.freePort(), try Sender.freePort())
            let prometheus = try await Sender.prometheus(
                self.prometheus(port: port, watched: agentPort, service: service, token: token),
                port: port,
                in: folder
            )
            let vmagent = try await Sender.vmagent(
                self.vmagent(port: agentPort, prometheus: port),
                to: ["\(service.url)/api/v1/write", "\(prometheus.url)/api/v1/write"],
                token: token,
                port: agentPort,
                in: folder
            )
            for job in ["server", "poyang", "watched", "agent"] {
                let time = try await self.moment(ofScrape: 8, job: job, prometheus)
                let all = try await self.compare("{job=\"\(job)\"}[5m]", at: time, prometheus, service, token: token)
                #expect(all.series.count > 20 && all.points > 100, "\(job): \(all.series.count) series")
            }

            // A target that goes away: its series end with a stale marker. vmagent says none of itself when it ends.
            try await vmagent.stop()
            let gone = try await self.momentOfFailure(job: "watched", prometheus)
            for job in ["watched", "agent"] {
                let selector = "{job=\"\(job)\",__name__=\"vm_app_uptime_seconds\"}"
                let before = try await self.compare("\(selector)[5m]", at: gone, prometheus, service, token: token)
                #expect(before.points > 5, "\(before)")
                let after = try await self.compare(selector, at: gone + 1, prometheus, service, token: token)
                if job == "watched" { #expect(after.points == 0, "\(after)") }
            }
            try await prometheus.stop()
            let metrics = try await service.send("/metrics", token: token).text
            for line in [
                #"poyang_remote_write_requests_total{outcome="refused"} 0"#,
                #"poyang_remote_write_requests_total{outcome="partial"} 0"#,
                #"poyang_remote_write_requests_total{outcome="unavailable"} 0"#,
            ] { #expect(metrics.contains(line + "\n"), "\(metrics)") }
            try await service.stop()
            #expect(service.process.outcome.status == 0, "\(service.process.errors)")
        }
    }

    /// The first moment at which a target was seen to be down.
    private func momentOfFailure(job: String, _ prometheus: Sender) async throws -> Double {
        var first: Double?
        try await eventually("\(job) to be down", within: .seconds(60), poll: .milliseconds(200)) {
            let now = Date().timeIntervalSince1970
            let up = try await RawSamples("up{job=\"\(job)\"}[5m]", at: now, from: prometheus.url)
            first = up.series.values.joined().map { $0.split(separator: " ") }.filter { $0.last == "0.0" }
                .compactMap { Double($0[0]) }.min()
            return first != nil
        }
        return try #require(first) / 1000
    }
}
