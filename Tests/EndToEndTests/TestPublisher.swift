// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import MQTTIngest

/// Publishes at QoS 1 and returns when the broker has acknowledged everything.
enum TestPublisher {
    @concurrent
    static func publish(_ messages: [(topic: String, payload: [UInt8])], to url: String) async throws {
        let options = MQTTPublisher.Options(
            broker: try BrokerAddress(url), clientID: "test-\(UUID().uuidString.prefix(8))")
        var logger = Logger(label: "test", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = .warning
        let publisher = MQTTPublisher(options, logger: logger)
        publisher.start()
        defer { publisher.stop() }
        for message in messages { try publisher.publish(topic: message.topic, payload: message.payload) }
        try publisher.flush(timeout: 300_000)
    }
}
