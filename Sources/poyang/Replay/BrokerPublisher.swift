// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
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
    ///   - url: `mqtt[s]://HOST:PORT`
    ///   - patience: How long a first connection may take.
    /// - Throws: ``CommandFailure`` when the text is no address or the broker does not answer.
    init(_ url: String, patience: Duration = .seconds(5)) async throws {
        do {
            self.broker = try BrokerAddress(url)
        } catch {
            throw CommandFailure("--broker: \(error)")
        }
        let process = ProcessInfo.processInfo.processIdentifier
        let options = MQTTPublisher.Options(broker: self.broker, clientID: "poyang-replay-\(process)")
        var logger = Logger(label: "replay") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .error
        self.publisher = MQTTPublisher(options, logger: logger)
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
