// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// What Grafana's Prometheus data source asks, and what it reads in the answers.
struct GrafanaTests {
    private static let samples = """
        level_meters{site="a"} 18.5 1700000000
        level_meters{site="b"} 7 1700000000
        tips_total{site="a"} 4 1700000000
        # EOF

        """

    private func withService(_ body: (RunningService) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let service = try await RunningService.start(importing: Self.samples, "openmetrics", in: folder)
            try await body(service)
            try await service.stop()
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func savingTheDataSourceFindsItHealthy() async throws {
        try await self.withService { (service: RunningService) async throws in
            let health = try await service.ask("/api/v1/query", ["query": "1+1", "time": "4"], method: "POST")
            #expect(health.data == #"{"result":[4,"2"],"resultType":"scalar"}"#, "\(health.text)")
            let build = try await service.ask("/api/v1/status/buildinfo").json()["data"] as? [String: Any]
            let version = try #require(build?["version"] as? String)
            // Grafana switches on what a version can by its number, and off where "features" are named.
            #expect(version.split(separator: ".").compactMap { Int($0) }.count == 3, "\(version)")
            let metadata = try await service.ask("/api/v1/metadata").json()
            #expect(metadata["status"] as? String == "success" && metadata["data"] is [String: Any])
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func theQueryBuilderFindsMetricsLabelsAndValues() async throws {
        try await self.withService { (service: RunningService) async throws in
            let times: [(String, String)] = [("start", "1699996400"), ("end", "1700003600")]
            func find(_ path: String, _ parameters: [(String, String)], _ method: String = "GET") async throws
                -> HTTPAnswer
            {
                try await HTTPAnswer.of(service.url, "/api/v1/" + path, parameters + times, method: method)
            }
            #expect(try await find("label/__name__/values", []).data == #"["level_meters","tips_total"]"#)
            #expect(try await find("label/__name__/values", [("match[]", #"{site="b"}"#)]).data == #"["level_meters"]"#)
            let level = #"{__name__="level_meters"}"#
            #expect(try await find("labels", [("match[]", level)]).data == #"["__name__","site"]"#)
            #expect(try await find("labels", [("match[]", level)], "POST").data == #"["__name__","site"]"#)
            #expect(try await find("label/site/values", [("match[]", level)]).data == #"["a","b"]"#)
            let series = #"[{"__name__":"level_meters","site":"a"},{"__name__":"level_meters","site":"b"}]"#
            #expect(try await find("series", [("match[]", level)]).data == series)
            #expect(try await find("series", [("match[]", level)], "POST").data == series)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aPanelAsksWithATimeGridAndStepOfItsOwn() async throws {
        try await self.withService { (service: RunningService) async throws in
            let panel: KeyValuePairs = [
                "query": #"max by(site) (level_meters{site=~"a|b"})"#, "start": "1699999995", "end": "1700000025",
                "step": "15",
            ]
            let answer = try await service.ask("/api/v1/query_range", panel, method: "POST")
            #expect(
                answer.data
                    == #"{"result":[{"metric":{"site":"a"},"values":[[1700000010,"18.5"],[1700000025,"18.5"]]},"#
                    + #"{"metric":{"site":"b"},"values":[[1700000010,"7"],[1700000025,"7"]]}],"resultType":"matrix"}"#,
                "\(answer.text)"
            )
            let alerts = try await service.ask("/api/v1/alerts")
            #expect(alerts.data == #"{"alerts":[]}"#, "\(alerts.text)")
        }
    }
}
