// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import Dissemination
import HTTPTypes
import Hummingbird
import NIOCore

/// The feed as Server-Sent Events (WHATWG HTML, section 9.2).
///
/// Each follower reads the store by its own sequence: one that comes back with `Last-Event-ID` gets exactly what it
/// missed, a slow one holds no memory, and nobody gets a message before it is on disk.
struct EventStream: Sendable {
    let backend: any APIBackend
    /// Only this org's messages; nil shows all.
    let org: String?
    let channel: any Channel

    /// How long a quiet connection stays without a sign of life.
    private static let pingInterval = Duration.seconds(20)
    private static let pageLength = 200

    func response(to request: Request) throws -> Response {
        let text = request.headers[.lastEventID] ?? request.uri.queryParameters["lastEventId"].map(String.init)
        let start: Int64
        switch text {
        case nil: start = try self.backend.records.latestFeedSequence()
        case let text?:
            guard let sequence = Int64(text), sequence >= 0 else {
                throw APIProblem(.badRequest, "Last-Event-ID should be a number from 0 on, found '\(text)'")
            }
            start = sequence
        }
        let base = request.base
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/event-stream", .cacheControl: "no-store", .accessControlAllowOrigin: "*",
                .accelBuffering: "no",
            ],
            body: ResponseBody { writer in
                // Following begins before the first reading, so that nothing falls between the two.
                let wakeUps = Wakening(self.backend.feedSignal.follow(), every: Self.pingInterval)
                let watch = try await ConnectionWatch.of(self.channel)
                watch.call { wakeUps.end() }
                defer { watch.call(nil) }
                try await self.follow(wakeUps, from: start, base: base, to: &writer)
                try await writer.finish(nil)
            }
        )
    }

    @concurrent
    private func follow(
        _ wakeUps: Wakening,
        from start: Int64,
        base: String,
        to writer: inout any ResponseBodyWriter
    ) async throws {
        try await writer.write(ByteBuffer(string: ServerSentEvent.start))
        var sequence = start
        while true {
            let rows = try self.backend.records.feed(after: sequence, limit: Self.pageLength)
            for row in rows {
                sequence = row.sequence
                let message = try row.message()
                if let org, org != message.org { continue }
                let frame = try ServerSentEvent.frame(sequence: sequence, entry: FeedMessage(message), base: base)
                try await writer.write(ByteBuffer(string: frame))
            }
            if rows.count == Self.pageLength { continue }
            switch await wakeUps.next() {
            case .grown: continue
            case .quiet: try await writer.write(ByteBuffer(string: ServerSentEvent.ping))
            case .closed: return
            }
        }
    }
}

extension HTTPField.Name {
    fileprivate static let lastEventID = HTTPField.Name("Last-Event-ID") ?? .range
    fileprivate static let accelBuffering = HTTPField.Name("X-Accel-Buffering") ?? .range
}

/// Waits for the feed to grow, or for the time of a ping.
private struct Wakening: Sendable {
    enum Reason {
        case grown
        case quiet
        case closed
    }

    private let merged: AsyncStream<Reason>
    private let continuation: AsyncStream<Reason>.Continuation

    init(_ signal: AsyncStream<Void>, every interval: Duration) {
        let (merged, continuation) = AsyncStream.makeStream(of: Reason.self, bufferingPolicy: .bufferingNewest(2))
        (self.merged, self.continuation) = (merged, continuation)
        let feed = Task {
            for await _ in signal { continuation.yield(.grown) }
            continuation.yield(.closed)
            continuation.finish()
        }
        let clock = Task {
            while !Task.isCancelled {
                try await Task.sleep(for: interval)
                continuation.yield(.quiet)
            }
        }
        continuation.onTermination = { _ in
            feed.cancel()
            clock.cancel()
        }
    }

    /// Nobody follows any more.
    func end() { self.continuation.finish() }

    func next() async -> Reason {
        for await reason in self.merged { return reason }
        return .closed
    }
}
