// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// A token bound to one org sees nothing of the others, however the question is put.
struct TenancyTests {
    private static let own = "yunshang-demo-coop"
    private static let time = "1535753400"

    /// What only others have: sites, orgs, devices and metrics.
    private static let foreign = [
        "usgs-01581752", "xingzi", "poyang-demo", "poyang-flood-office", "flow_of_others", "siteless", "others-county",
    ]

    /// Others' series, for an administrator to import.
    private static let others = """
        water_level_meters{site="xingzi"} 19.5 1535753100
        flow_of_others{site="usgs-01581752",county="others-county"} 3 1535753100
        flow_of_others{site="coop-field-1",org="poyang-demo"} 4 1535753100
        flow_of_others{site="coop-field-1",org="poyang-flood-office"} 4 1535753100
        soil_moisture_percent{site="siteless",depth="10cm"} 20 1535753100
        soil_moisture_percent{org="siteless"} 21 1535753100
        soil_moisture_percent{site="xingzi",depth="10cm"} 22 1535753100
        # EOF

        """

    /// Instant queries; none may say anything that the store without the others' series does not say.
    private static let queries = [
        #"{__name__=~".+"}"#, #"count({__name__=~".+"})"#, #"count by (__name__, org, site) ({__name__=~".+"})"#,
        #"group by (org) ({site=~".*"})"#, #"{site="usgs-01581752"}"#, #"{site=~"usgs.*|xingzi"}"#,
        #"{site!="coop-field-1"}"#, #"{site!~"coop.*"}"#, #"{org="poyang-demo"}"#, #"{org!="yunshang-demo-coop"}"#,
        #"{org="",__name__=~".+"}"#, #"{org=~"poyang.*"}"#, #"{org=~".*",site=~".+"}"#,
        #"{org!~"yunshang.*",site=~".+"}"#,
        #"{org=~"poyang-demo|yunshang-demo-coop",__name__=~".+"}"#, #"{basin="poyang"}"#,
        #"{basin!="demo",site=~".+"}"#,
        #"{kind="lake"}"#, #"{kind!="field",__name__=~".+"}"#, #"{county="others-county"}"#, "water_level_meters",
        #"water_level_meters or soil_moisture_percent"#, "soil_moisture_percent or on() water_level_meters",
        "vector(1) or water_level_meters", "water_level_meters unless soil_moisture_percent",
        #"label_replace(water_level_meters, "org", "yunshang-demo-coop", "", "")"#,
        #"label_replace({site=~".+"}, "org", "yunshang-demo-coop", "org", ".*")"#,
        #"label_join({__name__=~"soil.*"}, "org", "", "nothing")"#, "water_level_meters @ 1535753100",
        "water_level_meters @ 1535753100 offset 30s", "water_level_meters offset -5m", "flow_of_others @ end()",
        "water_level_meters[100y]", "flow_of_others[100y]", "soil_moisture_percent[100y]",
        "max_over_time(water_level_meters[1d:1m])", #"count_over_time({__name__=~".+"}[1d])"#,
        #"sum(count_over_time({__name__=~"flow.*|water.*"}[1d:1m] @ 1535753400))"#,
        "avg_over_time(water_level_meters[30d])",
        "absent(water_level_meters)", #"absent(water_level_meters{site="xingzi"})"#, "absent(flow_of_others)",
        "absent_over_time(flow_of_others[1d])", "scalar(water_level_meters)", "count(flow_of_others) or vector(0)",
        "topk(1, water_level_meters)", #"count_values("value", water_level_meters)"#,
        "time() - timestamp(flow_of_others)",
        "site_threshold_meters", #"site_threshold_meters{site="xingzi"}"#, #"site_threshold_meters{hazard="flood"}"#,
        #"{__name__=~"site_threshold_.*"}"#, #"site_threshold_meters{org!="yunshang-demo-coop"}"#,
        "water_level_meters >= on(site) group_left() site_threshold_meters", "count(site_threshold_meters)",
        "channel_silent", #"channel_silent{site="usgs-01581752"}"#, #"channel_silent{org=""}"#, "count(channel_silent)",
        #"max_over_time({__name__=~"site_threshold_.*|channel_silent"}[1d:1h])"#, "ALERTS", "ALERTS_FOR_STATE",
        #"{__quality__=~".*",site=~".+"}"#, #"{__quality__="3",__name__=~".+"}"#,
    ]

