// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry
import TestSupport
import Testing

@testable import MQTTIngest

/// Ingest and publisher against a real mosquitto, each test with its own.
@Suite(.serialized, .timeLimit(.minutes(2))) struct BrokerTests {
    @Test func acknowledgesOnlyAfterTheCommit() async throws {
        try await withBroker { broker, _ in
            let relay = try TCPRelay(to: broker.address.port)
            defer { relay.stop() }
            let sink = RecordingSink()
            sink.shut()
            let ingest = makeIngest(relay.address, sink)
            ingest.start()
            defer { ingest.stop() }
            #expect(await eventually { ingest.isSubscribed })
            let publisher = makePublisher(broker.address)
            defer { publisher.stop() }
            for index in 0..<50 { try publisher.send("{\"level\":\(index)}") }
            #expect(await eventually { sink.waiting == 1 })
            // Enough for any acknowledgement that should not be there to pass the relay.
            try publisher.flush(timeout: 10_000)
            try await Task.sleep(for: .milliseconds(200))
            #expect(relay.acknowledgements == 0)
            sink.open()
            #expect(await eventually { relay.acknowledgements == 50 })
            #expect(sink.values == (0..<50).map(Double.init))
        }
    }

    @Test func readsABatchAgainThatCouldNotBeStored() async throws {
        try await withBroker { broker, _ in
            let relay = try TCPRelay(to: broker.address.port)
            defer { relay.stop() }
            let sink = RecordingSink()
            sink.failNext(3)
            let ingest = makeIngest(relay.address, sink)
            ingest.start()
            defer { ingest.stop() }
            #expect(await eventually { ingest.isSubscribed })
            let publisher = makePublisher(broker.address)
            defer { publisher.stop() }
            for index in 0..<100 { try publisher.send("{\"level\":\(index)}") }
            #expect(await eventually { sink.values.count >= 100 && relay.acknowledgements >= 100 })
            #expect(sink.values == (0..<100).map(Double.init))
            #expect(relay.acknowledgements == 100)
            let metrics = ingest.metrics
            #expect(metrics.commitsFailed == 3)
            #expect(metrics.redelivered == 0)
            #expect(metrics.reconnects == 3)
            #expect(metrics.messages == metrics.committedMessages + metrics.redelivered + metrics.abandonedMessages)
        }
    }

    @Test func knowsAgainWhatWasStoredWhenTheAcknowledgementWasLost() async throws {
        try await withBroker { broker, _ in
            let relay = try TCPRelay(to: broker.address.port)
            defer { relay.stop() }
            let sink = RecordingSink()
            let ingest = makeIngest(relay.address, sink)
            ingest.start()
            defer { ingest.stop() }
            #expect(await eventually { ingest.isSubscribed })
            relay.swallow(true)
            let publisher = makePublisher(broker.address)
            defer { publisher.stop() }
            // All payloads are equal and none has a time: only the packet id tells them apart.
            for _ in 0..<100 { try publisher.send(#"{"level":7}"#) }
            #expect(await eventually { sink.messages == 100 && relay.acknowledgements == 100 })
            relay.swallow(false)
            relay.cut()
            #expect(await eventually { ingest.metrics.redelivered == 100 })
            for _ in 0..<10 { try publisher.send(#"{"level":7}"#) }
            #expect(await eventually { sink.messages == 110 && relay.acknowledgements == 210 })
            #expect(sink.values.count == 110)
            #expect(ingest.metrics.sessionsLost == 0)
        }
    }

    @Test func losesNothingAndRepeatsNothingOverManyRestarts() async throws {
        try await withBroker { broker, _ in
            let relay = try TCPRelay(to: broker.address.port)
            defer { relay.stop() }
            let seed = UInt64.random(in: 0...UInt64.max)
            var random = SystemRandomNumberGenerator()
            let sink = RecordingSink()
            let count = 20_000
            // The session must exist before the first message.
            let first = makeIngest(relay.address, sink)
            first.start()
            #expect(await eventually { first.isSubscribed })
            first.stop()
            let publisher = makePublisher(broker.address)
            defer { publisher.stop() }
            let stream = Thread {
                for index in 0..<count { try? publisher.send("{\"level\":\(index)}", device: "d\(index % 50)") }
            }
            stream.start()
            var redelivered = 0
            for round in 0..<12 {
                let ingest = makeIngest(relay.address, sink)
                ingest.start()
                _ = await eventually { ingest.isSubscribed }
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...60, using: &random)))
                switch round % 3 {
                case 0:  // as if killed between commit and acknowledgement
                    relay.swallow(true)
                    try await Task.sleep(for: .milliseconds(Int.random(in: 0...30, using: &random)))
                    relay.cut()
                case 1:  // killed before the commit
                    sink.failNext(1_000_000)
                    try await Task.sleep(for: .milliseconds(Int.random(in: 0...30, using: &random)))
                default: break
                }
                ingest.stop()
                redelivered += ingest.metrics.redelivered
                sink.failNext(0)
                relay.swallow(false)
            }
            let last = makeIngest(relay.address, sink)
            last.start()
            defer { last.stop() }
            #expect(await eventually { sink.messages >= count })
            try publisher.flush(timeout: 10_000)
            #expect(sink.values.sorted() == (0..<count).map(Double.init), "seed \(seed), \(redelivered) came again")
            #expect(last.metrics.sessionsLost == 0)
        }
    }

    @Test func waitsForABrokerThatComesLater() async throws {
        try await withTemporaryFolder { directory in
            let port = try LoopbackPort.free()
            let sink = RecordingSink()
            let ingest = makeIngest(BrokerAddress(host: "127.0.0.1", port: port), sink)
            ingest.start()
            defer { ingest.stop() }
            #expect(await eventually { ingest.metrics.connectsFailed >= 2 })
            #expect(!ingest.isSubscribed)
            if case .waiting(let reason, _) = ingest.state { #expect(reason.contains("is it running?")) }
            let broker = try EmbeddedBroker(EmbeddedBroker.Options(directory: directory, port: port))
            defer { broker.stop() }
            #expect(await eventually { ingest.isSubscribed })
            let publisher = makePublisher(broker.address)
            defer { publisher.stop() }
            try publisher.send(#"{"level":1}"#)
            #expect(await eventually { sink.values == [1] })
        }
    }

    @Test(arguments: [false, true])
    func getsWhatABrokerKeptOverItsRestart(isKilled: Bool) async throws {
        try await withBroker(savesEveryChange: isKilled) { broker, directory in
            let sink = RecordingSink()
            let first = makeIngest(broker.address, sink)
            first.start()
            #expect(await eventually { first.isSubscribed })
            first.stop()
            let publisher = makePublisher(broker.address)
            for index in 0..<500 { try publisher.send("{\"level\":\(index)}") }
            try publisher.flush(timeout: 20_000)
            if isKilled {
                // The broker saves a moment after it acknowledges; a save after one more message holds all before.
                let mark = Date()
                try publisher.publish(topic: "elsewhere", payload: [1], retain: true)
                let file = directory.appendingPathComponent("mosquitto.db").path
                let isSaved = await eventually {
                    let attributes = try? FileManager.default.attributesOfItem(atPath: file)
                    return (attributes?[.modificationDate] as? Date).map { $0 > mark } ?? false
                }
                #expect(isSaved)
                broker.kill()
            } else {
                broker.stop()
            }
            publisher.stop()
            let again = try EmbeddedBroker(
                EmbeddedBroker.Options(directory: directory, port: broker.address.port)
            )
            defer { again.stop() }
            let second = makeIngest(broker.address, sink)
            second.start()
            defer { second.stop() }
            #expect(await eventually { sink.messages >= 500 })
            #expect(sink.values == (0..<500).map(Double.init))
            #expect(second.metrics.sessionsLost == 0)
        }
    }

    @Test func countsASessionThatTheBrokerForgot() async throws {
        try await withBroker { broker, directory in
            let sink = RecordingSink()
            let ingest = makeIngest(broker.address, sink)
            ingest.start()
            defer { ingest.stop() }
            #expect(await eventually { ingest.isSubscribed })
            broker.kill()
            #expect(await eventually { !ingest.isSubscribed })
            try? FileManager.default.removeItem(at: directory.appendingPathComponent("mosquitto.db"))
            let again = try EmbeddedBroker(
                EmbeddedBroker.Options(directory: directory, port: broker.address.port)
            )
            defer { again.stop() }
            #expect(await eventually { ingest.isSubscribed && ingest.metrics.sessionsLost == 1 })
            let publisher = makePublisher(broker.address)
            defer { publisher.stop() }
            try publisher.send(#"{"level":1}"#)
            #expect(await eventually { sink.values == [1] })
        }
    }

    @Test func goesOnAfterAnyPayloadAndCountsEveryValueOnce() async throws {
        try await withBroker { broker, _ in
            let sink = RecordingSink()
            let ingest = makeIngest(broker.address, sink)
            ingest.start()
            defer { ingest.stop() }
            #expect(await eventually { ingest.isSubscribed })
            let publisher = makePublisher(broker.address)
            defer { publisher.stop() }
            try publisher.send(#"{"level":1"#)
            try publisher.publish(
                topic: "poyang/v1/devices/a/telemetry",
                payload: [UInt8](repeating: 0x20, count: 10_000_000)
            )
            try publisher.send(#"{"level":1,"battery":2}"#, device: "ghost-1")
            try publisher.send(#"{"a":1,"b":2,"c":NaN,"d":4,"e":5}"#)
            try publisher.publish(topic: "poyang/v1/devices/a/telemetry", payload: [])
            try publisher.publish(topic: "v1/devices/me/telemetry", payload: Array(#"{"level":1}"#.utf8))
            try publisher.publish(topic: "v1/gateway/telemetry", payload: Array(#"{"A":[]}"#.utf8))
            try publisher.publish(topic: "spBv1.0/g/DDATA/n/d", payload: [0, 1, 2])
            try publisher.publish(topic: "poyang/v1/devices/a b/telemetry", payload: Array(#"{"level":1}"#.utf8))
            try publisher.send(#"{"last":9}"#)
            #expect(await eventually { sink.messages == 10 })
            #expect(sink.values == [1, 2, 4, 5, 9])
            let reasons = sink.quarantined.map { $0.refusals.map(\.reason) }
            #expect(
                reasons == [
                    [.malformed], [.tooLarge], [.unknownDevice], [.notANumber], [.malformed], [.malformed],
                    [.malformed],
                    [.malformed], [.malformed],
                ]
            )
            let huge = sink.quarantined[1]
            #expect(huge.length == 10_000_000)
            #expect(huge.payload.count == 65_536)
            #expect(huge.sha256 == "4952b7f9dc2cec2e370c499a818efa5095755170e55b0363336f87411d02e64c")
            #expect(sink.quarantined[3].payload == Array(#"{"a":1,"b":2,"c":NaN,"d":4,"e":5}"#.utf8))
            #expect(sink.quarantined[5].refusals[0].detail.contains("v1/devices/{device}/telemetry"))
            let metrics = ingest.metrics
            #expect(metrics.messages == 10 && metrics.committedMessages == 10)
            #expect(metrics.readings == 5)
            #expect(metrics.quarantinedPayloads == 9)
            #expect(metrics.refused == [.malformed: 6, .tooLarge: 1, .unknownDevice: 2, .notANumber: 1])
        }
    }

    @Test(arguments: [0, 1, 2] as [Int32])
    func hearsPublishersOfEveryQualityOfService(quality: Int32) async throws {
        try await withBroker { broker, _ in
            let sink = RecordingSink()
            let ingest = makeIngest(broker.address, sink)
            ingest.start()
            defer { ingest.stop() }
            #expect(await eventually { ingest.isSubscribed })
            try publishOnce(
                broker.address,
                topic: "poyang/v1/devices/a/telemetry",
                payload: #"{"level":1}"#,
                quality: quality
            )
            #expect(await eventually { sink.values == [1] })
            #expect(sink.deliveries.count == (quality == 0 ? 0 : 1))
        }
    }

    @Test func takesARetainedMessageOnlyWithItsOwnTime() async throws {
        try await withBroker { broker, _ in
            let topic = "poyang/v1/devices/"
            try publishOnce(
                broker.address,
                topic: topic + "a/telemetry",
                payload: #"{"level":1,"battery":2}"#,
                quality: 1,
                retain: true
            )
            try publishOnce(
                broker.address,
                topic: topic + "b/telemetry",
                payload: #"{"ts":1655802960000,"values":{"level":3}}"#,
                quality: 1,
                retain: true
            )
            let sink = RecordingSink()
            let ingest = makeIngest(broker.address, sink)
            ingest.start()
            #expect(await eventually { sink.messages == 2 })
            #expect(sink.values == [3])
            #expect(sink.quarantined.map { $0.refusals.map(\.reason) } == [[.timeInvalid]])
            #expect(sink.quarantined.first?.refusals.first?.values == 2)
            // Live, with the retain flag: a reading. And a session that goes on is not told the old ones again.
            try publishOnce(
                broker.address,
                topic: topic + "a/telemetry",
                payload: #"{"level":4}"#,
                quality: 1,
                retain: true
            )
            #expect(await eventually { sink.values == [3, 4] })
            ingest.stop()
            let again = makeIngest(broker.address, sink)
            again.start()
            defer { again.stop() }
            #expect(await eventually { again.isSubscribed })
            try publishOnce(broker.address, topic: topic + "a/telemetry", payload: #"{"level":5}"#, quality: 1)
            #expect(await eventually { sink.values == [3, 4, 5] })
            #expect(sink.messages == 4)
        }
    }

    @Test func usesTheResolverOfTheMoment() async throws {
        try await withBroker { broker, _ in
            let sink = RecordingSink()
            let ingest = makeIngest(broker.address, sink, resolver: OpenResolver(site: "old"))
            ingest.start()
            defer { ingest.stop() }
            #expect(await eventually { ingest.isSubscribed })
            let publisher = makePublisher(broker.address)
            defer { publisher.stop() }
            try publisher.send(#"{"level":1}"#)
            #expect(await eventually { sink.values == [1] })
            ingest.use(OpenResolver(site: "new"))
            try publisher.send(#"{"level":2}"#)
            #expect(await eventually { sink.values == [1, 2] })
            #expect(sink.readings.map(\.series.labels.site) == ["old", "new"])
        }
    }
}
