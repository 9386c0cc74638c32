// poyang
// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization
import Telemetry

/// One connection after another to the broker, on the ingest thread only.
///
/// The order that nothing may change: `read` … `commit` … `write`. Acknowledgements are queued by the library while it
/// reads; they leave when `write` is called, which happens only while no uncommitted message is held.
final class IngestSession: MosquittoHandler {
    private let options: IngestOptions
    private let sink: any ReadingSink
    private let shared: IngestShared
    private let logger: Logger
    private let now: @Sendable () -> Timestamp

    private var client: MosquittoClient?
    private var path: MessagePath
    private let rebirths: RebirthRequests
    private var redelivery = Redelivery()
    private var resolver: any ReadingResolver
    private var batch: ReadingBatch
    private var batchBytes = 0
    /// Messages of the batch that somebody may want to see.
    private var watched: [WatchedMessage] = []
    /// Counted since the last flush to the shared metrics.
    private var counted = IngestMetrics()
    private var fault: (any Error)?
    private var connections = 0
    private var isConnected = false
    private var answerDeadline = ContinuousClock.now

    /// Whether the last ``run()`` got as far.
    private(set) var hasSubscribed = false
    private(set) var hasCommitted = false
    private var everSubscribed = false

    init(
        options: IngestOptions,
        sink: any ReadingSink,
        shared: IngestShared,
        logger: Logger,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.options = options
        self.sink = sink
        self.shared = shared
        self.logger = logger
        self.now = now
        self.path = MessagePath(payloadLimit: options.payloadLimit)
        self.rebirths = RebirthRequests(options: options, logger: logger)
        self.resolver = shared.resolver.withLock { $0 }
        self.batch = ReadingBatch(receivedAt: .distantPast)
    }

    /// Connects and pumps until the connection ends, a commit fails, or the thread is told to stop.
    ///
    /// - Returns: `nil` when told to stop.
    func run() -> IngestFailure? {
        self.hasSubscribed = false
        self.hasCommitted = false
        self.fault = nil
        self.isConnected = false
        do {
            try self.connect()
            while !self.shared.isStopping { try self.turn() }
            return nil
        } catch let failure as CommitFailure {
            return IngestFailure(reason: "a batch could not be stored: \(failure.cause)", isCommit: true)
        } catch {
            return IngestFailure(reason: "\(error)", isCommit: false)
        }
    }

    /// Leaves the broker; everything read has been committed, so every acknowledgement may go.
    func close() {
        self.rebirths.stop()
        defer {
            self.client = nil
            self.flushCounts()
        }
        guard let client = self.client, client.socket >= 0, self.batch.isEmpty else { return }
        do {
            try self.writeAll(client, patience: .seconds(5))
            client.disconnect()
            try self.writeAll(client, patience: .seconds(1))
        } catch {
            self.logger.debug("ingest left the broker without a farewell", metadata: ["reason": "\(error)"])
        }
    }

    private func connect() throws {
        let client: MosquittoClient
        if let existing = self.client {
            client = existing
        } else {
            client = try MosquittoClient(
                broker: self.options.broker,
                clientID: self.options.clientID,
                credentials: self.options.credentials,
                session: MosquittoClient.Session(
                    expiry: self.options.sessionExpiry,
                    receiveMaximum: self.options.receiveMaximum,
                    keepAlive: self.options.keepAlive
                ),
                handler: self
            )
            self.client = client
        }
        self.abandonBatch()
        self.answerDeadline = .now + .seconds(15)
        do {
            try client.connect()
        } catch {
            self.shared.metrics.withLock { $0.connectsFailed += 1 }
            throw error
        }
    }

