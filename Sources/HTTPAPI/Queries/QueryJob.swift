// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Work on another thread, for which a task waits, with a look at the clock in between.
final class QueryJob<Value: Sendable>: Sendable {
    private struct State {
        var outcome: Result<Value, any Error>?
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// What came of it; nil while it goes on.
    var outcome: Result<Value, any Error>? { self.state.withLock { $0.outcome } }

    func finish(_ outcome: Result<Value, any Error>) {
        self.wake { $0.outcome = outcome }
    }

    /// Lets the one who waits look about.
    func nudge() { self.wake { _ in } }

    /// Waits for the end of the work, or a nudge.
    func wait() async {
        await withCheckedContinuation { continuation in
            let isDone = self.state.withLock { state -> Bool in
                if state.outcome == nil { state.waiter = continuation }
                return state.outcome != nil
            }
            if isDone { continuation.resume() }
        }
    }

    /// Waits for the end of the work.
    func value() async throws -> Value {
        while true {
            if let outcome { return try outcome.get() }
            await self.wait()
        }
    }

    private func wake(_ change: (inout State) -> Void) {
        let waiter = self.state.withLock { state in
            change(&state)
            return state.waiter.take()
        }
        waiter?.resume()
    }
}
