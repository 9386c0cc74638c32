// poyang
// SPDX-License-Identifier: Apache-2.0

import Dispatch
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
    /// What all queries inside may hold together.
    package let pool: QueryPool

    package init(
        threads: QueryThreads = QueryThreads(),
        gate: QueryGate = QueryGate(capacity: 4, waiting: 32),
        timeout: Duration = .seconds(120),
        limits: QueryLimits = QueryLimits(),
        pool: QueryPool = QueryPool(points: 40_000_000)
    ) {
        self.threads = threads
        self.gate = gate
        self.timeout = timeout
        self.limits = limits
        self.pool = pool
    }

    /// So long a query runs before its connection is watched: a watched one cannot serve another request.
    private static let patience = Duration.milliseconds(250)

    /// Runs `work` on the query threads until it ends, takes too long, or nobody waits for it any more.
    ///
    /// - Returns: What it made, and the permit to be held until that is written.
    /// - Throws: ``QueryRefusal``, or what `work` throws.
    func evaluate<Value: Sendable>(
        _ request: Request,
        within limit: Duration?,
        _ work: @escaping @Sendable (QueryStop) throws -> Value
    ) async throws -> (result: Value, permit: QueryGate.Permit) {
        guard let permit = await self.gate.enter() else { throw QueryRefusal() }
        let longest = min(limit ?? self.timeout, self.timeout)
        let stop = QueryStop(pause: self.threads.pause)
        let job = QueryJob<Value>()
        self.threads.put { job.finish(Result { try work(stop) }) }
        let value = try await withTaskCancellationHandler {
            // Most queries end before the first look at the clock.
            let patience = min(Self.patience, longest)
            Self.after(patience) { job.nudge() }
            await job.wait()
            if let outcome = job.outcome { return try outcome.get() }
            if longest <= patience {
                stop.stop(.timeout)
            } else {
                Self.after(longest - patience) { stop.stop(.timeout) }
            }
            return try await request.body.consumeWithInboundCloseHandler { _ in
                try await job.value()
            } onInboundClosed: {
                stop.stop(.canceled)
            }
        } onCancel: {
            stop.stop(.canceled)
        }
        return (value, permit)
    }

    private static func after(_ time: Duration, _ action: @escaping @Sendable () -> Void) {
        let (seconds, attoseconds) = time.components
        let interval = DispatchTimeInterval.milliseconds(Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000))
        DispatchQueue.global().asyncAfter(deadline: .now() + interval, execute: action)
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
    /// Seconds: long enough that many who come back do not take the time of ingest.
    let retryAfter = 5
    let message = "too many queries at once; ask again later"
}