    /// Waits for the socket, reads one batch, commits it, acknowledges it.
    private func turn() throws {
        guard let client = self.client else { throw MQTTError(.connectionLost, "there is no connection") }
        let ready = Readiness.wait(
            for: client.socket,
            readable: true,
            writable: client.wantsToWrite,
            wake: self.shared.wake,
            milliseconds: 1000
        )
        var readError: (any Error)?
        if ready.isReadable {
            do { try self.readBatch(client) } catch { readError = error }
        }
        // What was read before the connection broke is committed all the same; it comes again and is recognised.
        try self.commit()
        if let error = readError { throw error }
        if client.wantsToWrite {
            try client.write()
            // A socket that is full is waited for without reading on, so that acknowledgements do not pile up.
            if client.wantsToWrite, self.isConnected {
                _ = Readiness.wait(
                    for: client.socket,
                    readable: false,
                    writable: true,
                    wake: self.shared.wake,
                    milliseconds: 1000
                )
                try client.write()
            }
        }
        try client.keepAlive()
        if client.socket < 0 { throw MQTTError(.connectionLost, "the broker closed the connection") }
        if !self.hasSubscribed, ContinuousClock.now > self.answerDeadline {
            throw MQTTError(.timeout, "the broker \(self.options.broker) does not answer; is it an MQTT 5 broker?")
        }
    }

    private func readBatch(_ client: MosquittoClient) throws {
        self.batch = ReadingBatch(receivedAt: self.now())
        self.batchBytes = 0
        self.resolver = self.shared.resolver.withLock { $0 }
        let deadline = ContinuousClock.now + .milliseconds(self.options.batchSpan)
        var reads = 0
        while self.batch.messages < self.options.batchMessages, self.batchBytes < self.options.batchBytes {
            let before = self.counted.messages
            let mayHaveMore = try client.read()
            if let fault = self.fault { throw fault }
            guard client.socket >= 0 else { throw MQTTError(.connectionLost, "the broker closed the connection") }
            guard mayHaveMore || self.counted.messages > before else { return }
            reads += 1
            if reads % 32 == 0, ContinuousClock.now > deadline { return }
        }
    }

    private func commit() throws {
        defer { self.flushCounts() }
        guard !self.batch.isEmpty else { return }
        do {
            try self.sink.commit(self.batch)
        } catch {
            self.counted.commitsFailed += 1
            throw CommitFailure(cause: error)
        }
        self.hasCommitted = true
        self.shared.tap.offer(self.watched)
        self.watched = []
        self.counted.batches += 1
        self.counted.committedMessages += self.batch.messages
        self.counted.readings += self.batch.readings.count
        self.counted.quarantinedPayloads += self.batch.quarantined.count
        for payload in self.batch.quarantined {
            for refusal in payload.refusals { self.counted.refused[refusal.reason, default: 0] += refusal.values }
        }
        self.batch = ReadingBatch(receivedAt: self.batch.receivedAt)
    }

    /// Forgets what was read and not committed; the broker sends it again after the reconnect.
    private func abandonBatch() {
        self.counted.abandonedMessages += self.batch.messages
        self.resolver.forget(self.batch.readings)
        self.watched = []
        self.batch = ReadingBatch(receivedAt: .distantPast)
        self.flushCounts()
    }

    private func writeAll(_ client: MosquittoClient, patience: Duration) throws {
        let deadline = ContinuousClock.now + patience
        while client.socket >= 0, client.wantsToWrite, ContinuousClock.now < deadline {
            try client.write()
            guard client.wantsToWrite else { return }
            _ = Readiness.wait(
                for: client.socket,
                readable: false,
                writable: true,
                wake: self.shared.wake,
                milliseconds: 100
            )
        }
    }

    private func flushCounts() {
        let counted = self.counted
        self.counted = IngestMetrics()
        self.shared.metrics.withLock { $0.add(counted) }
    }

    // MARK: What the broker says

