// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// How far the clock of one device is off, by its newest messages.
struct ClockOffsets: Sendable {
    /// Of so many messages the median counts.
    private static let capacity = 15
    /// What comes within such a span is one delivery: of a backlog the message that is least late counts.
    private static let delivery: Milliseconds = .second

    private var recent: [Milliseconds] = []
    private var newest = 0
    private var newestAt = Timestamp.distantPast

    /// Takes notice of a message whose newest reading was `offset` before it was received.
    mutating func note(_ offset: Milliseconds, at receivedAt: Timestamp) {
        if !self.recent.isEmpty, abs(receivedAt - self.newestAt) < Self.delivery {
            if abs(offset) < abs(self.recent[self.newest]) { self.recent[self.newest] = offset }
            return
        }
        self.newestAt = receivedAt
        if self.recent.count < Self.capacity {
            self.newest = self.recent.count
            self.recent.append(offset)
        } else {
            self.newest = (self.newest + 1) % Self.capacity
            self.recent[self.newest] = offset
        }
    }

    /// The middle one; nil before the first message.
    var median: Milliseconds? {
        self.recent.isEmpty ? nil : self.recent.sorted()[self.recent.count / 2]
    }
}
