// poyang
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import Telemetry

/// Work on devices: maintenance and calibrations.
struct DeviceWorkRoutes: Sendable {
    let backend: any APIBackend

    func add(to router: Router<APIRequestContext>) {
        router.get("/api/maintenance") { request, context in try await self.list(request, context, device: nil) }
        router.get("/api/devices/:id/maintenance") { request, context in
            try await self.list(request, context, device: try context.pathPart("id"))
        }
        router.post("/api/devices/:id/maintenance", use: self.begin)
        router.delete("/api/devices/:id/maintenance", use: self.end)
        router.get("/api/devices/:id/calibrations", use: self.calibrations)
        router.post("/api/devices/:id/calibrations", use: self.calibrate)
    }

    private func list(
        _ request: Request,
        _ context: APIRequestContext,
        device: String?
    ) async throws -> Response {
        let limit = try await RequestParameters(request).integer("limit", in: 1...10_000) ?? 100
        return try JSONBody.response(
            try await self.backend.maintenance(device: device, org: context.access.org, limit: limit)
        )
    }

    private struct Work: Decodable {
        /// As Prometheus writes it: `2h`, `90m`.
        let `for`: String
        let by: String?
        let note: String?
    }

    @Sendable private func begin(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try context.require(.register)
        let work = try await JSONBody.decode(Work.self, from: request)
        guard let span = PrometheusDuration.parse(work.for), span > 0 else {
            throw APIProblem(
                .badRequest,
                "'for' is '\(work.for)'; it should be a duration like 2h or 90m, longer than zero",
                zh: "for 为“\(work.for)”；应为大于零的时长，如 2h、90m"
            )
        }
        let report = try await self.backend.beginMaintenance(
            MaintenanceOrder(
                device: try context.pathPart("id"),
                duration: span,
                by: work.by ?? "",
                note: work.note ?? "",
                access: context.access
            )
        )
        return try JSONBody.response(report, status: .created)
    }

    @Sendable private func end(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try context.require(.register)
        let report = try await self.backend.endMaintenance(
            of: try context.pathPart("id"),
            by: try await RequestParameters(request)["by"] ?? "",
            access: context.access
        )
        return try JSONBody.response(report)
    }

    private struct Calibration: Decodable {
        let metric: String
        /// RFC 3339; +08:00 where it names no zone.
        let at: String?
        let before: Double
        let after: Double
        let reference: Double?
        let by: String?
        let note: String?
    }

    @Sendable private func calibrate(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try context.require(.register)
        let body = try await JSONBody.decode(Calibration.self, from: request)
        let report = try self.backend.addCalibration(
            CalibrationOrder(
                device: try context.pathPart("id"),
                metric: body.metric,
                time: try body.at.map { try JSONBody.moment($0, of: "at") },
                before: body.before,
                after: body.after,
                reference: body.reference,
                by: body.by ?? "",
                note: body.note ?? "",
                access: context.access
            )
        )
        return try JSONBody.response(report, status: .created)
    }

    @Sendable private func calibrations(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let limit = try await RequestParameters(request).integer("limit", in: 1...10_000) ?? 100
        return try JSONBody.response(
            try self.backend.calibrations(
                device: try context.pathPart("id"),
                org: context.access.org,
                limit: limit
            )
        )
    }
}
