// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// The query API is Prometheus's to the letter ("HTTP API" in its documentation).
struct PrometheusAPITests {
    /// Levels of two stations, a counter, and values that are no numbers.
    private static let samples = """
        level_meters{bank="left",station="a"} 18.5 1700000000
        level_meters{bank="left",station="a"} 18.25 1700000060
        level_meters{station="b"} -0.1 1700000060
        tips_total{station="a"} 10 1699999760
        tips_total{station="a"} 40 1700000060
        odd{kind_of="nan"} NaN 1700000060
        odd{kind_of="plus"} +Inf 1700000060
        odd{kind_of="minus"} -Inf 1700000060
        odd{kind_of="large"} 1e+300 1700000060
        odd{kind_of="small"} 1e-07 1700000060
        # EOF

        """

    private func withService(_ body: (RunningService) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let service = try await RunningService.start(importing: Self.samples, "openmetrics", in: folder)
            try await body(service)
            try await service.stop()
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["GET", "POST"])
    func eachTypeOfResultHasItsShape(method: String) async throws {
        try await self.withService { (service: RunningService) async throws in
            let expected = [
                (
                    "level_meters",
                    #"{"result":[{"metric":{"__name__":"level_meters","bank":"left","station":"a"},"#
                        + #""value":[1700000060,"18.25"]},{"metric":{"__name__":"level_meters","station":"b"},"#
                        + #""value":[1700000060,"-0.1"]}],"resultType":"vector"}"#
                ),
                ("level_meters{station='nowhere'}", #"{"result":[],"resultType":"vector"}"#),
                (
                    "level_meters{bank='left'}[5m]",
                    #"{"result":[{"metric":{"__name__":"level_meters","bank":"left","station":"a"},"#
                        + #""values":[[1700000000,"18.5"],[1700000060,"18.25"]]}],"resultType":"matrix"}"#
                ),
                ("1 + 1", #"{"result":[1700000060,"2"],"resultType":"scalar"}"#),
                ("NaN", #"{"result":[1700000060,"NaN"],"resultType":"scalar"}"#),
                (#""a \"text\"""#, #"{"result":[1700000060,"a \"text\""],"resultType":"string"}"#),
                (
                    "sum(odd{kind_of='nan'})",
                    #"{"result":[{"metric":{},"value":[1700000060,"NaN"]}],"resultType":"vector"}"#
                ),
                (
                    "sum(odd{kind_of='plus'})",
                    #"{"result":[{"metric":{},"value":[1700000060,"+Inf"]}],"resultType":"vector"}"#
                ),
                (
                    "sum(odd{kind_of='minus'})",
                    #"{"result":[{"metric":{},"value":[1700000060,"-Inf"]}],"resultType":"vector"}"#
                ),
            ]
            for (query, data) in expected {
                let answer = try await service.ask(
                    "/api/v1/query",
                    ["query": query, "time": "1700000060"],
                    method: method
                )
                #expect(answer.status == 200 && answer.data == data, "\(query): \(answer.text)")
                #expect(answer.contentType.hasPrefix("application/json"), "\(answer.contentType)")
            }
            let odd = try await service.ask("/api/v1/query", ["query": "odd", "time": "1700000060"], method: method)
            for (kind, text) in [("large", "1e+300"), ("small", "1e-07")] {
                let series = try QueryAnswer(Data(odd.text.utf8)).series.first { $0.labels["kind_of"] == kind }
                #expect(series?.points.first?.value == Double(text), "\(odd.text)")
            }
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["GET", "POST"])
    func aRangeIsAMatrixOfItsSteps(method: String) async throws {
        try await self.withService { (service: RunningService) async throws in
            func range(_ query: String, _ start: String, _ end: String, _ step: String) async throws -> HTTPAnswer {
                let parameters: KeyValuePairs = ["query": query, "start": start, "end": end, "step": step]
                return try await service.ask("/api/v1/query_range", parameters, method: method)
            }
            let answer = try await range("level_meters{bank='left'}", "1699999970", "1700000100", "30")
            #expect(
                answer.data
                    == #"{"result":[{"metric":{"__name__":"level_meters","bank":"left","station":"a"},"values":["#
                    + #"[1700000000,"18.5"],[1700000030,"18.5"],[1700000060,"18.25"],[1700000090,"18.25"]]}],"#
                    + #""resultType":"matrix"}"#,
                "\(answer.text)"
            )
            let scalar = try await range("1", "2023-11-14T22:13:20Z", "2023-11-14T22:13:20.5Z", "0.25")
            #expect(
                scalar.data
                    == #"{"result":[{"metric":{},"values":[[1700000000,"1"],[1700000000.25,"1"],[1700000000.5,"1"]]}],"#
                    + #""resultType":"matrix"}"#,
                "\(scalar.text)"
            )
            let offset = try await range("time()", "2023-11-15T06:13:20+08:00", "1700000060.137", "1m")
            #expect(offset.data.contains(#"[[1700000000,"1700000000"],[1700000060,"1700000060"]]"#), "\(offset.text)")
            #expect(try await range("nothing", "1", "2", "1").data == #"{"result":[],"resultType":"matrix"}"#)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func timesKeepTheirMilliseconds() async throws {
        try await self.withService { (service: RunningService) async throws in
            let query: KeyValuePairs = ["query": "level_meters{station='b'}", "time": "1700000061.137"]
            let answer = try await service.ask("/api/v1/query", query)
            #expect(answer.text.contains(#"[1700000061.137,"-0.1"]"#), "\(answer.text)")
            let now = try await service.ask("/api/v1/query", ["query": "time()"]).json()
            let result = (now["data"] as? [String: Any])?["result"] as? [Any]
            let seconds = try #require(result?.first as? Double)
            #expect(abs(seconds - Date().timeIntervalSince1970) < 60)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func seriesAndLabelsAreFoundByMatchersAndTimes() async throws {
        try await self.withService { (service: RunningService) async throws in
            func find(_ path: String, _ parameters: KeyValuePairs<String, String>) async throws -> HTTPAnswer {
                let answer = try await service.ask("/api/v1/" + path, parameters)
                let posted = try await service.ask("/api/v1/" + path, parameters, method: "POST")
                // Values of a label are asked for with GET alone.
                if !path.hasPrefix("label/") { #expect(posted.data == answer.data) }
                return answer
            }
            let left = #"{"__name__":"level_meters","bank":"left","station":"a"}"#
            let tips = #"{"__name__":"tips_total","station":"a"}"#
            #expect(try await find("series", ["match[]": "level_meters{station='a'}"]).data == "[\(left)]")
            #expect(
                try await find("series", ["match[]": "tips_total", "match[]": "{bank='left'}"]).data
                    == "[\(left),\(tips)]"
            )
            #expect(try await find("series", ["match[]": "level_meters", "end": "1700000000"]).data == "[\(left)]")
            #expect(try await find("series", ["match[]": "tips_total", "start": "1700000061"]).data == "[]")
            #expect(try await find("labels", [:]).data == #"["__name__","bank","kind_of","station"]"#)
            #expect(try await find("labels", ["match[]": "tips_total"]).data == #"["__name__","station"]"#)
            #expect(try await find("labels", ["start": "1800000000"]).data == "[]")
            #expect(
                try await find("label/__name__/values", [:]).data == #"["level_meters","odd","tips_total"]"#
            )
            #expect(try await find("label/station/values", ["match[]": "level_meters"]).data == #"["a","b"]"#)
            #expect(try await find("label/station/values", ["match[]": "{bank!=''}"]).data == #"["a"]"#)
            #expect(try await find("label/nothing/values", [:]).data == "[]")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func whatIsWrongIsSaidInPrometheussWay() async throws {
        try await self.withService { (service: RunningService) async throws in
            let many: KeyValuePairs = ["query": "1", "start": "0", "end": "1700000000", "step": "1"]
            let backwards: KeyValuePairs = ["query": "1", "start": "2", "end": "1", "step": "1"]
            let requests: [(String, KeyValuePairs<String, String>, Int, String)] = [
                ("query", [:], 400, "bad_data"), ("query", ["query": "sum("], 400, "bad_data"),
                ("query", ["query": "1", "time": "noon"], 400, "bad_data"),
                ("query", ["query": "level_meters + on() tips_total", "time": "1700000060"], 422, "execution"),
                ("query_range", ["query": "1"], 400, "bad_data"), ("query_range", backwards, 400, "bad_data"),
                ("query_range", ["query": "1", "start": "1", "end": "2", "step": "0"], 400, "bad_data"),
                ("query_range", ["query": "1", "start": "1", "end": "2", "step": "-1"], 400, "bad_data"),
                ("query_range", many, 400, "bad_data"), ("series", [:], 400, "bad_data"),
                ("series", ["match[]": "{"], 400, "bad_data"),
                ("labels", ["match[]": "odd + odd"], 400, "bad_data"),
                ("labels", ["start": "noon"], 400, "bad_data"),
            ]
            for (path, parameters, status, type) in requests {
                let answer = try await service.ask("/api/v1/" + path, parameters)
                #expect(answer.status == status, "\(path) \(parameters): \(answer.text)")
                #expect(answer.contentType.hasPrefix("application/json"))
                let object = try answer.json()
                #expect(object["status"] as? String == "error")
                #expect(object["errorType"] as? String == type, "\(path) \(parameters): \(answer.text)")
                #expect((object["error"] as? String)?.isEmpty == false)
                #expect(object["data"] == nil)
            }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func parametersOfNewerClientsAreTolerated() async throws {
        try await self.withService { (service: RunningService) async throws in
            for extra in [("timeout", "30s"), ("limit", "100"), ("stats", "all"), ("lookback_delta", "5m"), ("x", "y")]
            {
                for (path, query) in [
                    ("query", [("query", "level_meters"), ("time", "1700000060")]),
                    ("query_range", [("query", "1"), ("start", "1"), ("end", "2"), ("step", "1")]),
                    ("series", [("match[]", "odd")]), ("labels", []), ("label/station/values", []),
                ] {
                    let answer = try await HTTPAnswer.of(service.url, "/api/v1/" + path, query + [extra])
                    #expect(answer.status == 200, "\(path) with \(extra): \(answer.text)")
                }
            }
        }
    }
}
