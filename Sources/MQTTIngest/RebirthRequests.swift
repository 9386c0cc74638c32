// poyang
// SPDX-License-Identifier: Apache-2.0

import Logging
import PayloadCodecs
import Synchronization
import Telemetry

/// Asks edge nodes of Sparkplug B for their births, by a client of its own that exists from the first request on.
final class RebirthRequests: Sendable {
    /// Requests on their way; those beyond are dropped, since the need shows again with the next data.
    private static let pendingLimit = 1000

    private let options: MQTTPublisher.Options
    private let logger: Logger
    private let publisher = Mutex<MQTTPublisher?>(nil)

    init(options: IngestOptions, logger: Logger) {
        self.options = MQTTPublisher.Options(
            broker: options.broker,
            clientID: options.clientID + "-orders",
            credentials: options.credentials
        )
        self.logger = logger
    }

    /// Publishes the order to where the node listens; does not wait.
    func request(_ topic: String, at now: Timestamp) {
        let publisher = self.publisher.withLock { known in
            if let known { return known }
            let made = MQTTPublisher(self.options, logger: self.logger)
            made.start()
            known = made
            return made
        }
        guard publisher.totals.pending < Self.pendingLimit else { return }
        do {
            try publisher.publish(topic: topic, payload: SparkplugCodec.rebirthOrder(at: now))
            self.logger.info("a birth was requested of an edge node", metadata: ["topic": "\(topic)"])
        } catch {
            self.logger.warning("a birth could not be requested", metadata: ["topic": "\(topic)", "error": "\(error)"])
        }
    }

    func stop() {
        self.publisher.withLock { $0 }?.stop()
    }
}