    private static let paths: [(String, [(String, String)])] = [
        ("/api/v1/series", [("match[]", #"{__name__=~".+"}"#)]), ("/api/v1/series", [("match[]", #"{org!=""}"#)]),
        ("/api/v1/series", [("match[]", "water_level_meters"), ("match[]", "channel_silent")]),
        ("/api/v1/series", [("match[]", "site_threshold_meters"), ("start", "1535700000"), ("end", time)]),
        ("/api/v1/labels", []), ("/api/v1/labels", [("match[]", #"{org="poyang-demo"}"#)]),
        ("/api/v1/label/__name__/values", []), ("/api/v1/label/site/values", []), ("/api/v1/label/org/values", []),
        ("/api/v1/label/county/values", []), ("/api/v1/label/basin/values", []), ("/api/v1/label/kind/values", []),
        ("/api/v1/label/device/values", []), ("/api/v1/label/hazard/values", []),
        ("/api/v1/label/site/values", [("match[]", #"{org!~"yunshang.*"}"#)]),
        ("/api/v1/metadata", []), ("/api/v1/metadata", [("metric", "flow_of_others")]), ("/api/v1/alerts", []),
    ]

    private static func token(_ role: String, org: String? = nil, in data: String) async throws -> String {
        let run = try await PoyangProcess.run(
            ["token", "create", "--json", "--role", role, "--data", data] + (org.map { ["--org", $0] } ?? [])
        )
        let rows = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [[String: Any]]
        return try #require(rows?.first?["token"] as? String, "\(run.errors)")
    }

    /// The shipped sites with readings of the cooperative's field, and perhaps of others.
    private func start(_ data: String, withOthers: Bool) async throws -> RunningService {
        let service = try await RunningService.start([
            "--embedded-broker", "--data", data, "--clock", "data", "--exercise",
        ])
        var payloads = [
            (
                "poyang/v1/devices/coop-field-1-node/telemetry",
                #"{"ts":1535753100000,"values":{"soil_moisture_percent":31.5}}"#
            )
        ]
        if withOthers {
            let gauge = "poyang/v1/devices/usgs-01581752-1/telemetry"
            payloads += [
                (gauge, #"{"ts":1535752800000,"values":{"gage_height_ft":2.0},"simulated":true}"#),
                (gauge, #"{"ts":1535753100000,"values":{"gage_height_ft":3.2},"simulated":true}"#),
            ]
        }
        try await TestPublisher.publish(payloads.map { ($0.0, Array($0.1.utf8)) }, to: service.broker)
        try await service.settled(messages: payloads.count)
        if withOthers {
            let answer = try await self.write(Self.others, to: service, token: try await Self.token("admin", in: data))
            try #require(answer.text.contains(#""stored":7"#), "\(answer.text)")
        }
        return service
    }

    private func write(_ text: String, to service: RunningService, token: String) async throws -> HTTPAnswer {
        var request = URLRequest(
            url: try #require(URL(string: service.url + "/api/v1/import?format=openmetrics"))
        )
        request.httpMethod = "POST"
        request.httpBody = Data(text.utf8)
        request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization")
        let (body, response) = try await URLSession.shared.data(for: request)
        let status = try #require(response as? HTTPURLResponse).statusCode
        return HTTPAnswer(status: status, contentType: "", text: String(decoding: body, as: UTF8.self))
    }

    // MARK: Reading

    @Test(.timeLimit(.minutes(3)))
    func answersAreTheSameAsIfTheOthersHadNothing() async throws {
        try await withTemporaryFolder { folder in
            let (mixed, plain) = (
                folder.appendingPathComponent("mixed").path, folder.appendingPathComponent("plain").path
            )
            let shared = try await self.start(mixed, withOthers: true)
            let alone = try await self.start(plain, withOthers: false)
            let token = try await Self.token("viewer", org: Self.own, in: mixed)
            let everything = try await Self.token("viewer", in: mixed)
            let reference = try await Self.token("viewer", org: Self.own, in: plain)
            var requests = Self.paths
            for query in Self.queries {
                requests.append(("/api/v1/query", [("query", query), ("time", Self.time)]))
                requests.append(
                    (
                        "/api/v1/query_range",
                        [
                            ("query", query), ("start", "1535752800"), ("end", Self.time), ("step", "150"),
                        ]
                    )
                )
            }
            var hidden = 0
            for (path, parameters) in requests {
                let answer = try await HTTPAnswer.of(shared.url, path, parameters, token: token)
                let expected = try await HTTPAnswer.of(alone.url, path, parameters, token: reference)
                #expect(
                    answer.status == expected.status && answer.data == expected.data,
                    "\(path) \(parameters): \(answer.text) instead of \(expected.text)"
                )
                // What the question itself says comes back with some answers.
                let asked = parameters.map(\.1).joined()
                for name in Self.foreign where !asked.contains(name) {
                    #expect(!answer.text.contains(name), "\(path) \(parameters): \(answer.text)")
                }
                let all = try await HTTPAnswer.of(shared.url, path, parameters, token: everything)
                if all.data != answer.data { hidden += 1 }
            }
            #expect(hidden > requests.count / 2, "there is something to hide: \(hidden) of \(requests.count)")
            let own = try await shared.ask(
                "/api/v1/query",
                ["query": #"soil_moisture_percent{org="yunshang-demo-coop"}"#, "time": Self.time],
                token: token
            )
            #expect(own.text.contains("31.5"), "\(own.text)")
            try await shared.stop()
            try await alone.stop()
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func exportsHoldTheOwnSeriesOnly() async throws {
        try await withTemporaryFolder { folder in
            let service = try await self.start(folder.path, withOthers: true)
            let token = try await Self.token("viewer", org: Self.own, in: folder.path)
            for selector in [
                #"{__name__=~".+"}"#, #"{org=~".*",__name__=~".+"}"#, #"{site!="",org!="yunshang-demo-coop"}"#,
                #"{org="",__name__=~".+"}"#, "flow_of_others", #"{site=~"xingzi|usgs.*"}"#,
                #"{__quality__=~".*",site=~".+"}"#,
            ] {
                for format in ["csv", "openmetrics", "vm-jsonl", "prometheus"] {
                    let parameters: KeyValuePairs = [
                        "match[]": selector, "match[]": "water_level_meters", "format": format,
                    ]
                    let answer = try await service.ask("/api/v1/export", parameters, token: token)
                    #expect(answer.status == 200, "\(selector): \(answer.text)")
                    for name in Self.foreign { #expect(!answer.text.contains(name), "\(selector): \(answer.text)") }
                }
            }
            try await service.stop()
        }
    }

    // MARK: Stored labels and writers

    @Test(.timeLimit(.minutes(2)))
    func aStoredOrgDecidesAndOnlyAnAdministratorStoresOne() async throws {
        try await withTemporaryFolder { folder in
            let service = try await self.start(folder.path, withOthers: false)
            let admin = try await Self.token("admin", in: folder.path)
            let writer = try await Self.token("writer", org: Self.own, in: folder.path)
            let viewer = try await Self.token("viewer", org: Self.own, in: folder.path)
            let other = try await Self.token("viewer", org: "poyang-demo", in: folder.path)
            func sees(_ metric: String, _ token: String) async throws -> Bool {
                let query: KeyValuePairs = ["query": "\(metric)[1h]", "time": Self.time]
                let answer = try await service.ask("/api/v1/query", query, token: token)
                let series = try await service.ask("/api/v1/series", ["match[]": metric], token: token)
                #expect(series.text.contains(metric) == answer.text.contains(metric), "\(series.text) \(answer.text)")
                return answer.text.contains(metric)
            }
            func line(_ series: String) -> String { "\(series) 1 1535753100\n# EOF\n" }
            // Of a site of somebody else, and of no site at all.
            let lent = line(#"lent{site="usgs-01581752",org="yunshang-demo-coop"}"#)
            #expect(try await self.write(lent, to: service, token: admin).status == 200)
            #expect(try await sees("lent", viewer))
            #expect(try await !sees("lent", other))
            let loose = line(#"loose{org="yunshang-demo-coop"}"#)
            #expect(try await self.write(loose, to: service, token: admin).status == 200)
            #expect(try await sees("loose", viewer))

            for series in [
                #"forged{site="coop-field-1",org="poyang-demo"}"#, #"forged{site="usgs-01581752"}"#,
                #"forged{site="usgs-01581752",org="yunshang-demo-coop"}"#, #"forged{org="poyang-demo"}"#, "forged",
                #"forged{site="nowhere"}"#,
            ] {
                let answer = try await self.write(line(series), to: service, token: writer)
                let isRefused = answer.text.contains("belongs to") || answer.text.contains("carries the org")
                #expect(isRefused, "\(series): \(answer.text)")
            }
            let all = try await service.ask("/api/v1/series", ["match[]": "forged"], token: admin)
            #expect(all.data == "[]", "\(all.text)")
            for series in [#"real{site="coop-field-1"}"#, #"real{site="coop-field-2",org="yunshang-demo-coop"}"#] {
                let answer = try await self.write(line(series), to: service, token: writer)
                #expect(answer.text.contains(#""stored":1"#), "\(series): \(answer.text)")
            }
            #expect(try await sees("real", viewer))
            #expect(try await !sees("real", other))
            try await service.stop()
        }
    }
}
