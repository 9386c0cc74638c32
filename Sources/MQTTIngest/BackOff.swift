// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Waits that double from attempt to attempt, with jitter so that many clients do not come back at once.
package struct BackOff: Sendable {
    private let first: Milliseconds
    private let longest: Milliseconds
    private var attempts = 0

    package init(first: Milliseconds, longest: Milliseconds) {
        self.first = max(1, first)
        self.longest = max(self.first, longest)
    }

    /// The wait before the next attempt: between half and the whole of `first` × 2^attempts, at most `longest`.
    package mutating func next(using generator: inout some RandomNumberGenerator) -> Milliseconds {
        let doubled = self.first << Int64(min(self.attempts, 30))
        let whole = min(doubled, self.longest)
        self.attempts += 1
        return Milliseconds.random(in: (whole + 1) / 2...whole, using: &generator)
    }

    /// After a success.
    package mutating func reset() {
        self.attempts = 0
    }
}
