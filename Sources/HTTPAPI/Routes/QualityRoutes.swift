// poyang
// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import PayloadCodecs
import PromQL
import SeriesStorage
import Telemetry

/// The tests of quality over what is stored.
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
        return try JSONBody.response(try await backend.reviewQuality(of: try export.items().map(\.labels), order))
    }
}
