// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Lets a few work at a time, some more wait for their turn, and says when the house is full.
final class Turnstile: Sendable {
    private struct State {
        var guests = 0
        var free: Int
        /// In the order in which they came.
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let guests: Int
    private let state: Mutex<State>

    /// - Parameters:
    ///   - turns: How many work at a time.
    ///   - guests: How many may be in the house, those who work among them.
    init(turns: Int, guests: Int) {
        self.guests = guests
        self.state = Mutex(State(free: turns))
    }

    /// Runs `body` inside the house.
    ///
    /// - Returns: Nil where the house is full; `body` was not called.
    func admit<Result>(_ body: () async throws -> Result) async rethrows -> Result? {
        let isAdmitted = self.state.withLock { state in
            guard state.guests < self.guests else { return false }
            state.guests += 1
            return true
        }
        guard isAdmitted else { return nil }
        defer { self.state.withLock { $0.guests -= 1 } }
        return try await body()
    }

    /// Runs `body` when its turn has come; for those who were admitted.
    func takeTurn<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        await withCheckedContinuation { continuation in
            let mayGoOn = self.state.withLock { state in
                guard state.free == 0 else {
                    state.free -= 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if mayGoOn { continuation.resume() }
        }
        defer { self.endTurn() }
        return try await body()
    }

    private func endTurn() {
        let next = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.free += 1
            return nil
        }
        next?.resume()
    }
}
