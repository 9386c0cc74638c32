// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import MQTTIngest
import Synchronization

/// Publishes at QoS 1 and returns when the broker has acknowledged everything.
enum TestPublisher {
    static func publish(_ messages: [(topic: String, payload: [UInt8])], to url: String) async throws {
        let publisher = try self.make(url)
        try await onThread {
            defer { publisher.stop() }
            for message in messages { try publisher.publish(topic: message.topic, payload: message.payload) }
            try publisher.flush(timeout: 300_000)
        }
    }

    /// A publisher that runs.
    static func make(_ url: String) throws -> MQTTPublisher {
        let options = MQTTPublisher.Options(
            broker: try BrokerAddress(url),
            clientID: "test-\(UUID().uuidString.prefix(8))"
        )
        var logger = Logger(label: "test", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = .critical
        let publisher = MQTTPublisher(options, logger: logger)
        publisher.start()
        return publisher
    }
}

/// Runs what blocks on a thread of its own: Swift's threads are as few as the processors.
private func onThread(_ body: @escaping @Sendable () throws -> Void) async throws {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        Thread.detachNewThread { continuation.resume(with: Result(catching: body)) }
    }
}

/// A stream of messages that flows on while others start and crash; it stops only at a gate, which its user moves on.
final class TestStream: Sendable {
    private let publisher: MQTTPublisher
    private let gate = Mutex(0)

    init(to url: String) throws {
        self.publisher = try TestPublisher.make(url)
    }

    deinit { self.publisher.stop() }

    /// Messages that the broker has acknowledged.
    var acknowledged: Int { self.publisher.totals.acknowledged }

    /// Lets messages before `index` flow.
    func open(to index: Int) {
        self.gate.withLock { $0 = max($0, index) }
    }

    /// Publishes the messages 0 to `count` − 1 as the gate allows; returns when all are acknowledged.
    func run(_ count: Int, _ message: @escaping @Sendable (Int) -> (topic: String, payload: [UInt8])) async throws {
        try await withTaskCancellationHandler {
            try await onThread {
                for index in 0..<count {
                    while self.gate.withLock({ $0 }) <= index { usleep(1000) }
                    let next = message(index)
                    try self.publisher.publish(topic: next.topic, payload: next.payload)
                }
                try self.publisher.flush(timeout: 300_000)
            }
        } onCancel: {
            // A test that has failed waits for this: what is published from now on throws.
            self.publisher.stop(timeout: 0)
            self.gate.withLock { $0 = .max }
        }
    }

    /// Waits until the broker has acknowledged so many.
    func reached(_ count: Int, within limit: Duration = .seconds(60)) async throws {
        try await eventually("\(count) acknowledged messages", within: limit, poll: .milliseconds(1)) {
            self.acknowledged >= count
        }
    }
}
