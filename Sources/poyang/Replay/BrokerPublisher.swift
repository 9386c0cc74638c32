// poyang
// SPDX-License-Identifier: Apache-2.0

import Logging
import MQTTIngest

/// Publishes a replay to an MQTT broker.
///
/// A broker that cannot be reached at the start ends the command; one that goes away later is waited for, and what it
/// has not acknowledged is sent again.
final class BrokerPublisher: ReplayPublisher {
    private let publisher: MQTTPublisher
    private let broker: BrokerAddress
    private var sent = 0

    /// Connects.
    ///
    /// - Parameters:
    ///   - login: Where, and as whom.
    ///   - name: What the broker's log shows.
    ///   - patience: How long a first connection may take.
    /// - Throws: ``CommandFailure`` when the broker does not answer.
    init(_ login: BrokerLogin, as name: String, patience: Duration = .seconds(5)) async throws {
        self.broker = login.address
        var logger = Logger(label: name) { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .error
        self.publisher = login.publisher(name: name, logger: logger)
        self.publisher.start()
        let clock = ContinuousClock()
        let deadline = clock.now + patience
        while !self.publisher.totals.isConnected {
            guard clock.now < deadline else {
                let reason = self.publisher.totals.lastError ?? "no broker answers at \(self.broker)"
                self.publisher.stop(timeout: 0)
                throw CommandFailure(
                    "\(reason); start one, for example 'mosquitto -c ops/mosquitto.conf', or name another by --broker"
                )
            }
            try await clock.sleep(for: .milliseconds(10))
        }
    }

    func publish(topic: String, payload: [UInt8]) async throws {
        do {
            try self.publisher.publish(topic: topic, payload: payload)
        } catch {
            throw CommandFailure("\(self.broker): \(error)")
        }
        self.sent += 1
        if self.sent % 1000 == 0 { try self.checkRefusals() }
    }

    func finish() async throws {
        do {
            try self.publisher.flush(timeout: 60_000)
        } catch {
            throw CommandFailure("\(error); is the broker still running?")
        }
        try self.checkRefusals()
        self.publisher.stop()
    }

    private func checkRefusals() throws {
        let totals = self.publisher.totals
        guard totals.failed > 0 else { return }
        let reason = totals.lastError.map { ": \($0)" } ?? ""
        throw CommandFailure("\(self.broker) refused \(totals.failed) messages\(reason)")
    }
}
