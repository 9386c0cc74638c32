// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Hummingbird
import NIOCore

/// Long work, answered as JSON lines.
///
/// Each line is an object: `{"progress":0.42}` some times a second, and at the end `{"report":{…}}` or
/// `{"error":"…"}`, because the status of the answer is sent long before the outcome is known.
enum WorkLines {
    typealias Progress = @Sendable (Double) -> Void

    static func response<Report: Encodable & Sendable>(
        keys: JSONBody.Keys = .snakeCase,
        _ work: @escaping @Sendable (_ progress: @escaping Progress) async throws -> Report
    ) -> Response {
        Response(
            status: .ok,
            headers: [.contentType: "application/x-ndjson", .cacheControl: "no-store"],
            body: ResponseBody { writer in
                try await self.follow(work, keys, to: &writer)
                try await writer.finish(nil)
            }
        )
    }

    @concurrent
    private static func follow<Report: Encodable & Sendable>(
        _ work: @escaping @Sendable (_ progress: @escaping Progress) async throws -> Report,
        _ keys: JSONBody.Keys,
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
            try await writer.write(try self.line(["progress": share], keys))
        }
        switch await outcome {
        case .success(let report): try await writer.write(try self.line(["report": report], keys))
        case .failure(let error): try await writer.write(try self.line(["error": "\(error)"], keys))
        }
    }

    private static func line(_ value: some Encodable, _ keys: JSONBody.Keys) throws -> ByteBuffer {
        var buffer = ByteBuffer(bytes: try JSONBody.data(value, keys: keys))
        buffer.writeString("\n")
        return buffer
    }
}
