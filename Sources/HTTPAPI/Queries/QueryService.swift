// poyang
// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import NIOCore
package import PromQL

/// Where queries run: how many at once, how long, on which threads.
package struct QueryService: Sendable {
    package let threads: QueryThreads
    package let gate: QueryGate
    /// The longest that a query may take; a client can ask for less.
    package let timeout: Duration
    /// So long a client may take for a piece of its answer, some 1 MB.
    private let patience: Duration
    package let limits: QueryLimits
    /// What all queries inside may hold together.
    package let pool: QueryPool

    package init(
        threads: QueryThreads = QueryThreads(),
        gate: QueryGate = QueryGate(capacity: 4, waiting: 32),
        timeout: Duration = .seconds(120),
        patience: Duration = .seconds(60),
        limits: QueryLimits = QueryLimits(),
        pool: QueryPool = QueryPool(points: 40_000_000)
    ) {
        self.threads = threads
        self.gate = gate
        self.timeout = timeout
        self.patience = patience
        self.limits = limits
        self.pool = pool
    }

    /// Runs `work` on the query threads until it ends, takes too long, or nobody waits for it any more.
    ///
    /// - Returns: What it made, and the permit to be held until that is written.
    /// - Throws: ``QueryRefusal``, or what `work` throws.
    func evaluate<Value: Sendable>(
        _ context: APIRequestContext,
        within limit: Duration?,
        _ work: @escaping @Sendable (QueryStop) throws -> Value
    ) async throws -> (result: Value, permit: QueryGate.Permit) {
        guard let permit = await self.gate.enter() else { throw QueryRefusal() }
        let stop = QueryStop(pause: self.threads.pause)
        let longest = TimeAmount(min(limit ?? self.timeout, self.timeout))
        let timer = context.channel.eventLoop.scheduleTask(in: longest) { stop.stop(.timeout) }
        defer { timer.cancel() }
        let value = try await withTaskCancellationHandler {
            try await ConnectionWatch.during(context.channel, onClose: { stop.stop(.canceled) }) {
                try await self.threads.run { try work(stop) }
            }
        } onCancel: {
            stop.stop(.canceled)
        }
        return (value, permit)
    }

    /// A body whose pieces are made on the query threads, one when the one before has gone out.
    ///
    /// A client that does not take its answer would keep the place of others: its connection is closed.
    func body(_ permit: QueryGate.Permit?, _ pieces: AnswerPieces, over channel: any Channel) -> ResponseBody {
        if let whole = pieces.whole { return ResponseBody(byteBuffer: whole) }
        let (threads, patience) = (self.threads, TimeAmount(self.patience))
        return ResponseBody { writer in
            // The place is free when the answer has left.
            defer { withExtendedLifetime(permit) {} }
            while let piece = try await threads.run({ pieces.next() }) {
                let timer = channel.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
                defer { timer.cancel() }
                try await writer.write(piece)
            }
            // What was written last may wait here for its client.
            let timer = channel.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
            defer { timer.cancel() }
            try await writer.finish(nil)
        }
    }
}

/// Too many queries at once.
struct QueryRefusal: Error {
    /// Seconds: long enough that many who come back do not take the time of ingest.
    let retryAfter = 5
    let message = "too many queries at once; ask again later"
}
