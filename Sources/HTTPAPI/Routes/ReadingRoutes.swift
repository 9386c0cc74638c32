// poyang
// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import Telemetry

/// Readings that people enter (人工置数).
struct ReadingRoutes: Sendable {
    let backend: any APIBackend

    func add(to router: Router<APIRequestContext>) {
        router.post("/api/readings", use: self.enter)
        router.get("/api/readings", use: self.list)
    }

    private struct Wanted: Decodable {
        let site: String
        let metric: String
        let value: Double
        /// RFC 3339; +08:00 where it names no zone.
        let at: String
        let by: String?
        let labels: [String: String]?
        let note: String?
        let correct: Bool?
        let force: Bool?
    }

    @Sendable private func enter(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try context.require(.enter)
        let wanted = try await JSONBody.decode(Wanted.self, from: request)
        let time = try JSONBody.moment(wanted.at, of: "at")
        let report = try await self.backend.enterReading(
            ManualReadingOrder(
                site: wanted.site,
                metric: wanted.metric,
                value: wanted.value,
                time: time,
                labels: wanted.labels ?? [:],
                by: wanted.by ?? "",
                note: wanted.note ?? "",
                isCorrection: wanted.correct ?? false,
                isForced: wanted.force ?? false,
                access: context.access
            )
        )
        return try JSONBody.response(report, status: report.outcome == .duplicate ? .ok : .created)
    }

    @Sendable private func list(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let parameters = try await RequestParameters(request)
        return try JSONBody.response(
            try self.backend.manualReadings(
                site: parameters["site"],
                org: context.access.org,
                limit: try parameters.integer("limit", in: 1...10_000) ?? 100
            )
        )
    }
}
