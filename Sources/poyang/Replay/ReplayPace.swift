// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// When the next message of a replay is due.
///
/// Pure: it reads no clock.
struct ReplayPace {
    /// How many times faster than the recording; 0 is without any pause.
    let speed: Double
    /// A pause in the recording is never shown longer than this.
    let longestPause: Milliseconds
    private var previous: Timestamp?
    /// Time since the start at which the last message was due.
    private var due: Duration = .zero

    init(speed: Double, longestPause: Milliseconds) {
        self.speed = speed
        self.longestPause = longestPause
    }

    /// - Returns: Time since the start of the replay at which a message of this event time is due.
    mutating func due(at time: Timestamp) -> Duration {
        defer { self.previous = time }
        guard self.speed > 0, let previous = self.previous, time > previous else { return self.due }
        let pause = min(Double(time - previous) / self.speed, Double(self.longestPause))
        self.due += .microseconds(Int64((pause * 1000).rounded()))
        return self.due
    }
}
