// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// How ingest connects and how large its batches are.
package struct IngestOptions: Sendable {
    package var broker: BrokerAddress
    /// The session's name at the broker: the data directory's own id.
    ///
    /// Two processes must never share one.
    package var clientID: String
    package var credentials: MQTTCredentials?
    /// Seconds for which the broker keeps our session while we are away.
    package var sessionExpiry: UInt32 = 7 * 86_400
    /// Deliveries that the broker may have unacknowledged; also how far back redelivery is looked for.
    package var receiveMaximum: UInt16 = 20_000
    /// Seconds; the broker gives us up after one and a half of it.
    package var keepAlive = 60
    /// A batch is closed at this many messages.
    package var batchMessages = 2000
    /// Or at this many payload bytes.
    package var batchBytes = 4 << 20
    /// Or this long after its first message.
    package var batchSpan: Milliseconds = 5
    /// Payloads beyond this are refused as `too_large`.
    package var payloadLimit = 1 << 20
    /// Waits between attempts to connect, and after a failed commit.
    package var firstWait: Milliseconds = 100
    package var longestWait: Milliseconds = 30_000
    /// What is subscribed to.
    package var topics: [String] = TopicMap.filters

    package init(broker: BrokerAddress, clientID: String, credentials: MQTTCredentials? = nil) {
        self.broker = broker
        self.clientID = clientID
        self.credentials = credentials
    }
}
