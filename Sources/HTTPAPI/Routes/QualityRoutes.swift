// poyang
// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import PayloadCodecs
import PromQL
import SeriesStorage
import Telemetry

/// The tests of quality over what is stored.
///
/// They read whole histories, so they take a place among the queries, run on their threads and end as they do: with 503 and
/// `Retry-After` where too many wait, and between two series after the longest time of a query, or when nobody waits for the
/// answer. Flags that were stored until then stay; asked again, only the rest differs.
struct QualityRoutes: Sendable {
    let backend: any APIBackend

    func add(to router: Router<APIRequestContext>) {
        router.get("/api/qc", use: self.report)
        router.post("/api/qc", use: self.apply)
    }

    /// `GET /api/qc?match[]=…&start=&end=`: what the tests say of stored samples; nothing is changed.
    @Sendable private func report(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try await self.review(request, context, isApplied: false)
    }

    /// `POST /api/qc?match[]=…&start=&end=`: the same, and stores the flags that differ.
    @Sendable private func apply(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try context.require(.administer)
        return try await self.review(request, context, isApplied: true)
    }

    private func review(
        _ request: Request,
        _ context: APIRequestContext,
        isApplied: Bool
    ) async throws -> Response {
        let parameters = RequestParameters(query: request)
        let selectors = parameters.all("match[]") + parameters.all("match")
        guard !selectors.isEmpty else { throw APIProblem.badInput("parameter 'match[]' is missing") }
        let selections: [BulkExport.Selection]
        do {
            selections = try selectors.map { try BulkExport.Selection(parsing: $0) }
        } catch let error as PromQLError {
            throw APIProblem.badInput("'match[]': \(error)")
        }
        let backend = self.backend
        let order = QualityOrder(
            from: try parameters.time("start") ?? .distantPast,
            through: try parameters.time("end") ?? .distantFuture,
            isApplied: isApplied
        )
        let export = BulkExport(
            format: .csv,
            selections: selections,
            after: order.from == .distantPast ? order.from : order.from - 1,
            through: order.through,
            base: backend.samples.reader,
            attributes: { backend.site($0)?.virtualLabels ?? .empty },
            org: context.access.org
        )
        let test = try await backend.qualityReview(order)
        let reports = try await Self.reports(
            of: { try export.items().map(\.labels) },
            for: context,
            among: backend.queries,
            test
        )
        // The answer is given when the rules know the revisions.
        if isApplied { try await backend.judged() }
        return try JSONBody.response(reports)
    }

    /// Tests one series after the other, as a query does its work.
    static func reports<Report: Sendable>(
        of series: @escaping @Sendable () throws -> [Labels],
        for context: APIRequestContext,
        among queries: QueryService,
        _ test: @escaping @Sendable (Labels) throws -> Report
    ) async throws -> [Report] {
        let (reports, _) = try await queries.evaluate(context, within: nil) { stop in
            try series()
                .map { labels in
                    try stop.check()
                    return try test(labels)
                }
        }
        return reports
    }
}
