// poyang
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import PromQL
import Telemetry

/// Which series, labels and metrics there are (Prometheus HTTP API, "Querying metadata").
struct SeriesRoutes: Sendable {
    let backend: any APIBackend

    func add(to group: RouterGroup<APIRequestContext>) {
        for method in [HTTPRequest.Method.get, .post] {
            group.on("/series", method: method, use: self.series)
            group.on("/labels", method: method, use: self.labelNames)
        }
        group.get("/label/:name/values", use: self.labelValues)
        group.get("/metadata", use: self.metadata)
    }

    @Sendable private func series(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let parameters = try await RequestParameters(request)
        guard !parameters.all("match[]").isEmpty else {
            throw APIProblem.badInput("no match[] parameter provided")
        }
        return try await self.list(request, context, parameters) { $0.sorted() }
    }

    @Sendable private func labelNames(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try await self.list(request, context, RequestParameters(request)) { found in
            Set(found.joined().map(\.name)).sorted()
        }
    }

    @Sendable private func labelValues(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let name = try context.pathPart("name")
        return try await self.list(request, context, RequestParameters(request)) { found in
            Set(found.compactMap { $0.value(of: name) }).sorted()
        }
    }

    private struct MetricMetadata: Encodable, Sendable {
        let type: String
        let help: String
        let unit: String
    }

    /// Metric by metric; ours are gauges whose unit is the end of their name.
    @Sendable private func metadata(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let parameters = try await RequestParameters(request)
        let wanted = parameters["metric"]
        let backend = self.backend
        let org = context.access.org
        let (metrics, _) = try await self.backend.queries.evaluate(context, within: nil) { _ -> [String] in
            let matchers = wanted.map { [LabelMatcher(Labels.metricName, equals: $0)] } ?? []
            let found = try backend.reader(org: org)
                .series(matching: matchers, after: .distantPast, through: .distantFuture)
            return Set(found.map(\.metric)).sorted()
        }
        let shown = metrics.prefix(parameters.limit ?? .max)
        let entries = shown.map { ($0, [MetricMetadata(type: Self.type(of: $0), help: "", unit: "")]) }
        return try JSONBody.response(
            PrometheusAnswer(Dictionary(entries) { first, _ in first }),
            keys: .asDeclared
        )
    }

    private static func type(of metric: String) -> String {
        ["_total", "_bucket", "_count"].contains(where: metric.hasSuffix) ? "counter" : "gauge"
    }

    /// What `list` makes of the label sets that one of the selectors in `match[]` finds between `start` and `end`.
    private func list<Item: Encodable & Sendable>(
        _ request: Request,
        _ context: APIRequestContext,
        _ parameters: RequestParameters,
        _ list: @escaping @Sendable (Set<Labels>) -> [Item]
    ) async throws -> Response {
        let after = try parameters.time("start").map { $0 - 1 } ?? .distantPast
        let through = try parameters.time("end") ?? .distantFuture
        var matcherLists = try parameters.matcherLists
        if matcherLists.isEmpty { matcherLists = [[]] }
        let backend = self.backend
        let org = context.access.org
        let (items, _) = try await self.backend.queries.evaluate(context, within: nil) { [matcherLists] _ in
            let reader = backend.reader(org: org)
            var found: Set<Labels> = []
            for matchers in matcherLists {
                found.formUnion(try reader.series(matching: matchers, after: after, through: through))
            }
            return list(found)
        }
        let shown = Array(items.prefix(parameters.limit ?? .max))
        let warnings = shown.count < items.count ? ["results truncated due to limit"] : []
        return try JSONBody.response(PrometheusAnswer(shown, warnings: warnings), keys: .asDeclared)
    }
}

extension RequestParameters {
    /// The conditions of each `match[]`.
    ///
    /// - Throws: ``APIProblem`` 400 for what is no selector.
    var matcherLists: [[LabelMatcher]] {
        get throws {
            try self.all("match[]")
                .map { text in
                    let query: Query
                    do { query = try Query(parsing: text) } catch {
                        throw APIProblem.badInput("invalid parameter \"match[]\": \(error)")
                    }
                    guard case .selector(let selector) = query.expression, selector.window == nil,
                        selector.offset == 0, selector.at == nil
                    else {
                        throw APIProblem.badInput(
                            "invalid parameter \"match[]\": should be one selector, found: \(text)"
                        )
                    }
                    return selector.labelMatchers
                }
        }
    }
}
