// poyang
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import PromQL

/// What Prometheus's clients ask beside queries, so that Grafana and promtool work against us as they are.
struct PrometheusRoutes: Sendable {
    let backend: any APIBackend

    func add(to router: Router<APIRequestContext>) {
        let group = router.group("/api/v1").add(middleware: PrometheusErrors())
        for method in [HTTPRequest.Method.get, .post] { group.on("/format_query", method: method, use: self.format) }
        SeriesRoutes(backend: self.backend).add(to: group)
        RuleRoutes(backend: self.backend).add(to: group)
    }

    /// `format_query`: the text of a query as the printer has it.
    @Sendable private func format(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let query = try Query(parsing: try await RequestParameters(request).required("query"))
        return try JSONBody.response(PrometheusAnswer(query.description), keys: .asDeclared)
    }
}

/// Gives the errors of the routes inside Prometheus's shape.
struct PrometheusErrors: RouterMiddleware {
    @concurrent
    func handle(
        _ request: Request,
        context: APIRequestContext,
        next: @concurrent (Request, APIRequestContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch  where !error.isOfConnection {
            return PrometheusFailure.response(to: error)
        }
    }
}
