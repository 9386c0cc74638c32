// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Lets so many queries in at once, and so many wait; the others are refused, so that memory stays bounded.
package final class QueryGate: Sendable {
    /// Held by a query until its answer is written.
    final class Permit: Sendable {
        private let gate: QueryGate

        fileprivate init(_ gate: QueryGate) { self.gate = gate }

        deinit { self.gate.leave() }
    }

    private struct State {
        var inside = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
        var refused = 0
    }

    private let capacity: Int
    private let mostWaiting: Int
    private let state = Mutex(State())

    package init(capacity: Int, waiting: Int) {
        self.capacity = capacity
        self.mostWaiting = waiting
    }

    /// Refused queries so far.
    package var refused: Int { self.state.withLock { $0.refused } }
    /// Queries that wait for a place.
    package var waiting: Int { self.state.withLock { $0.waiting.count } }
    /// Queries that are evaluated or written now.
    package var inside: Int { self.state.withLock { $0.inside } }

    /// Waits for a place.
    ///
    /// - Returns: Nil where too many wait already.
    func enter() async -> Permit? {
        let isIn = self.state.withLock { state -> Bool? in
            if state.inside < self.capacity {
                state.inside += 1
                return true
            }
            if state.waiting.count < self.mostWaiting { return false }
            state.refused += 1
            return nil
        }
        guard let isIn else { return nil }
        if !isIn {
            await withCheckedContinuation { continuation in
                let isFree = self.state.withLock { state -> Bool in
                    // Somebody may have left since.
                    if state.inside < self.capacity {
                        state.inside += 1
                        return true
                    }
                    state.waiting.append(continuation)
                    return false
                }
                if isFree { continuation.resume() }
            }
        }
        return Permit(self)
    }

    /// Hands the place on to the one that has waited longest.
    private func leave() {
        let next = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.waiting.isEmpty else {
                state.inside -= 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
