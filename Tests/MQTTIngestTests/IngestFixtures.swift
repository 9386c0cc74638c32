// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Foundation
import Logging
import Synchronization
import Telemetry
import TestSupport

@testable import MQTTIngest

/// A sink that keeps what was committed, and can be made to wait or to fail.
final class RecordingSink: ReadingSink {
    struct Failure: Error, CustomStringConvertible {
        let description = "the disk is full"
    }

    private struct State {
        var readings: [ResolvedReading] = []
        var quarantined: [QuarantinedPayload] = []
        var deliveries: [Delivery] = []
        var messages = 0
        var failures = 0
        var isClosed = false
        var waiting = 0
    }

    private let state = Mutex(State())
    private let gate = NSCondition()

    /// The next so many commits throw.
    func failNext(_ count: Int) { self.state.withLock { $0.failures = count } }

    /// Commits wait until ``open()``.
    func shut() { self.state.withLock { $0.isClosed = true } }

    func open() {
        self.gate.lock()
        self.state.withLock { $0.isClosed = false }
        self.gate.broadcast()
        self.gate.unlock()
    }

    var values: [Double] { self.state.withLock { $0.readings.map(\.sample.value) } }
    var readings: [ResolvedReading] { self.state.withLock { $0.readings } }
    var quarantined: [QuarantinedPayload] { self.state.withLock { $0.quarantined } }
    var messages: Int { self.state.withLock { $0.messages } }
    var deliveries: [Delivery] { self.state.withLock { $0.deliveries } }
    /// Commits that stand before the closed gate.
    var waiting: Int { self.state.withLock { $0.waiting } }

    func commit(_ batch: ReadingBatch) throws {
        self.gate.lock()
        self.state.withLock { $0.waiting += 1 }
        while self.state.withLock({ $0.isClosed }) { self.gate.wait() }
        self.gate.unlock()
        try self.state.withLock { state in
            state.waiting -= 1
            guard state.failures == 0 else {
                state.failures -= 1
                throw Failure()
            }
            state.readings += batch.readings
            state.quarantined += batch.quarantined
            state.deliveries += batch.deliveries
            state.messages += batch.messages
        }
    }

    func recentDeliveries() throws -> [Delivery] {
        self.state.withLock { Array($0.deliveries.suffix(20_000)) }
    }
}

/// Knows every device but those whose id begins with `ghost`, and takes every key.
final class OpenResolver: ReadingResolver {
    private let keys = Mutex<[String: SeriesKey]>([:])
    let site: String

    init(site: String = "x") { self.site = site }

    func resolve(
        device: String,
        readings: [Reading],
        receivedAt: Timestamp,
        into resolved: inout [ResolvedReading]
    ) -> [Refusal] {
        guard !device.hasPrefix("ghost") else {
            return [Refusal(reason: .unknownDevice, detail: "no device \(device)", values: readings.count)]
        }
        self.keys.withLock { keys in
            for reading in readings {
                let name = "\(device)/\(reading.key)"
                let made =
                    keys[name]
                    ?? SeriesKey(labels: Labels(metric: reading.key, ["site": self.site, "device": device]))
                keys[name] = made
                let sample = Sample(time: reading.time ?? receivedAt, value: reading.value)
                resolved.append(ResolvedReading(series: made, sample: sample, hasOwnTime: reading.time != nil))
            }
        }
        return []
    }

    func forget(_ readings: [ResolvedReading]) {}

    /// Addresses that begin with `99` are another's.
    func mismatch(of address: String, with device: String) -> Refusal? {
        address.hasPrefix("99") ? Refusal(reason: .wrongAddress, detail: "not \(device)'s address") : nil
    }

