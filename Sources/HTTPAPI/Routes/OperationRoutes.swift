// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Telemetry

/// Health, metrics, status, clocks, reload and tokens.
struct OperationRoutes: Sendable {
    let backend: any APIBackend

    func add(to router: Router<APIRequestContext>) {
        router.get("/-/healthy") { _, _ in "poyang is healthy.\n" }
        router.get("/-/ready") { _, _ in try self.ready() }
        router.get("/metrics") { _, _ in
            let text = try await self.backend.metrics()
            return Response(
                status: .ok,
                headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text))
            )
        }
        router.get("/api/status", use: self.status)
        router.post("/api/clock/advance", use: self.advanceClock)
        router.post("/api/reload") { request, context in
            try context.require(.administer)
            let dryRun = RequestParameters(query: request).flag("dry_run")
            return try JSONBody.response(try await self.backend.reload(dryRun: dryRun))
        }
        router.get("/api/tokens", use: self.tokens)
        router.post("/api/tokens", use: self.createToken)
        router.delete("/api/tokens/:id", use: self.revokeToken)
    }

    private func ready() throws -> Response {
        let service = try self.backend.serviceStatus()
        guard !service.isReady else {
            return Response(status: .ok, body: .init(byteBuffer: ByteBuffer(string: "ok\n")))
        }
        var reasons = service.faults
        if !service.subscribed { reasons.append("not subscribed to the broker \(service.broker)") }
        if service.isCatchingUp { reasons.append("what was committed before the start is judged first") }
        if service.processed < service.position {
            reasons.append("the rules are \(service.position - service.processed) batches behind the journal")
        }
        throw APIProblem(.serviceUnavailable, reasons.joined(separator: "; "), retryAfter: 1)
    }

    @Sendable private func status(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let parameters = try await RequestParameters(request)
        var report = try await self.backend.status(org: context.access.org)
        report.sites = report.sites.filter { site in
            let org = parameters["org"].map { $0 == site.org } ?? true
            let basin = parameters["basin"].map { $0 == site.basin } ?? true
            let kind = parameters["kind"].map { $0 == site.kind.rawValue } ?? true
            return org && basin && kind
        }
        return try JSONBody.response(report)
    }

    private struct Advance: Decodable {
        let to: String
        let site: String?
    }

    @Sendable private func advanceClock(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try context.require(.administer)
        let advance = try await JSONBody.decode(Advance.self, from: request)
        guard let time = Timestamp(rfc3339: advance.to, defaultOffsetMinutes: Timestamp.chinaOffsetMinutes) else {
            throw APIProblem(.badRequest, "'to' should be RFC 3339, such as 2022-06-21T16:00:00+08:00")
        }
        try await self.backend.advanceClock(to: time, site: advance.site)
        return try JSONBody.response(["advanced_to": time.rfc3339()])
    }

    private struct NewToken: Decodable {
        let role: String
        let org: String?
        let label: String?
    }

    private struct TokenReport: Encodable {
        let id: String
        let role: String
        let org: String?
        let label: String
        let createdAt: String
        let revokedAt: String?
        var token: String?

        init(_ row: TokenRow, secret: String? = nil) {
            self.id = row.id
            self.role = row.role.rawValue
            self.org = row.org
            self.label = row.label
            self.createdAt = row.createdAt.rfc3339()
            self.revokedAt = row.revokedAt?.rfc3339()
            self.token = secret
        }
    }

    @Sendable private func tokens(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try context.require(.administer)
        return try JSONBody.response(try self.backend.records.tokens().map { TokenReport($0) })
    }

    @Sendable private func createToken(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try context.require(.administer)
        let wanted = try await JSONBody.decode(NewToken.self, from: request)
        guard let role = TokenRole(rawValue: wanted.role) else {
            let known = TokenRole.allCases.map(\.rawValue).joined(separator: ", ")
            throw APIProblem(.badRequest, "there is no role '\(wanted.role)'; known: \(known)")
        }
        let made = try self.backend.records.createToken(
            role: role,
            org: wanted.org,
            label: wanted.label ?? "",
            at: self.backend.now()
        )
        return try JSONBody.response(TokenReport(made.token, secret: made.secret), status: .created)
    }

    @Sendable private func revokeToken(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try context.require(.administer)
        let id = try context.pathPart("id")
        do {
            try self.backend.records.revokeToken(id: id, at: self.backend.now())
        } catch let error as CatalogStorageError where error.code == .notFound {
            throw APIProblem(.notFound, error.message)
        }
        return Response(status: .noContent)
    }
}
