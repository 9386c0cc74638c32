// poyang
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import NIOCore
import PromQL
import Telemetry

/// Prometheus's queries (Prometheus HTTP API, "Expression queries").
///
/// The handlers of `GET` only hand over to the query threads, so that they may stay on the thread of their connection; forms may
/// be long, and are read elsewhere.
struct QueryRoutes: Sendable {
    let backend: any APIBackend

    func add(to router: Router<APIRequestContext>) {
        let group = router.group("/api/v1").add(middleware: PrometheusErrors())
        group.get("/query", use: self.instant)
        group.get("/query_range", use: self.range)
        let forms = router.group("/api/v1").add(middleware: HandlerPool()).add(middleware: PrometheusErrors())
        forms.post("/query", use: self.instant)
        forms.post("/query_range", use: self.range)
    }

    @Sendable private func instant(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let parameters = try await RequestParameters(request)
        let time = try parameters.time("time") ?? self.backend.now()
        return try await self.answer(request, context, parameters, isRange: false) { query, evaluator in
            AnswerPieces(
                try evaluator.instant(query, at: time),
                at: time,
                limit: parameters.limit,
                workers: self.backend.queries.threads
            )
        }
    }

    @Sendable private func range(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let parameters = try await RequestParameters(request)
        guard let start = try parameters.time("start"), let end = try parameters.time("end") else {
            throw APIProblem.badInput("parameters 'start' and 'end' are needed")
        }
        guard let step = try parameters.span("step") else {
            throw APIProblem.badInput("parameter 'step' should be a duration above zero, such as 5m or 300")
        }
        guard end >= start else {
            throw APIProblem.badInput("invalid parameter \"end\": end timestamp must not be before start time")
        }
        let most = self.backend.queries.limits.steps
        guard (end - start) / step <= Milliseconds(most) else {
            throw APIProblem.badInput(
                "exceeded maximum resolution of \(most) points per timeseries. Try decreasing the query resolution "
                    + "(?step=XX)"
            )
        }
        return try await self.answer(request, context, parameters, isRange: true) { query, evaluator in
            let result = try evaluator.steps(query, from: start, through: end, step: step)
            return AnswerPieces(result, limit: parameters.limit, workers: self.backend.queries.threads)
        }
    }

    /// Evaluates on the query threads, and writes the answer while it is sent.
    private func answer(
        _ request: Request,
        _ context: APIRequestContext,
        _ parameters: RequestParameters,
        isRange: Bool,
        _ evaluate: @escaping @Sendable (Query, Evaluator) throws -> AnswerPieces
    ) async throws -> Response {
        let text = try parameters.required("query")
        let queries = self.backend.queries
        let backend = self.backend
        let org = context.access.org
        var options = EvaluationOptions(limits: queries.limits, pool: queries.pool, findsEvidence: false)
        options.strictLookback = try parameters.span("lookback_delta")
        let timeout = try parameters.span("timeout").map { Duration.milliseconds($0) }
        let (pieces, permit) = try await queries.evaluate(context, within: timeout) { [options] stop in
            let query = try Query(parsing: text)
            guard !isRange || query.type == .vector || query.type == .scalar else {
                throw APIProblem.badInput(
                    "invalid parameter \"query\": invalid expression type \"\(query.type.rawValue)\" for range query, "
                        + "must be Scalar or instant Vector"
                )
            }
            var options = options
            options.stop = stop
            let reader = backend.reader(org: org)
            return try evaluate(query, Evaluator(reader: reader, options: options, workers: queries.threads)).begun()
        }
        return Response(
            status: .ok,
            headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: queries.body(permit, pieces, over: context.channel)
        )
    }
}

extension RequestParameters {
    /// How many series an answer may have; nil and 0 for all of them.
    var limit: Int? { self["limit"].flatMap(Int.init).flatMap { $0 > 0 ? $0 : nil } }
}
