// poyang
// SPDX-License-Identifier: Apache-2.0

/// What the gateway has counted since its start.
package struct GatewayMetrics: Hashable, Sendable {
    /// Connections taken.
    package var connections = 0
    /// Connections that were ended by us, by reason.
    package var closed: [CloseReason: Int] = [:]
    /// Frames whose check was right.
    package var frames = 0
    /// Frames whose check was wrong; they are not confirmed.
    package var damaged = 0
    /// Messages that the broker acknowledged.
    package var forwarded = 0
    /// Messages that came again, or over a second way.
    package var repeated = 0
    /// Messages that were not taken because too much waits for the broker; their stations keep them.
    package var deferred = 0
    /// Messages that the broker refused.
    package var refused = 0
    /// Confirmations sent.
    package var confirmed = 0
    /// Packets asked for again.
    package var askedAgain = 0
    /// Questions about hours that are missing, and their answers.
    package var asked = 0
    package var answered = 0
    /// Clocks set.
    package var clocksSet = 0
    /// Bytes between frames.
    package var skippedBytes = 0

    package init() {}
}

/// Why the gateway ended a connection.
package enum CloseReason: String, Hashable, Sendable, CaseIterable {
    /// More bytes without a frame than modems send.
    case garbage
    /// Frame after frame whose check is wrong.
    case damaged
    /// A frame that was begun and did not come whole in time.
    case slow
    /// No frame for longer than stations stay silent.
    case idle
    /// A message in packets that is longer than any may be.
    case oversized
    /// As many connections as are allowed are there.
    case tooMany = "too_many"
    /// The station does not read what we send.
    case unread
    case stopping
}
