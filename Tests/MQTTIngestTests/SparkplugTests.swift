// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import PayloadCodecs
import Telemetry
import TestSupport
import Testing

@testable import MQTTIngest

/// The way of Sparkplug B from its topics into a batch, and the requests for births.
struct SparkplugTests {
    private typealias Wire = SparkplugPayloads

    private let birth = Wire.payload(
        [
            Wire.metric("bdSeq", .long(0), type: 8), Wire.metric("level", .double(1.25), alias: 2, type: 10),
            Wire.metric("Properties/firmware", .int(7), type: 7),
        ],
        time: 1_655_802_001_000,
        sequence: 0
    )
    private let data = Wire.payload(
        [Wire.metric(nil, .double(1.5), alias: 2)],
        time: 1_655_802_003_000,
        sequence: 1
    )

    @Test func metricsOfADeviceAreItsChannels() throws {
        let model = SourceText(
            path: "Devices/models/acme/edge.yaml",
            text: "channels: { water_level_meters: { key: level } }"
        )
        let site = Site(id: "r1", name: LocalizedName(zh: "r1", en: "r1"), kind: .river)
        let devices = [
            Device(id: "gauge", model: "acme/edge", site: "r1", address: "plain/edge1/gauge"),
            Device(id: "edge2", model: "acme/edge", site: "r1"),
        ]
        let catalog = try Catalog(
            files: CatalogFiles.parse([model]),
            registered: CatalogRegistrations(sites: [site], devices: devices)
        )
        let resolver = CatalogResolver(catalog: catalog)
        var path = MessagePath(payloadLimit: 1 << 16)
        func take(_ topic: String, _ payload: [UInt8]) -> ReadingBatch {
            var batch = ReadingBatch(receivedAt: Timestamp(milliseconds: 1_655_802_003_500))
            path.take(
                topic: Array(topic.utf8).span,
                topicHash: DeliveryHash.hash(Array(topic.utf8).span, seed: 1),
                payload: payload.span,
                isRetained: false,
                resolver: resolver,
                into: &batch
            )
            return batch
        }
        _ = take("spBv1.0/plain/NBIRTH/edge1", Wire.payload([], sequence: 0))
        let births = take(
            "spBv1.0/plain/DBIRTH/edge1/gauge",
            Wire.payload([Wire.metric("level", .double(1), alias: 2)], sequence: 1)
        )
        #expect(births.readings.map(\.sample.value) == [1])
        let later = Wire.payload([Wire.metric(nil, .double(1.5), alias: 2)], time: 1_655_802_003_000, sequence: 2)
        let values = take("spBv1.0/plain/DDATA/edge1/gauge", later)
        #expect(values.readings.map(\.sample.value) == [1.5] && values.quarantined.isEmpty)
        #expect(values.readings.map(\.sample.time.milliseconds) == [1_655_802_003_000])
        // By its name alone, and the properties of its birth left out.
        let node = take("spBv1.0/plain/NBIRTH/edge2", self.birth)
        #expect(node.readings.map(\.sample.value) == [1.25] && node.quarantined.isEmpty)
        let stranger = take(
            "spBv1.0/plain/DBIRTH/edge1/nobody",
            Wire.payload([Wire.metric("level", .double(1), alias: 9)], sequence: 3)
        )
        #expect(stranger.quarantined.first?.refusals.map(\.reason) == [.unknownDevice])
        #expect(path.rebirths.isEmpty)
    }

    @Test(.timeLimit(.minutes(1))) func aNodeWhoseBirthWasNotHeardIsAskedForIt() async throws {
        try await withBroker { broker, _ in
            let (sink, orders) = (RecordingSink(), RecordingSink())
            let node = makeIngest(broker.address, orders, id: "edge") { $0.topics = ["spBv1.0/plain/NCMD/edge1"] }
            let ingest = makeIngest(broker.address, sink)
            node.start()
            ingest.start()
            defer {
                node.stop()
                ingest.stop()
            }
            #expect(await eventually { ingest.isSubscribed && node.isSubscribed })
            let publisher = makePublisher(broker.address)
            defer { publisher.stop() }
            try publisher.publish(topic: "spBv1.0/plain/NDATA/edge1", payload: self.data)
            #expect(await eventually { orders.messages == 1 })
            #expect(sink.values.isEmpty)
            try publisher.publish(topic: "spBv1.0/plain/NBIRTH/edge1", payload: self.birth)
            try publisher.publish(topic: "spBv1.0/plain/NDATA/edge1", payload: self.data)
            #expect(await eventually { sink.values.contains(1.5) })
            #expect(orders.messages == 1)
        }
    }
}
