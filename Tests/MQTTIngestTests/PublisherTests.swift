// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry
import Testing

@testable import MQTTIngest

@Suite(.serialized, .timeLimit(.minutes(2))) struct PublisherTests {
    @Test func countsWhatTheBrokerAcknowledged() async throws {
        try await withBroker { broker, _ in
            let publisher = makePublisher(broker.address)
            for index in 0..<30_000 { try publisher.send("{\"level\":\(index)}") }
            try publisher.flush(timeout: 30_000)
            let totals = publisher.totals
            #expect(totals.accepted == 30_000 && totals.acknowledged == 30_000 && totals.failed == 0)
            publisher.stop()
            #expect(throws: MQTTError.self) { try publisher.send("{}") }
        }
    }

    @Test func saysWhichMessageFailed() async throws {
        try await withBroker { broker, _ in
            let publisher = makePublisher(broker.address)
            defer { publisher.stop() }
            try await publisher.publishAndWait(topic: "a/b", payload: [1], retain: true)
            await #expect(throws: MQTTError.self) {
                try await publisher.publishAndWait(topic: "a/#", payload: [1])
            }
            #expect(publisher.totals.failed == 1)
            #expect(publisher.totals.lastError?.contains("a/#") == true)
        }
    }

    @Test func sendsAgainWhatARestartedBrokerHadNotAcknowledged() async throws {
        try await withBroker { broker, directory in
            let sink = RecordingSink()
            let ingest = makeIngest(broker.address, sink)
            ingest.start()
            defer { ingest.stop() }
            #expect(await eventually { ingest.isSubscribed })
            let publisher = makePublisher(broker.address)
            defer { publisher.stop() }
            for index in 0..<500 { try publisher.send("{\"level\":\(index)}") }
            #expect(await eventually { publisher.totals.acknowledged > 0 })
            broker.stop()
            for index in 500..<1000 { try publisher.send("{\"level\":\(index)}") }
            #expect(throws: MQTTError.self) { try publisher.flush(timeout: 50) }
            let again = try EmbeddedBroker(
                EmbeddedBroker.Options(directory: directory, port: broker.address.port)
            )
            defer { again.stop() }
            try publisher.flush(timeout: 20_000)
            #expect(publisher.totals.acknowledged == 1000)
            #expect(publisher.totals.reconnects >= 1)
            #expect(await eventually { Set(sink.values).count == 1000 })
        }
    }

    @Test func failsWhatIsUnsentWhenStopped() async throws {
        let publisher = makePublisher(BrokerAddress(host: "127.0.0.1", port: try LoopbackPort.free()))
        try publisher.send(#"{"level":1}"#)
        publisher.stop()
        #expect(publisher.totals.failed == 1)
        #expect(publisher.totals.pending == 0)
    }
}
