// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Hummingbird
import NIOCore

/// Verification and backup: long work, answered as JSON lines.
///
/// Each line is an object: `{"progress":0.42}` some times a second, and at the end `{"report":{…}}` or
/// `{"error":"…"}`, because the status of the answer is sent long before the outcome is known.
struct MaintenanceRoutes: Sendable {
    let backend: any APIBackend

    func add(to router: Router<APIRequestContext>) {
        router.get("/api/verify") { _, context in
            try context.require(.administer)
            return self.stream { try await self.backend.verify(progress: $0) }
        }
        router.post("/api/backup", use: self.backup)
    }

    private struct Wanted: Decodable {
        let file: String
        let force: Bool?
    }

    @Sendable private func backup(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try context.require(.administer)
        let wanted = try await JSONBody.decode(Wanted.self, from: request)
        guard wanted.file.hasPrefix("/") else {
            throw APIProblem(.badRequest, "'file' should be an absolute path on the service's machine")
        }
        return self.stream {
            try await self.backend.backup(to: wanted.file, replacing: wanted.force ?? false, progress: $0)
        }
    }

    private func stream<Report: Encodable & Sendable>(
        _ work: @escaping @Sendable (_ progress: @escaping @Sendable (Double) -> Void) async throws -> Report
    ) -> Response {
        Response(
            status: .ok,
            headers: [.contentType: "application/x-ndjson", .cacheControl: "no-store"],
            body: ResponseBody { writer in
                try await MaintenanceRoutes.follow(work, to: &writer)
                try await writer.finish(nil)
            }
        )
    }

    @concurrent
    private static func follow<Report: Encodable & Sendable>(
        _ work: @escaping @Sendable (_ progress: @escaping @Sendable (Double) -> Void) async throws -> Report,
        to writer: inout any ResponseBodyWriter
    ) async throws {
        // Of what the reader does not take in time only the newest share is kept.
        let (shares, continuation) = AsyncStream.makeStream(of: Double.self, bufferingPolicy: .bufferingNewest(1))
        async let outcome: Result<Report, any Error> = {
            defer { continuation.finish() }
            do { return .success(try await work { continuation.yield($0) }) } catch { return .failure(error) }
        }()
        var shown = -1.0
        for await share in shares where share - shown >= 0.005 {
            shown = share
            try await writer.write(try self.line(["progress": share]))
        }
        switch await outcome {
        case .success(let report): try await writer.write(try self.line(["report": report]))
        case .failure(let error): try await writer.write(try self.line(["error": "\(error)"]))
        }
    }

    private static func line(_ value: some Encodable) throws -> ByteBuffer {
        var buffer = ByteBuffer(bytes: try JSONBody.data(value))
        buffer.writeString("\n")
        return buffer
    }
}
