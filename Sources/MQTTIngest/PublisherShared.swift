// poyang
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import Synchronization

/// The queue between those who publish and the publisher's thread.
///
/// One condition guards everything: callers wait on it for room in the queue and for the end of what is on its way.
final class PublisherShared: @unchecked Sendable {  // every access to `state` holds `condition`
    private struct State {
        var queue: [MQTTPublisher.Outgoing] = []
        var totals = MQTTPublisher.Totals()
        var hasBegun = false
        var isStopping = false
        var hasEnded = false
    }

    let wake = WakeSignal()
    private let condition = NSCondition()
    private let queueLimit: Int
    private var state = State()

    init(queueLimit: Int) {
        self.queueLimit = max(1, queueLimit)
    }

    private func locked<Result>(_ body: (inout State) -> Result) -> Result {
        self.condition.lock()
        defer { self.condition.unlock() }
        return body(&self.state)
    }

    var totals: MQTTPublisher.Totals { self.locked { $0.totals } }
    var isStopping: Bool { self.locked { $0.isStopping } }

    func begin() -> Bool {
        self.locked { state in
            guard !state.hasBegun, !state.isStopping else { return false }
            state.hasBegun = true
            return true
        }
    }

    /// Puts a message into the queue, waiting for room unless `isUrgent`.
    ///
    /// - Throws: `stopped`.
    func enqueue(_ message: MQTTPublisher.Outgoing, isUrgent: Bool = false) throws(MQTTError) {
        self.condition.lock()
        while !isUrgent, self.state.queue.count >= self.queueLimit, !self.state.isStopping { self.condition.wait() }
        guard !self.state.isStopping else {
            self.condition.unlock()
            throw MQTTError(.stopped, "the publisher has been stopped")
        }
        let wasEmpty = self.state.queue.isEmpty
        self.state.queue.append(message)
        self.state.totals.accepted += 1
        self.condition.unlock()
        if wasEmpty { self.wake.signal() }
    }

    /// Takes all that waits, in order.
    func takeAll() -> [MQTTPublisher.Outgoing] {
        self.locked { state in
            guard !state.queue.isEmpty else { return [] }
            var taken: [MQTTPublisher.Outgoing] = []
            swap(&taken, &state.queue)
            self.condition.broadcast()
            return taken
        }
    }

    /// Counts; wakes those who wait when nothing is on its way any more.
    func update(_ change: (inout MQTTPublisher.Totals) -> Void) {
        self.locked { state in
            change(&state.totals)
            if state.totals.pending == 0 { self.condition.broadcast() }
        }
    }

    /// - Returns: Messages still on their way when the time was over, else 0.
    func waitUntilIdle(_ span: Duration) -> Int {
        let deadline = Date(timeIntervalSinceNow: span / .seconds(1))
        self.condition.lock()
        defer { self.condition.unlock() }
        while self.state.totals.pending > 0, !self.state.hasEnded {
            guard self.condition.wait(until: deadline) else { break }
        }
        return self.state.totals.pending
    }

    /// Tells the thread to end and waits for it.
    func requestStop() {
        self.condition.lock()
        self.state.isStopping = true
        if !self.state.hasBegun { self.state.hasEnded = true }
        self.condition.broadcast()
        self.condition.unlock()
        self.wake.signal()
        let deadline = Date(timeIntervalSinceNow: 15)
        self.condition.lock()
        defer { self.condition.unlock() }
        while !self.state.hasEnded, self.condition.wait(until: deadline) {}
    }

    func noteEnd() {
        self.locked { state in
            state.hasEnded = true
            self.condition.broadcast()
        }
    }
}
