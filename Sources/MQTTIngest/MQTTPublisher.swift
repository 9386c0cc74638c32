// poyang
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
package import Logging
import Synchronization
package import Telemetry

/// Sends messages at QoS 1: warnings, replayed and simulated readings, requests to devices.
///
/// A client of its own beside ``Ingest``, on a thread of its own. It connects again by itself; what was not acknowledged
/// is sent again after that, so receivers get each message at least once.
///
/// ## Usage
/// ```swift
/// let publisher = MQTTPublisher(options, logger: logger)
/// publisher.start()
/// try publisher.publish(topic: "poyang/v1/devices/a/telemetry", payload: Array(#"{"level":1.25}"#.utf8))
/// try publisher.flush(timeout: 10_000)
/// publisher.stop()
/// ```
package final class MQTTPublisher: Sendable {
    package struct Options: Sendable {
        package var broker: BrokerAddress
        package var clientID: String
        package var credentials: MQTTCredentials?
        /// Messages sent and not yet acknowledged, at most; the broker may allow less.
        package var window = 2000
        /// Messages waiting to be sent, at most; ``MQTTPublisher/publish(topic:payload:retain:)`` blocks beyond.
        package var queueLimit = 20_000
        /// Published, retained, by the broker when we vanish.
        package var willTopic: String?
        package var willPayload: [UInt8] = []
        package var keepAlive = 30
        package var firstWait: Milliseconds = 100
        package var longestWait: Milliseconds = 30_000

        package init(broker: BrokerAddress, clientID: String, credentials: MQTTCredentials? = nil) {
            self.broker = broker
            self.clientID = clientID
            self.credentials = credentials
        }
    }

    /// What became of the messages.
    package struct Totals: Hashable, Sendable {
        /// Accepted by ``MQTTPublisher/publish(topic:payload:retain:)``.
        package var accepted = 0
        /// Acknowledged by the broker.
        package var acknowledged = 0
        /// Refused by the broker, by the library (a topic that is none), or unsent when the publisher was stopped.
        package var failed = 0
        package var reconnects = 0
        /// What failed last, a message or a connection.
        package var lastError: String?
        package var isConnected = false

        package var pending: Int { self.accepted - self.acknowledged - self.failed }
    }

    struct Outgoing: Sendable {
        var topic: String
        var payload: [UInt8]
        var retain: Bool
        var done: (@Sendable (Result<Void, MQTTError>) -> Void)?
    }

    private let options: Options
    private let logger: Logger
    let shared: PublisherShared

    package init(_ options: Options, logger: Logger) {
        self.options = options
        self.logger = logger
        self.shared = PublisherShared(queueLimit: options.queueLimit)
    }

    /// Starts the thread; does nothing when it was started before.
    package func start() {
        guard self.shared.begin() else { return }
        let (options, logger, shared) = (self.options, self.logger, self.shared)
        let thread = Thread { PublisherLoop(options: options, logger: logger, shared: shared).run() }
        thread.name = "mqtt-publish"
        thread.stackSize = 1 << 20
        thread.start()
    }

    /// Hands a message over; blocks while the queue is full.
    ///
    /// An empty payload with `retain` clears a topic.
    ///
    /// - Throws: ``MQTTError`` `stopped` after ``stop(timeout:)``.
    package func publish(topic: String, payload: [UInt8], retain: Bool = false) throws {
        try self.shared.enqueue(Outgoing(topic: topic, payload: payload, retain: retain))
    }

    /// Hands a message over without ever waiting for room; whoever calls it limits what is on its way.
    ///
    /// `done` is called once, on the publisher's thread: when the broker has acknowledged the message or refused it, or when
    /// the publisher was stopped before.
    ///
    /// - Throws: ``MQTTError`` `stopped` after ``stop(timeout:)``; `done` is not called then.
    package func publish(
        topic: String,
        payload: [UInt8],
        done: @escaping @Sendable (Result<Void, MQTTError>) -> Void
    ) throws {
        try self.shared.enqueue(Outgoing(topic: topic, payload: payload, retain: false, done: done), isUrgent: true)
    }

    /// Publishes and waits for the broker's acknowledgement.
    ///
    /// Waits without end while the broker is away; it throws when the broker refuses the message or the publisher is stopped.
    package func publishAndWait(topic: String, payload: [UInt8], retain: Bool = false) async throws {
        let result: Result<Void, MQTTError> = await withCheckedContinuation { continuation in
            let message = Outgoing(topic: topic, payload: payload, retain: retain) {
                continuation.resume(returning: $0)
            }
            do throws(MQTTError) { try self.shared.enqueue(message, isUrgent: true) } catch {
                continuation.resume(returning: .failure(error))
            }
        }
        try result.get()
    }

    /// Blocks until every message accepted so far is acknowledged or failed.
    ///
    /// - Throws: ``MQTTError`` `timeout` with the number of messages still on their way.
    package func flush(timeout: Milliseconds) throws {
        let left = self.shared.waitUntilIdle(.milliseconds(timeout))
        guard left == 0 else {
            let last = self.totals.lastError.map { "; last trouble: \($0)" } ?? ""
            throw MQTTError(.timeout, "\(left) messages are not acknowledged by \(self.options.broker) yet\(last)")
        }
    }

    /// Waits for what is on its way, `timeout` at most, then leaves the broker.
    ///
    /// What is unsent then has failed.
    package func stop(timeout: Milliseconds = 5000) {
        if self.totals.isConnected { _ = self.shared.waitUntilIdle(.milliseconds(timeout)) }
        self.shared.requestStop()
    }

    package var totals: Totals { self.shared.totals }
}
