// poyang
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import NIOCore

/// Compresses what clients take compressed: text of some length, but no event streams (RFC 9110, section 12.5.3).
///
/// On the query threads, because it takes more time than most answers.
struct GzipMiddleware: RouterMiddleware {
    let threads: QueryThreads

    /// Shorter bodies gain nothing.
    private static let shortest = 1024

    @concurrent
    func handle(
        _ request: Request,
        context: APIRequestContext,
        next: @concurrent (Request, APIRequestContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        guard Self.accepts(request.headers[.acceptEncoding] ?? ""), self.isWorthIt(response),
            let stream = GzipStream()
        else { return response }
        let body = response.body
        let threads = self.threads
        response.headers[.contentEncoding] = "gzip"
        response.headers[.vary] = "Accept-Encoding"
        response.headers[.contentLength] = nil
        response.body = ResponseBody { writer in try await body.write(Compressing(stream, writer, threads)) }
        return response
    }

    private func isWorthIt(_ response: Response) -> Bool {
        guard response.headers[.contentEncoding] == nil,
            response.body.contentLength.map({ $0 >= Self.shortest }) ?? true
        else { return false }
        let type = response.headers[.contentType] ?? ""
        if type.hasPrefix("text/event-stream") { return false }
        return type.hasPrefix("text/") || type.contains("json") || type.contains("xml") || type.contains("javascript")
    }

    /// Whether `gzip`, or everything, is among the codings, and not refused by a weight of zero.
    static func accepts(_ header: String) -> Bool {
        for coding in header.lowercased().split(separator: ",") {
            let parts = coding.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
            guard let name = parts.first, name == "gzip" || name == "x-gzip" || name == "*" else { continue }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) }
            return (weight ?? 1) > 0
        }
        return false
    }

    private struct Compressing: ResponseBodyWriter {
        private let stream: GzipStream
        private var writer: any ResponseBodyWriter
        private let threads: QueryThreads

        init(_ stream: GzipStream, _ writer: any ResponseBodyWriter, _ threads: QueryThreads) {
            self.stream = stream
            self.writer = writer
            self.threads = threads
        }

        @concurrent
        mutating func write(_ buffer: ByteBuffer) async throws {
            let stream = self.stream
            let compressed = try await self.threads.run { stream.compress(buffer, isLast: false) }
            if compressed.readableBytes > 0 { try await self.writer.write(compressed) }
        }

        @concurrent
        consuming func finish(_ trailers: HTTPFields?) async throws {
            let stream = self.stream
            let compressed = try await self.threads.run { stream.compress(ByteBuffer(), isLast: true) }
            try await self.writer.write(compressed)
            try await self.writer.finish(trailers)
        }
    }
}
