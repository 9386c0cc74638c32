// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Wakes everyone who follows the feed when it has grown.
///
/// It carries no events: a follower reads those from the store by its own sequence, so a slow one costs no memory
/// and loses nothing.
package final class FeedSignal: Sendable {
    private struct State {
        var followers: [Int: AsyncStream<Void>.Continuation] = [:]
        var next = 0
        var isClosed = false
    }

    private let state = Mutex(State())

    package init() {}

    /// Wakes all followers; one that has not taken its last wake-up is not woken twice.
    package func notify() {
        for continuation in self.state.withLock({ Array($0.followers.values) }) { continuation.yield() }
    }

    /// Ends all followers' streams, now and in future; for shutdown.
    package func close() {
        let followers = self.state.withLock { state in
            state.isClosed = true
            return Array(state.followers.values)
        }
        for continuation in followers { continuation.finish() }
    }

    /// A stream of wake-ups, from now on until ``close()``.
    func follow() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let id = self.state.withLock { state -> Int? in
            guard !state.isClosed else { return nil }
            state.next += 1
            state.followers[state.next] = continuation
            return state.next
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.followers.removeValue(forKey: id) }
        }
        return stream
    }
}
