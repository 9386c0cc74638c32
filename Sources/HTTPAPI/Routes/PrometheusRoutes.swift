// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird
import PromQL
import Telemetry

/// Prometheus's HTTP API, so that Grafana and promtool work against us as they are.
struct PrometheusRoutes: Sendable {
    let backend: any APIBackend

    /// The most steps that a range query may have; Prometheus's own limit.
    private static let maximumSteps: Milliseconds = 11_000

    func add(to router: Router<APIRequestContext>) {
        let group = router.group("/api/v1")
        for method in [HTTPRequest.Method.get, .post] {
            group.on("/query", method: method) { request, context in
                await self.answer { try await self.instant(request, context) }
            }
            group.on("/query_range", method: method) { request, context in
                await self.answer { try await self.range(request, context) }
            }
            group.on("/series", method: method) { request, context in
                await self.answer { try await self.series(request, context) }
            }
            group.on("/labels", method: method) { request, context in
                await self.answer { try await self.labelNames(request, context) }
            }
        }
        group.get("/label/:name/values") { request, context in
            await self.answer { try await self.labelValues(request, context) }
        }
        group.get("/metadata") { _, _ in
            try JSONBody.response(PrometheusAnswer([String: [String]]()), keys: .asDeclared)
        }
        group.get("/status/buildinfo") { _, _ in
            try JSONBody.response(PrometheusAnswer(["version": "3.0.0", "application": "poyang"]), keys: .asDeclared)
        }
        group.get("/alerts") { _, context in
            try JSONBody.response(
                PrometheusAnswer(["alerts": try await self.backend.alertReports(org: context.access.org)]),
                keys: .asDeclared
            )
        }
    }

    private func instant(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let parameters = try await RequestParameters(request)
        let query = try Query(parsing: try self.required("query", parameters))
        let time = try self.time("time", parameters) ?? self.backend.now()
        let result = try self.evaluator(context).instant(query, at: time)
        return try JSONBody.response(
            PrometheusAnswer(QueryData.instant(result.value, at: time), warnings: result.warnings),
            keys: .asDeclared
        )
    }

    private func range(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let parameters = try await RequestParameters(request)
        let query = try Query(parsing: try self.required("query", parameters))
        guard let start = try self.time("start", parameters), let end = try self.time("end", parameters) else {
            throw BadParameter(message: "parameters 'start' and 'end' are needed")
        }
        guard let text = parameters["step"], let step = PrometheusNumber.span(text), step > 0 else {
            throw BadParameter(message: "parameter 'step' should be a duration above zero, such as 5m or 300")
        }
        guard end >= start else { throw BadParameter(message: "'end' lies before 'start'") }
        guard (end - start) / step <= Self.maximumSteps else {
            throw BadParameter(
                message: "exceeded maximum resolution of \(Self.maximumSteps) points per timeseries; "
                    + "try a larger 'step'"
            )
        }
        let result = try self.evaluator(context).range(query, from: start, through: end, step: step)
        return try JSONBody.response(
            PrometheusAnswer(QueryData.range(result.series), warnings: result.warnings),
            keys: .asDeclared
        )
    }

    private func series(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let parameters = try await RequestParameters(request)
        let selectors = parameters.all("match[]")
        guard !selectors.isEmpty else { throw BadParameter(message: "parameter 'match[]' is missing") }
        return try JSONBody.response(PrometheusAnswer(try self.found(parameters, context).sorted()), keys: .asDeclared)
    }

    private func labelNames(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let found = try self.found(try await RequestParameters(request), context)
        return try JSONBody.response(PrometheusAnswer(Set(found.joined().map(\.name)).sorted()), keys: .asDeclared)
    }

    private func labelValues(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let name = try context.parameters.require("name")
        let found = try self.found(try await RequestParameters(request), context)
        return try JSONBody.response(
            PrometheusAnswer(Set(found.compactMap { $0.value(of: name) }).sorted()),
            keys: .asDeclared
        )
    }

    /// The label sets that one of the selectors in `match[]` finds between `start` and `end`; all without selectors.
    private func found(_ parameters: RequestParameters, _ context: APIRequestContext) throws -> Set<Labels> {
        let after = try self.time("start", parameters).map { $0 - 1 } ?? .distantPast
        let through = try self.time("end", parameters) ?? .distantFuture
        let reader = self.backend.reader(org: context.access.org)
        var matcherLists: [[LabelMatcher]] = []
        for text in parameters.all("match[]") {
            let selectors = try Query(parsing: text).selectors
            guard selectors.count == 1 else {
                throw BadParameter(message: "'match[]' should be one selector, found: \(text)")
            }
            matcherLists += selectors.map(\.matchers)
        }
        if matcherLists.isEmpty { matcherLists = [[]] }
        var found: Set<Labels> = []
        for matchers in matcherLists {
            found.formUnion(try reader.series(matching: matchers, after: after, through: through))
        }
        return found
    }

    private func evaluator(_ context: APIRequestContext) -> Evaluator {
        Evaluator(reader: self.backend.reader(org: context.access.org), options: EvaluationOptions(usesSummaries: true))
    }

    private func required(_ name: String, _ parameters: RequestParameters) throws -> String {
        guard let value = parameters[name] else { throw BadParameter(message: "parameter '\(name)' is missing") }
        return value
    }

    private func time(_ name: String, _ parameters: RequestParameters) throws -> Timestamp? {
        guard let text = parameters[name] else { return nil }
        guard let time = PrometheusNumber.time(text) else {
            throw BadParameter(message: "'\(name)' should be Unix seconds or RFC 3339, found: \(text)")
        }
        return time
    }

    private struct BadParameter: Error {
        let message: String
    }

    /// Runs a route and gives its errors Prometheus's shape.
    private func answer(_ route: () async throws -> Response) async -> Response {
        do {
            return try await route()
        } catch let error as BadParameter {
            return self.failure(.badRequest, "bad_data", error.message)
        } catch let error as PromQLError {
            return error.code != .syntax
                ? self.failure(.unprocessableContent, "execution", "\(error)")
                : self.failure(.badRequest, "bad_data", "invalid parameter \"query\": \(error)")
        } catch let problem as APIProblem {
            return self.failure(problem.status, "bad_data", problem.detail)
        } catch {
            return self.failure(.internalServerError, "internal", "\(error)")
        }
    }

    private func failure(_ status: HTTPResponse.Status, _ type: String, _ message: String) -> Response {
        let body = PrometheusFailure(errorType: type, error: message)
        return (try? JSONBody.response(body, status: status, keys: .asDeclared)) ?? Response(status: status)
    }
}
