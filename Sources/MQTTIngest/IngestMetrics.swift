// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// What ingest has counted since it was made.
///
/// At any pause `messages = committedMessages + redelivered + abandonedMessages`.
package struct IngestMetrics: Hashable, Sendable {
    /// Messages that the broker delivered, repeated ones and those of batches given up included.
    package var messages = 0
    /// Payload bytes of those messages.
    package var bytes = 0
    /// Messages that were committed earlier and came again because the broker had not seen their acknowledgement.
    package var redelivered = 0
    /// Batches committed.
    package var batches = 0
    /// Messages in committed batches.
    package var committedMessages = 0
    /// Readings accepted in committed batches; the journal decides which are duplicates.
    package var readings = 0
    /// Payloads of committed batches of which something was refused.
    package var quarantinedPayloads = 0
    /// Values refused in committed batches, by reason.
    package var refused: [QuarantineReason: Int] = [:]
    /// Batches given up because the commit failed.
    package var commitsFailed = 0
    /// Messages in batches given up; the broker sends them again, except those at QoS 0.
    package var abandonedMessages = 0
    /// Connections made after the first.
    package var reconnects = 0
    /// Attempts to connect that failed.
    package var connectsFailed = 0
    /// Times the broker had forgotten the session: what it held for us is lost.
    package var sessionsLost = 0

    package init() {}

    mutating func add(_ other: IngestMetrics) {
        self.messages += other.messages
        self.bytes += other.bytes
        self.redelivered += other.redelivered
        self.batches += other.batches
        self.committedMessages += other.committedMessages
        self.readings += other.readings
        self.quarantinedPayloads += other.quarantinedPayloads
        for (reason, count) in other.refused { self.refused[reason, default: 0] += count }
        self.commitsFailed += other.commitsFailed
        self.abandonedMessages += other.abandonedMessages
        self.reconnects += other.reconnects
        self.connectsFailed += other.connectsFailed
        self.sessionsLost += other.sessionsLost
    }
}