    func connected(reason: Int32, isSessionPresent: Bool) {
        guard reason == 0 else {
            let advice = "check user, password and the broker's access rules"
            self.fault = MQTTError(.refused, "the broker refused us: \(MQTTError.reasonText(reason)); \(advice)")
            return
        }
        do {
            let deliveries = try self.sink.recentDeliveries()
            if isSessionPresent {
                self.redelivery.begin(deliveries, limit: Int(self.options.receiveMaximum))
            } else {
                self.redelivery.end()
                if self.everSubscribed || !deliveries.isEmpty { self.noteLostSession() }
            }
            try self.client?.subscribe(self.options.topics)
        } catch {
            self.fault = error
            return
        }
        self.isConnected = true
        self.connections += 1
        if self.connections > 1 { self.counted.reconnects += 1 }
    }

    func subscribed(reasons: [Int32]) {
        let denied = zip(self.options.topics, reasons).filter { $0.1 >= 128 }
        for (topic, reason) in denied {
            self.logger.error(
                "the broker does not let us subscribe",
                metadata: ["topic": "\(topic)", "reason": "\(MQTTError.reasonText(reason))"]
            )
        }
        guard denied.count < reasons.count else {
            self.fault = MQTTError(.refused, "the broker lets us subscribe to nothing; check its access rules")
            return
        }
        self.hasSubscribed = true
        self.everSubscribed = true
        let now = self.now()
        self.shared.state.withLock { $0.state = .subscribed(since: now) }
        self.logger.info("ingest subscribed", metadata: ["broker": "\(self.options.broker)"])
    }

    func disconnected(reason: Int32) {
        guard reason >= 128, self.fault == nil else { return }
        self.fault = MQTTError(.connectionLost, "the broker ended the connection: \(MQTTError.reasonText(reason))")
    }

    func received(_ message: borrowing MosquittoMessage) {
        self.counted.messages += 1
        self.counted.bytes += message.payloadLength
        self.batchBytes += message.payloadLength
        message.withTopic { topic in
            message.withPayload { payload in
                let topicHash = DeliveryHash.hash(topic, seed: DeliveryHash.topicSeed)
                if message.packetID != 0 {
                    let delivery = Delivery(
                        packetID: message.packetID,
                        hash: DeliveryHash.hash(payload, seed: topicHash)
                    )
                    guard !self.redelivery.isKnown(delivery) else {
                        self.counted.redelivered += 1
                        return
                    }
                    self.batch.deliveries.append(delivery)
                }
                self.batch.messages += 1
                let before = (readings: self.batch.readings.count, refused: self.batch.quarantined.count)
                defer { if self.path.notesParts { self.watch(topic, payload, since: before) } }
                self.path.notesParts = self.shared.tap.isWatched
                self.path.take(
                    topic: topic,
                    topicHash: topicHash,
                    payload: payload,
                    isRetained: message.isRetained,
                    resolver: self.resolver,
                    into: &self.batch
                )
                for topic in self.path.rebirths { self.rebirths.request(topic, at: self.batch.receivedAt) }
                self.path.rebirths.removeAll()
            }
        }
    }

    func published(packetID: Int32, reason: Int32) {}

    /// Notes what came and what became of it, for those who watch its device; shown when the batch is on disk.
    private func watch(_ topic: Span<UInt8>, _ payload: Span<UInt8>, since before: (readings: Int, refused: Int)) {
        let refused = self.batch.quarantined.dropFirst(before.refused).first
        self.watched.append(
            WatchedMessage(
                topic: String(decoding: topic.indices.map { topic[$0] }, as: UTF8.self),
                receivedAt: self.batch.receivedAt,
                payload: (0..<min(payload.count, WatchedMessage.shownBytes)).map { payload[$0] },
                length: payload.count,
                values: Array(self.batch.readings.dropFirst(before.readings)),
                refusals: refused?.refusals ?? [],
                parts: self.path.parts,
                isShared: self.path.isShared
            )
        )
    }

    private func noteLostSession() {
        self.counted.sessionsLost += 1
        self.logger.error(
            "the broker had forgotten our session: messages that it held for us are lost",
            metadata: [
                "broker": "\(self.options.broker)",
                "advice": "persistence must be on at the broker, and its session expiry not below ours",
            ]
        )
    }
}

/// The sink did not take a batch.
private struct CommitFailure: Error {
    let cause: any Error
}
