// poyang
// SPDX-License-Identifier: Apache-2.0

import Logging
import Telemetry

/// What the publisher's thread runs.
final class PublisherLoop: MosquittoHandler {
    private let options: MQTTPublisher.Options
    private let logger: Logger
    private let shared: PublisherShared
    private var client: MosquittoClient?
    private var waiting: [MQTTPublisher.Outgoing] = []
    /// The first of `waiting` that is not sent yet.
    private var nextWaiting = 0
    /// Sent and not acknowledged; the library sends them again after a reconnect.
    private var inFlight: [Int32: MQTTPublisher.Outgoing] = [:]
    private var isConnected = false
    private var connections = 0
    private var acknowledged = 0
    private var fault: MQTTError?

    init(options: MQTTPublisher.Options, logger: Logger, shared: PublisherShared) {
        self.options = options
        self.logger = logger
        self.shared = shared
    }

    func run() {
        var wait = BackOff(first: self.options.firstWait, longest: self.options.longestWait)
        var generator = SystemRandomNumberGenerator()
        while !self.shared.isStopping {
            let before = self.connections
            do {
                try self.connect()
                while !self.shared.isStopping { try self.turn() }
            } catch {
                self.flushCounts()
                let text = "\(error)"
                self.shared.update {
                    $0.isConnected = false
                    $0.lastError = text
                }
                if self.connections > before { wait.reset() }
                let span = wait.next(using: &generator)
                self.logger.warning(
                    "publishing interrupted",
                    metadata: ["reason": "\(text)", "retry_in_ms": "\(span)"]
                )
                self.pause(span)
            }
        }
        self.close()
        self.shared.noteEnd()
    }

    private func pause(_ span: Milliseconds) {
        let end = ContinuousClock.now + .milliseconds(span)
        // New messages wake this thread, too; they do not shorten the wait.
        while !self.shared.isStopping, ContinuousClock.now < end {
            let left = (end - ContinuousClock.now) / .milliseconds(1)
            self.shared.wake.wait(milliseconds: Int32(max(1, left.rounded(.up))))
        }
    }

    private func connect() throws {
        self.fault = nil
        self.isConnected = false
        let client: MosquittoClient
        if let existing = self.client {
            client = existing
        } else {
            client = try MosquittoClient(
                broker: self.options.broker,
                clientID: self.options.clientID,
                credentials: self.options.credentials,
                session: MosquittoClient.Session(expiry: 0, receiveMaximum: 100, keepAlive: self.options.keepAlive),
                will: self.options.willTopic.map { MosquittoClient.Will(topic: $0, payload: self.options.willPayload) },
                handler: self
            )
            self.client = client
        }
        try client.connect()
        let deadline = ContinuousClock.now + .seconds(15)
        while !self.isConnected {
            guard ContinuousClock.now < deadline, !self.shared.isStopping else {
                throw MQTTError(.timeout, "the broker \(self.options.broker) does not answer")
            }
            try self.exchange(client, milliseconds: 100)
        }
    }

    private func turn() throws {
        guard let client = self.client else { throw MQTTError(.connectionLost, "there is no connection") }
        self.sendWaiting(client)
        let hasRoom = self.nextWaiting < self.waiting.count && self.inFlight.count < self.options.window
        try self.exchange(client, milliseconds: hasRoom ? 0 : 1000)
        self.flushCounts()
    }

    private func sendWaiting(_ client: MosquittoClient) {
        if self.nextWaiting == self.waiting.count {
            self.waiting = self.shared.takeAll()
            self.nextWaiting = 0
        }
        var burst = 0
        while self.nextWaiting < self.waiting.count, self.inFlight.count < self.options.window, burst < 256 {
            let message = self.waiting[self.nextWaiting]
            self.nextWaiting += 1
            burst += 1
            do {
                let packetID = try client.publish(
                    topic: message.topic,
                    payload: message.payload,
                    quality: 1,
                    retain: message.retain
                )
                self.inFlight[packetID] = message
            } catch {
                self.fail(message, MQTTError(.library, "\(message.topic.prefix(200)) was not sent: \(error)"))
            }
        }
    }

    /// Writes what is queued and reads what has come.
    private func exchange(_ client: MosquittoClient, milliseconds: Int32) throws {
        if client.wantsToWrite { try client.write() }
        let ready = Readiness.wait(
            for: client.socket,
            readable: true,
            writable: client.wantsToWrite,
            wake: self.shared.wake,
            milliseconds: milliseconds
        )
        if ready.isWritable { try client.write() }
        if ready.isReadable {
            var reads = 0
            while reads < 512, try client.read() {
                reads += 1
                if let fault = self.fault { throw fault }
                guard client.socket >= 0 else { break }
            }
        }
        if let fault = self.fault { throw fault }
        guard client.socket >= 0 else { throw MQTTError(.connectionLost, "the broker closed the connection") }
        try client.keepAlive()
    }

    private func close() {
        if let client = self.client, client.socket >= 0 {
            client.disconnect()
            do { try client.write() } catch {
                self.logger.debug("the publisher left without a farewell", metadata: ["reason": "\(error)"])
            }
        }
        self.client = nil
        self.flushCounts()
        let unsent = self.inFlight.values + self.waiting[self.nextWaiting...] + self.shared.takeAll()
        for message in unsent {
            self.fail(message, MQTTError(.stopped, "the publisher was stopped before it was sent"))
        }
        self.inFlight = [:]
        self.waiting = []
        self.nextWaiting = 0
        self.shared.update { $0.isConnected = false }
    }

    private func fail(_ message: MQTTPublisher.Outgoing, _ error: MQTTError) {
        self.shared.update {
            $0.failed += 1
            $0.lastError = error.message
        }
        message.done?(.failure(error))
    }

    private func flushCounts() {
        guard self.acknowledged > 0 else { return }
        let count = self.acknowledged
        self.acknowledged = 0
        self.shared.update { $0.acknowledged += count }
    }

    // MARK: What the broker says

    func connected(reason: Int32, isSessionPresent: Bool) {
        guard reason == 0 else {
            self.fault = MQTTError(.refused, "the broker refused us: \(MQTTError.reasonText(reason))")
            return
        }
        self.isConnected = true
        self.connections += 1
        let isAgain = self.connections > 1
        self.shared.update {
            $0.isConnected = true
            if isAgain { $0.reconnects += 1 }
        }
    }

    func disconnected(reason: Int32) {
        guard reason >= 128, self.fault == nil else { return }
        self.fault = MQTTError(.connectionLost, "the broker ended the connection: \(MQTTError.reasonText(reason))")
    }

    func published(packetID: Int32, reason: Int32) {
        guard let message = self.inFlight.removeValue(forKey: packetID) else { return }
        guard reason < 128 else {
            self.fail(
                message,
                MQTTError(.refused, "the broker refused \(message.topic): \(MQTTError.reasonText(reason))")
            )
            return
        }
        self.acknowledged += 1
        message.done?(.success(()))
    }

    func subscribed(reasons: [Int32]) {}

    func received(_ message: borrowing MosquittoMessage) {}
}
