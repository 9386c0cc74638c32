// poyang
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import NIOCore
package import PromQL

/// Where queries run: how many at once, how long, on which threads.
package struct QueryService: Sendable {
    package let threads: QueryThreads
    package let gate: QueryGate
    /// The longest that a query may take; a client can ask for less.
    package let timeout: Duration
    package let limits: QueryLimits

    package init(
        threads: QueryThreads = QueryThreads(),
        gate: QueryGate = QueryGate(capacity: 4, waiting: 32),
        timeout: Duration = .seconds(120),
        limits: QueryLimits = QueryLimits()
    ) {
        self.threads = threads
        self.gate = gate
        self.timeout = timeout
        self.limits = limits
    }

    /// So long a query runs before its connection is watched: a watched one cannot serve another request.
    private static let patience = Duration.milliseconds(250)

    private enum Turn<Result: Sendable>: Sendable {
        case done(Result)
        case slow
        case late
    }

    /// Runs `work` on the query threads until it ends, takes too long, or nobody waits for it any more.
    ///
    /// - Returns: What it made, and the permit to be held until that is written.
    /// - Throws: ``QueryRefusal``, or what `work` throws.
    func evaluate<Result: Sendable>(
        _ request: Request,
        within limit: Duration?,
        _ work: @escaping @Sendable (QueryStop) throws -> Result
    ) async throws -> (result: Result, permit: QueryGate.Permit) {
        guard let permit = await self.gate.enter() else { throw QueryRefusal() }
        let stop = QueryStop()
        let longest = min(limit ?? self.timeout, self.timeout)
        let threads = self.threads
        let result = try await withTaskCancellationHandler {
            try await withThrowingTaskGroup(of: Turn<Result>.self) { group in
                group.addTask { .done(try await threads.run { try work(stop) }) }
                group.addTask {
                    try await Task.sleep(for: Self.patience)
                    return .slow
                }
                group.addTask {
                    try await Task.sleep(for: longest)
                    stop.stop(.timeout)
                    return .late
                }
                defer { group.cancelAll() }
                while let turn = try await group.next() {
                    switch turn {
                    case .done(let result): return result
                    case .late: break
                    case .slow:
                        return try await request.body.consumeWithInboundCloseHandler { _ in
                            while let turn = try await group.next() {
                                if case .done(let result) = turn { return result }
                            }
                            throw CancellationError()
                        } onInboundClosed: {
                            stop.stop(.canceled)
                        }
                    }
                }
                throw CancellationError()
            }
        } onCancel: {
            stop.stop(.canceled)
        }
        return (result, permit)
    }

    /// A body whose pieces are made on the query threads, one when the one before has gone out.
    func body(_ permit: QueryGate.Permit?, _ pieces: AnswerPieces) -> ResponseBody {
        if let whole = pieces.whole { return ResponseBody(byteBuffer: whole) }
        let threads = self.threads
        return ResponseBody { writer in
            // The place is free when the answer has left.
            defer { withExtendedLifetime(permit) {} }
            while let piece = try await threads.run({ pieces.next() }) { try await writer.write(piece) }
            try await writer.finish(nil)
        }
    }
}

/// Too many queries at once.
struct QueryRefusal: Error {
    /// Seconds.
    let retryAfter = 1
    let message = "too many queries at once; ask again later"
}
