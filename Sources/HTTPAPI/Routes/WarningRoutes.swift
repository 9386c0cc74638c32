// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import Dissemination
import Foundation
import HTTPTypes
import Hummingbird
import Telemetry

/// Warnings by number: what they are, who knew what when, and taking note of them.
struct WarningRoutes: Sendable {
    let backend: any APIBackend

    func add(to router: Router<APIRequestContext>) {
        router.get("/api/warnings", use: self.list)
        router.get("/api/warnings/:number", use: self.show)
        router.get("/api/warnings/:number/ledger", use: self.ledger)
        router.post("/api/warnings/:number/ack", use: self.acknowledge)
    }

    @Sendable private func list(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let activeOnly = try await RequestParameters(request).flag("active")
        let rows = try self.backend.records.warnings(activeOnly: activeOnly)
        let visible = rows.filter { row in context.access.org.map { $0 == row.org } ?? true }
        let warnings = try visible.map { try $0.warning() }.filter { !$0.identity.hazard.isStatusOnly }
        return try JSONBody.response(warnings.map(WarningReport.init))
    }

    @Sendable private func show(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let warning = try self.warning(context)
        let detail = WarningDetail(
            warning: WarningReport(warning),
            messages: try self.backend.records.feed(number: warning.number)
                .map {
                    WarningLine(try $0.message(), sequence: $0.sequence)
                },
            ledger: try self.backend.records.ledger(number: warning.number).map(LedgerReport.init)
        )
        return try JSONBody.response(detail)
    }

    @Sendable private func ledger(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let warning = try self.warning(context)
        return try JSONBody.response(
            try self.backend.records.ledger(number: warning.number).map(LedgerReport.init)
        )
    }

    private struct Note: Decodable {
        let note: String?
    }

    @Sendable private func acknowledge(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try context.require(.acknowledge)
        let warning = try self.warning(context)
        let body = try await JSONBody.decode(Note.self, from: request)
        do {
            try await self.backend.acknowledge(
                number: warning.number,
                by: context.access.name,
                note: body.note ?? ""
            )
        } catch let error as WarningBookError {
            throw APIProblem(.conflict, "\(error)")
        }
        return try JSONBody.response(WarningReport(try self.warning(context)))
    }

    private func warning(_ context: APIRequestContext) throws -> Warning {
        let number = try context.pathPart("number")
        guard let row = try self.backend.records.warning(number: number) else {
            throw APIProblem(.notFound, "there is no warning '\(number)'; `poyang warnings list` shows all")
        }
        try context.requireOrg(row.org, of: "warning '\(number)'")
        return try row.warning()
    }
}

/// A warning as the API lists it.
struct WarningReport: Encodable {
    let number: String
    let org: String
    let site: String
    let hazard: Hazard
    let status: WarningStatus
    let level: WarningLevel
    /// `active`, `waiting` (silence of which the list of the morning will tell) or `ended`.
    let state: String
    /// Its data stopped: it is held, not known to last.
    let held: Bool
    let acknowledgedBy: String?
    let issuedAt: String
    let updatedAt: String
    let endedAt: String?
    let value: Double?
    let threshold: Double?
    let headlineZh: String?
    let headlineEn: String?

    init(_ warning: Warning) {
        self.number = warning.number
        self.org = warning.identity.org
        self.site = warning.identity.site
        self.hazard = warning.identity.hazard
        self.status = warning.identity.status
        self.level = warning.level
        self.state = !warning.isActive ? "ended" : warning.latest == nil ? "waiting" : "active"
        self.held = warning.isHeld
        self.acknowledgedBy = warning.acknowledgement?.who
        self.issuedAt = warning.issuedAt.rfc3339()
        self.updatedAt = warning.updatedAt.rfc3339()
        self.endedAt = warning.isActive ? nil : warning.updatedAt.rfc3339()
        self.value = warning.latest?.value
        self.threshold = warning.latest?.threshold
        self.headlineZh = warning.latest?.headline.zh
        self.headlineEn = warning.latest?.headline.en
    }
}

/// A warning with its messages and its ledger.
private struct WarningDetail: Encodable {
    let warning: WarningReport
    let messages: [WarningLine]
    let ledger: [LedgerReport]

    private enum Key: String, CodingKey { case messages, ledger }

    func encode(to encoder: any Encoder) throws {
        try self.warning.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(self.messages, forKey: .messages)
        try container.encode(self.ledger, forKey: .ledger)
    }
}

/// A message of a warning in one line.
private struct WarningLine: Encodable {
    let sequence: Int64
    let identifier: String
    let action: WarningAction
    let level: WarningLevel
    let eventTime: String
    let sent: String
    let value: Double?
    let threshold: Double?
    let headlineZh: String

    init(_ message: WarningMessage, sequence: Int64) {
        self.sequence = sequence
        self.identifier = message.identifier
        self.action = message.action
        self.level = message.level
        self.eventTime = message.eventTime.rfc3339()
        self.sent = message.sent.rfc3339()
        self.value = message.value
        self.threshold = message.threshold
        self.headlineZh = message.headline.zh
    }
}

/// A fact of the ledger.
private struct LedgerReport: Encodable {
    let sequence: Int64
    let time: String
    let processedAt: String
    let kind: String
    let who: String
    let what: String
    let hash: String

    init(_ row: LedgerRow) {
        self.sequence = row.sequence
        self.time = row.fact.time.rfc3339()
        self.processedAt = row.fact.processedAt.rfc3339()
        self.kind = row.fact.kind
        self.who = row.fact.who
        self.what = row.fact.what
        self.hash = row.hash
    }
}
