// poyang
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import PayloadCodecs
import Telemetry

/// Samples that Prometheus, its agents and vmagent push: remote write 1.0.
struct RemoteWriteRoutes: Sendable {
    let backend: any APIBackend

    /// Refusals that an answer names; senders log only its beginning.
    private static let namedRefusals = 5

    func add(to router: Router<APIRequestContext>) {
        router.post("/api/v1/write", use: self.write)
    }

    /// `POST /api/v1/write`: a `prometheus.WriteRequest` as protobuf in snappy's block format.
    ///
    /// 204 when every sample is on disk; 400 when some were refused, the others being on disk, or when the body cannot be
    /// read: what is sent again would be refused again. 413 and 415 likewise. 503 when nothing can be stored now.
    @Sendable private func write(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try context.require(.write)
        try self.checkFormat(request.headers)
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > RemoteWriteCodec.maximumBody {
            throw APIProblem(.contentTooLarge, "\(RemoteWriteCodec.tooLarge(length))")
        }
        let access = context.access
        let report = try await self.backend.remoteWrite(request.body, from: access.name, org: access.org)
        guard report.refusals.isEmpty else { throw APIProblem.badInput(self.text(of: report)) }
        return Response(status: .noContent)
    }

    /// - Throws: ``APIProblem`` 415 for what is not remote write 1.0; senders of version 2.0 then fall back to it.
    private func checkFormat(_ headers: HTTPFields) throws {
        let type = (headers[.contentType] ?? "application/x-protobuf").lowercased().filter { $0 != " " && $0 != "\"" }
        let parts = type.split(separator: ";")
        let message = parts.dropFirst().first { $0.hasPrefix("proto=") }?.dropFirst(6) ?? "prometheus.writerequest"
        guard parts.first == "application/x-protobuf", message == "prometheus.writerequest" else {
            throw APIProblem(
                .unsupportedMediaType,
                "remote write 1.0 is spoken here: Content-Type should be application/x-protobuf with "
                    + "proto=prometheus.WriteRequest or without proto, found: \(headers[.contentType] ?? "")"
            )
        }
        let encoding = headers[.contentEncoding] ?? "snappy"
        guard encoding.lowercased() == "snappy" else {
            throw APIProblem(
                .unsupportedMediaType,
                "Content-Encoding should be snappy (the block format), found: \(encoding)"
            )
        }
    }

    private func text(of report: RemoteWriteReport) -> String {
        let total = report.stored + report.refused
        var text = "\(report.refused) of \(total) samples were refused; the others are stored."
        for refusal in report.refusals.prefix(Self.namedRefusals) {
            let key = refusal.key.map { "\($0): " } ?? ""
            text += " \(refusal.reason.rawValue) (\(refusal.values)): \(key)\(refusal.detail)."
        }
        let others = report.refusals.count - Self.namedRefusals
        return others > 0 ? text + " `poyang quarantine list` shows more." : text
    }
}