    func hj212Dialect(of device: String) -> HJ212Dialect { HJ212Dialect() }
    func device(address: String) -> String? { nil }
    func device(called name: String) -> NamedDevice { .known(name) }
    func payloadLayout(of device: String) -> PayloadLayout? { nil }
    func note(_ report: FirmwareReport, of device: String, receivedAt: Timestamp) -> Refusal? { nil }
    func note(_ connection: DeviceConnection.State, of device: String, receivedAt: Timestamp) -> Refusal? { nil }
    func key(ofMetric metric: String, of device: String) -> String? { nil }
    func takes(_ key: String, of device: String) -> Bool { true }
    func fit(_ readings: inout [Reading], to units: [Telemetry.Unit?], of device: String) -> [Refusal] { [] }
}

let quietLogger: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
}()

func makeIngest(
    _ address: BrokerAddress,
    _ sink: RecordingSink,
    id: String = "poyang-test",
    resolver: any ReadingResolver = OpenResolver(),
    change: (inout IngestOptions) -> Void = { _ in }
) -> Ingest {
    var options = IngestOptions(broker: address, clientID: id)
    options.longestWait = 400
    change(&options)
    return Ingest(
        options: options,
        sink: sink,
        resolver: resolver,
        logger: quietLogger,
        now: { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }
    )
}

func makePublisher(_ address: BrokerAddress, id: String = "publisher") -> MQTTPublisher {
    var options = MQTTPublisher.Options(broker: address, clientID: id)
    options.longestWait = 400
    let publisher = MQTTPublisher(options, logger: quietLogger)
    publisher.start()
    return publisher
}

extension MQTTPublisher {
    func send(_ text: String, device: String = "a") throws {
        try self.publish(topic: "poyang/v1/devices/\(device)/telemetry", payload: Array(text.utf8))
    }
}

/// Waits until something is so; false when it is not after 20 seconds.
func eventually(_ condition: () -> Bool) async -> Bool {
    let deadline = ContinuousClock.now + .seconds(20)
    while !condition() {
        guard ContinuousClock.now < deadline else { return false }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return true
}

/// A broker in a directory of its own, both gone afterwards.
func withBroker(
    savesEveryChange: Bool = false,
    _ body: (EmbeddedBroker, URL) async throws -> Void
) async throws {
    try await withTemporaryFolder { directory in
        var options = EmbeddedBroker.Options(directory: directory)
        options.savesEveryChange = savesEveryChange
        let broker = try EmbeddedBroker(options)
        defer { broker.stop() }
        try await body(broker, directory)
    }
}

/// Publishes one message at any quality of service and waits until its exchange is over.
func publishOnce(
    _ address: BrokerAddress,
    topic: String,
    payload: String,
    quality: Int32,
    retain: Bool = false
) throws {
    final class Handler: MosquittoHandler {
        var isConnected = false
        var isPublished = false
        func connected(reason: Int32, isSessionPresent: Bool) { self.isConnected = reason == 0 }
        func disconnected(reason: Int32) {}
        func subscribed(reasons: [Int32]) {}
        func received(_ message: borrowing MosquittoMessage) {}
        func published(packetID: Int32, reason: Int32) { self.isPublished = true }
    }
    let handler = Handler()
    let session = MosquittoClient.Session(expiry: 0, receiveMaximum: 10, keepAlive: 30)
    let client = try MosquittoClient(
        broker: address,
        clientID: "once-\(quality)",
        credentials: nil,
        session: session,
        handler: handler
    )
    let wake = WakeSignal()
    try client.connect()
    var isSent = false
    let deadline = ContinuousClock.now + .seconds(10)
    while !handler.isPublished {
        guard ContinuousClock.now < deadline else { throw MQTTError(.timeout, "not published") }
        if handler.isConnected, !isSent {
            _ = try client.publish(topic: topic, payload: Array(payload.utf8), quality: quality, retain: retain)
            isSent = true
        }
        if client.wantsToWrite { try client.write() }
        if Readiness.wait(for: client.socket, readable: true, writable: false, wake: wake, milliseconds: 20).isReadable
        {
            _ = try client.read()
        }
    }
    client.disconnect()
    try client.write()
}
