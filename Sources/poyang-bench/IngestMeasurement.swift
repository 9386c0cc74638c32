// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Feeds the discarding client and the service, and takes the time.
struct IngestMeasurement {
    struct Discarding {
        var messagesPerSecond: Double
        /// Processor time of the broker per message, in µs.
        var brokerMicroseconds: Double
    }

    struct Service {
        var messagesPerSecond: Double
        var evaluationsPerMessage: Double
        /// How many messages were committed, and flushed, together on average.
        var messagesPerBatch: Double
        /// Messages of the feed: warnings issued, raised, lowered, ended.
        var warningMessages: Int
        /// Processor time of the broker per message, in µs.
        var brokerMicroseconds: Double
        /// Processor time of the service per message by thread, in µs.
        var threadMicroseconds: [String: Double]
    }

    struct Round {
        var discarding: Discarding
        var service: Service
        /// While many clients ask range queries; nil where that was not measured.
        var queried: Queried?
        var ratio: Double { self.service.messagesPerSecond / self.discarding.messagesPerSecond }
    }

    struct Queried {
        var messagesPerSecond: Double
        var queries: QueryLoad.Outcome
        /// The largest resident size of the service so far, in bytes.
        var residentBytes: Int
    }

    /// The port.
    let broker: UInt16
    let brokerProcess: Int32
    let service: ServiceProcess
    let sites: Int
    /// What the service has been sent so far; its time goes on from there.
    private var sent = 0

    init(broker: UInt16, brokerProcess: Int32, service: ServiceProcess, sites: Int) {
        self.broker = broker
        self.brokerProcess = brokerProcess
        self.service = service
        self.sites = sites
    }

    private static let timeout = Duration.seconds(600)

    /// - Throws: ``BenchFailure`` when messages are missing.
    func discarding(messages: Int) throws -> Discarding {
        // A topic of the same length that the service does not subscribe to.
        guard let client = DiscardingClient(port: self.broker, filter: "poyang/v0/devices/+/telemetry") else {
            throw BenchFailure("the discarding client cannot subscribe")
        }
        let before = ProcessorTime.threads(of: self.brokerProcess)
        let publisher = try PublisherProcess(
            port: self.broker,
            from: 0,
            count: messages,
            sites: self.sites,
            root: "poyang/v0"
        )
        client.run(until: messages)
        let end = MonotonicClock.now
        let began = try publisher.finish()
        guard client.messages >= messages else { throw BenchFailure("\(client.messages) of \(messages) messages came") }
        return Discarding(
            messagesPerSecond: Double(messages) / Self.seconds(from: began, to: end),
            brokerMicroseconds: self.brokerMicroseconds(since: before, messages)
        )
    }

    mutating func service(messages: Int) throws -> Service {
        let countsBefore = try self.counts()
        let threadsBefore = ProcessorTime.threads(of: self.service.processID)
        let brokerBefore = ProcessorTime.threads(of: self.brokerProcess)
        let publisher = try PublisherProcess(
            port: self.broker,
            from: self.sent,
            count: messages,
            sites: self.sites,
            root: "poyang/v1"
        )
        self.sent += messages
        let end = try self.service.awaitJudged(messages: self.sent, timeout: Self.timeout)
        let began = try publisher.finish()
        let counts = try self.counts()
        var threads: [String: Double] = [:]
        for (name, seconds) in ProcessorTime.threads(of: self.service.processID) {
            threads[name] = (seconds - (threadsBefore[name] ?? 0)) * 1e6 / Double(messages)
        }
        return Service(
            messagesPerSecond: Double(messages) / Self.seconds(from: began, to: end),
            evaluationsPerMessage: Double(counts[0] - countsBefore[0]) / Double(messages),
            messagesPerBatch: Double(messages) / Double(max(1, counts[2] - countsBefore[2])),
            warningMessages: counts[1] - countsBefore[1],
            brokerMicroseconds: self.brokerMicroseconds(since: brokerBefore, messages),
            threadMicroseconds: threads
        )
    }

    /// The same while `clients` ask range queries over all that was sent; `program` is `ops/query-load`.
    mutating func queried(messages: Int, clients: Int, program: String) throws -> Queried {
        let load = try QueryLoad(
            program: program,
            url: "http://127.0.0.1:\(self.service.port)",
            clients: clients,
            span: RiverSites.span(messages: self.sent, sites: self.sites)
        )
        let service = try self.service(messages: messages)
        return Queried(
            messagesPerSecond: service.messagesPerSecond,
            queries: try load.stop(),
            residentBytes: try self.service.largestResidentBytes()
        )
    }

    /// Evaluations, messages of the feed and batches since the start.
    private func counts() throws -> [Int] {
        try self.service
            .status("poyang_rule_evaluations_total", "poyang_feed_sequence", "poyang_journal_position")
    }

    private func brokerMicroseconds(since before: [String: Double], _ messages: Int) -> Double {
        let after = ProcessorTime.threads(of: self.brokerProcess)
        return (after.values.reduce(0, +) - before.values.reduce(0, +)) * 1e6 / Double(messages)
    }

    private static func seconds(from: UInt64, to: UInt64) -> Double { Double(to - from) / 1e9 }
}
