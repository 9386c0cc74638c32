// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import SeriesStorage
import Telemetry

/// Sites, devices and quarantine.
struct RegistryRoutes: Sendable {
    let backend: any APIBackend

    /// The largest body of one import request; longer files come in several.
    private static let maximumBody = 64 << 20

    /// How many bytes of a refused payload a list has.
    private static let shownInLists = 4096

    func add(to router: Router<APIRequestContext>) {
        router.get("/api/sites") { _, context in
            try JSONBody.response(self.backend.siteReports(org: context.access.org))
        }
        router.get("/api/sites/:id") { _, context in
            let id = try context.pathPart("id")
            guard let report = self.backend.siteReports(org: context.access.org).first(where: { $0.site == id }) else {
                throw APIProblem(.notFound, "there is no site '\(id)'; `poyang sites list` shows all")
            }
            return try JSONBody.response(report)
        }
        router.get("/api/devices") { _, context in
            try JSONBody.response(try await self.backend.deviceReports(org: context.access.org))
        }
        router.get("/api/devices/export") { request, context in
            let site = request.uri.queryParameters["site"].map(String.init)
            return Response(
                status: .ok,
                headers: [.contentType: "text/csv; charset=utf-8", .cacheControl: "no-store"],
                body: ResponseBody(
                    byteBuffer: ByteBuffer(string: self.backend.exportDevices(site: site, org: context.access.org))
                )
            )
        }
        router.get("/api/devices/:id") { _, context in
            let id = try context.pathPart("id")
            guard let report = try await self.backend.deviceReport(id, org: context.access.org) else {
                throw APIProblem(
                    .notFound,
                    "there is no device '\(id)'; `poyang devices list` shows all",
                    zh: "没有设备“\(id)”；用 poyang devices list 查看全部设备"
                )
            }
            return try JSONBody.response(report)
        }
        router.post("/api/devices/import", use: self.importDevices)
        router.post("/api/thresholds/import") { request, context in
            try context.require(.register)
            let body = try await request.wholeBody(upTo: Self.maximumBody)
            let report = try await self.backend.importThresholds(
                csv: Array(body.readableBytesView),
                dryRun: RequestParameters(query: request).flag("dry_run"),
                org: context.access.org
            )
            return try JSONBody.response(report)
        }
        router.get("/api/models") { _, _ in try JSONBody.response(self.backend.modelReports()) }
        DeviceRegistration(backend: self.backend).add(to: router)
        router.get("/api/quarantine", use: self.quarantine)
        router.get("/api/quarantine/:id") { _, context in
            let entry = try await self.quarantined(context)
            return try JSONBody.response(QuarantineReport(entry, shown: QuarantinedPayload.keptBytes))
        }
        router.post("/api/quarantine/:id/retry") { _, context in
            try JSONBody.response(try await self.backend.retry(try await self.quarantined(context)))
        }
    }

    @Sendable private func importDevices(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try context.require(.register)
        let dryRun = request.uri.queryParameters["dry_run"].map { ["1", "true"].contains($0) } ?? false
        let body = try await request.wholeBody(upTo: Self.maximumBody)
        let report = try await self.backend.importDevices(
            csv: Array(body.readableBytesView),
            dryRun: dryRun,
            org: context.access.org
        )
        return try JSONBody.response(report)
    }

    @Sendable private func quarantine(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try context.require(.register)
        let parameters = try await RequestParameters(request)
        let limit = try parameters.integer("limit", in: 1...10_000) ?? 100
        guard let own = try await self.ownDevices(context) else {
            let entries = try self.backend.samples.quarantine(limit: limit, device: parameters["device"])
            return try JSONBody.response(entries.map { QuarantineReport($0, shown: Self.shownInLists) })
        }
        // The rings are small enough to look through.
        let entries = try self.backend.samples.quarantine(limit: .max, device: parameters["device"])
            .filter { own.contains($0.payload.device) }
        return try JSONBody.response(entries.prefix(limit).map { QuarantineReport($0, shown: Self.shownInLists) })
    }

    /// The payload that a path names.
    ///
    /// - Throws: ``APIProblem`` 404 where there is none, or it is another org's.
    private func quarantined(_ context: APIRequestContext) async throws -> QuarantineEntry {
        try context.require(.register)
        let text = try context.pathPart("id")
        let own = try await self.ownDevices(context)
        guard let id = Int64(text), let entry = try self.backend.samples.quarantineEntry(id),
            own?.contains(entry.payload.device) ?? true
        else {
            throw APIProblem(.notFound, "there is no quarantined payload '\(text)'; `poyang quarantine list` shows all")
        }
        return entry
    }

    /// The devices of the org that the token is bound to; nil when it sees all.
    ///
    /// What no device of it sent is not its.
    private func ownDevices(_ context: APIRequestContext) async throws -> Set<String>? {
        guard let org = context.access.org else { return nil }
        return Set(try await self.backend.deviceReports(org: org).map(\.device))
    }
}

/// A refused payload as the API shows it.
private struct QuarantineReport: Encodable {
    let id: Int64
    let receivedAt: String
    let topic: String
    let device: String
    let length: Int
    let sha256: String
    /// The reasons, each once, separated by blanks.
    let reasons: String
    /// What is wrong with each value, a sentence each.
    let detail: String
    /// Its beginning as text; what is no UTF-8 in it is replaced.
    let payload: String
    /// The same bytes in hexadecimal digits, where they are no text.
    let payloadHex: String?

    init(_ entry: QuarantineEntry, shown: Int) {
        let payload = entry.payload
        self.id = entry.id
        self.receivedAt = payload.receivedAt.rfc3339()
        self.topic = payload.topic
        self.device = payload.device
        self.length = payload.length
        self.sha256 = payload.sha256
        self.reasons = Set(payload.refusals.map(\.reason.rawValue)).sorted().joined(separator: " ")
        self.detail = payload.refusals
            .map { refusal in
                refusal.key.map { "\($0): \(refusal.detail)" } ?? refusal.detail
            }
            .joined(separator: "; ")
        let bytes = payload.payload.prefix(shown)
        self.payload = String(decoding: bytes, as: UTF8.self)
        // A text that is cut may end within a character.
        let cut = bytes.count < payload.length ? 3 : 0
        let isText = (0...cut).contains { String(validating: bytes.dropLast($0), as: UTF8.self) != nil }
        self.payloadHex = isText ? nil : bytes.hexadecimal()
    }
}
