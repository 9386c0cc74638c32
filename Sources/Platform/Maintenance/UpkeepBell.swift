// poyang
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization

/// Wakes the upkeep's thread: something was sealed, retention is asked for, or the service ends.
final class UpkeepBell: Sendable {
    private struct State {
        var isSealed = false
        var isRetentionWanted = false
        var isClosing = false
        var hasRung = false
    }

    /// What the thread is woken for; both are false when the time is over.
    struct Call {
        let isSealed: Bool
        let isRetentionWanted: Bool
    }

    private let state = Mutex(State())
    private let semaphore = DispatchSemaphore(value: 0)

    func noteSealing() { self.ring { $0.isSealed = true } }
    func wantRetention() { self.ring { $0.isRetentionWanted = true } }
    func close() { self.ring { $0.isClosing = true } }

    var isClosing: Bool { self.state.withLock { $0.isClosing } }

    private func ring(_ change: (inout State) -> Void) {
        let isFirst = self.state.withLock { state in
            change(&state)
            defer { state.hasRung = true }
            return !state.hasRung
        }
        if isFirst { self.semaphore.signal() }
    }

    /// Waits for a call, no longer than `limit` by a clock that nobody sets.
    func wait(_ limit: Duration) -> Call {
        let milliseconds = Int(clamping: limit / .milliseconds(1) > 0 ? Int64(limit / .milliseconds(1)) : 0)
        _ = self.semaphore.wait(timeout: .now() + .milliseconds(milliseconds))
        return self.state.withLock { state in
            defer {
                state.isSealed = false
                state.isRetentionWanted = false
                state.hasRung = false
            }
            return Call(isSealed: state.isSealed, isRetentionWanted: state.isRetentionWanted)
        }
    }
}
