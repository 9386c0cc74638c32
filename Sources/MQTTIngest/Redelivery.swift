// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Tells messages that were committed before the connection was lost from new ones.
///
/// After a session is resumed the broker sends first, in the old order and under the old packet ids, what it has no
/// acknowledgement for. Some of that was committed and only its acknowledgement was lost. libmosquitto hides the DUP flag,
/// so a message is known by its packet id together with the hash of topic and payload.
///
/// An entry serves once. A packet id that comes with another hash has been given to a new message: its entry is dropped. The
/// whole phase ends after as many messages as the broker may have had in flight.
struct Redelivery {
    private var known: [UInt16: UInt64] = [:]
    private var remaining = 0

    /// Begins a phase after a connection with a session that was kept.
    ///
    /// - Parameters:
    ///   - deliveries: Oldest first; of a packet id that occurs twice the newest counts.
    ///   - limit: Receive maximum of the session.
    mutating func begin(_ deliveries: [Delivery], limit: Int) {
        self.known = [:]
        for delivery in deliveries where delivery.packetID != 0 {
            self.known[delivery.packetID] = delivery.hash
        }
        self.remaining = limit
    }

    /// Nothing that comes now was seen before.
    mutating func end() {
        self.known = [:]
    }

    /// Whether a delivery is one that was committed earlier.
    mutating func isKnown(_ delivery: Delivery) -> Bool {
        guard !self.known.isEmpty, delivery.packetID != 0 else { return false }
        let isKnown = self.known.removeValue(forKey: delivery.packetID) == delivery.hash
        self.remaining -= 1
        if self.remaining <= 0 { self.end() }
        return isKnown
    }
}
