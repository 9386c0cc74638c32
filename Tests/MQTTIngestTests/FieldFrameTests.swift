// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import PayloadCodecs
import Telemetry
import TestSupport
import Testing

@testable import MQTTIngest

/// The way of frames of field protocols from their topic into a batch.
struct FieldFrameTests {
    private let resolver: CatalogResolver
    private let now: Timestamp

    init() throws {
        self.now = try #require(Timestamp(rfc3339: "2022-06-21T16:57:00+08:00"))
        let sites = ["xz", "wq"].map { Site(id: $0, name: LocalizedName(zh: $0, en: $0), kind: .lake) }
        let devices = [
            Device(id: "rtu", model: "generic/sl651", site: "xz", address: "12345678"),
            Device(id: "wq-1", model: "generic/hj212", site: "wq", address: "36042600000123"),
        ]
        let catalog = try Catalog(
            files: .none,
            registered: CatalogRegistrations(sites: sites, devices: devices)
        )
        self.resolver = CatalogResolver(catalog: catalog)
    }

    private func take(_ payload: [UInt8], topic: String, isRetained: Bool = false) -> ReadingBatch {
        var path = MessagePath(payloadLimit: 1 << 16)
        var batch = ReadingBatch(receivedAt: self.now)
        path.take(
            topic: Array(topic.utf8).span,
            topicHash: 1,
            payload: payload.span,
            isRetained: isRetained,
            resolver: self.resolver,
            into: &batch
        )
        return batch
    }

    private let body = hex(sl651Head + "F1F1 0012345678 48 F0F0 2206211650 26 19 000125 39 23 00019070")
    private let topic = "poyang/v1/devices/rtu/sl651"

    @Test func aFrameOfSL651BecomesReadingsOfItsSite() {
        let frame = sl651Frame(0x32, self.body)
        for payload in [frame, Array(hexText(frame).utf8)] {
            let batch = self.take(payload, topic: self.topic)
            #expect(batch.quarantined.isEmpty)
            #expect(batch.readings.map(\.series.labels.metric).contains("water_level_meters"))
            let time = Timestamp(rfc3339: "2022-06-21T16:50:00+08:00")
            #expect(batch.readings.allSatisfy { $0.sample.time == time && $0.hasOwnTime })
        }
    }

    @Test func aFrameOfAnotherStationIsRefusedWhole() {
        let frame = sl651Frame(
            0x32,
            hex(hexText(self.body).replacing("0012345678", with: "0012345679")),
            station: "0012345679"
        )
        let batch = self.take(frame, topic: self.topic)
        #expect(batch.readings.isEmpty)
        #expect(batch.quarantined.first?.refusals.map(\.reason) == [.wrongAddress])
        // Every value is accounted for.
        #expect(batch.quarantined.first?.refusals.map(\.values) == [2])
    }

    /// A relay's frame with the values of two stations: those of the topic's device are stored.
    @Test func onlyTheValuesOfTheTopicsDeviceAreTaken() {
        let more = hex("F1F1 0062302250 48 F0F0 2206211655 39 23 00023500 38 12 1268")
        let batch = self.take(sl651Frame(0x32, self.body + more), topic: self.topic)
        #expect(batch.readings.map(\.series.labels.metric).filter { $0 == "water_level_meters" }.count == 1)
        #expect(batch.quarantined.first?.refusals.map(\.values) == [2])
        let before = hex(
            sl651Head
                + "F1F1 0062302250 48 F0F0 2206211655 39 23 00023500 F1F1 0012345678 48 F0F0 2206211650 39 23 00019070"
        )
        let swapped = self.take(sl651Frame(0x32, before), topic: self.topic)
        #expect(swapped.readings.map(\.sample.value) == [19.07])
        #expect(swapped.quarantined.first?.refusals.map(\.values) == [1])
    }

    @Test func aSignOfLifeIsNeitherReadingNorRefusal() {
        let batch = self.take(sl651Frame(0x2F, hex(sl651Head)), topic: self.topic)
        #expect(batch.readings.isEmpty)
        #expect(batch.quarantined.isEmpty)
    }

    @Test func aWrongCheckIsKeptWithItsReason() {
        var frame = sl651Frame(0x32, self.body)
        frame[20] ^= 1
        let batch = self.take(frame, topic: self.topic)
        #expect(batch.quarantined.map(\.payload) == [frame])
        #expect(batch.quarantined.first?.refusals.first?.detail.contains("CRC") == true)
    }

    /// The standard wants test reports kept out of the records.
    @Test func aTestReportIsStoredInExercisesOnly() {
        let frame = sl651Frame(0x30, self.body)
        #expect(self.take(frame, topic: self.topic).readings.isEmpty)
        self.resolver.replace(policy: IngestPolicy(acceptsSimulated: true))
        let batch = self.take(frame, topic: self.topic)
        #expect(!batch.readings.isEmpty)
        #expect(batch.readings.allSatisfy { $0.sample.mark.isSimulated })
    }

    @Test func aClockOf2059IsRefusedAsFuture() {
        let frame = sl651Frame(0x32, hex(hexText(self.body).replacing("2206211650", with: "5906211650")))
        let reasons = self.take(frame, topic: self.topic).quarantined.first?.refusals.map(\.reason)
        #expect(reasons == [.timeFuture, .timeFuture])
    }

    @Test func aRetainedFrameHasATimeOfItsOwn() {
        let batch = self.take(sl651Frame(0x32, self.body), topic: self.topic, isRetained: true)
        #expect(batch.quarantined.isEmpty)
    }

    @Test func aPacketOfHJ212BecomesReadingsOfItsSite() {
        let packet = hj212Packet(
            "ST=21;CN=2011;PW=123456;MN=36042600000123;Flag=4;CP=&&DataTime=20220621165600;w00000-Rtd=1500;w01001-Rtd=7.5&&"
        )
        let batch = self.take(packet, topic: "poyang/v1/devices/wq-1/hj212")
        #expect(batch.quarantined.isEmpty)
        #expect(batch.readings.map(\.series.labels.metric) == ["discharge_cubic_meters_per_second", "ph"])
        #expect(batch.readings.map(\.sample.value) == [1.5, 7.5])
        let other = self.take(packet, topic: "poyang/v1/devices/rtu/hj212")
        #expect(other.quarantined.first?.refusals.map(\.reason) == [.wrongAddress])
    }

    /// A minute's packet of waste water from the field; the amounts of the interval leave nothing behind.
    @Test func aPacketOfMeansIsStoredWhole() {
        let packet = hj212Packet(
            "ST=21;CN=2051;PW=123456;MN=36042600000123;CP=&&DataTime=20220621164000;w01003-Min=12.1,w01003-Avg=13.1,"
                + "w01003-Max=14,w01003-Cou=5711.829,w01003-Flag=N;W01001-Avg=7.1,W01001-ZsAvg=7.2;LA-Avg=57.9&&"
        )
        let batch = self.take(packet, topic: "poyang/v1/devices/wq-1/hj212")
        #expect(batch.quarantined.isEmpty)
        #expect(
            batch.readings.map(\.series.labels.metric) == [
                "turbidity_minimum_minutes_ntu", "turbidity_mean_minutes_ntu", "turbidity_maximum_minutes_ntu",
                "ph_mean_minutes", "sound_level_mean_minutes_decibels",
            ]
        )
    }

    /// Whatever became of the batch with the last packet.
    @Test func packetsLeaveQuarantineWhenTheirMessageIsWhole() {
        var path = MessagePath(payloadLimit: 1 << 16)
        func take(_ payload: [UInt8]) -> ReadingBatch {
            var batch = ReadingBatch(receivedAt: self.now)
            path.take(
                topic: Array(self.topic.utf8).span,
                topicHash: 1,
                payload: payload.span,
                isRetained: false,
                resolver: self.resolver,
                into: &batch
            )
            return batch
        }
        let first = sl651Frame(0x32, Array(self.body.prefix(20)), packet: (1, 2), end: 0x17)
        let last = sl651Frame(0x32, Array(self.body.dropFirst(20)), packet: (2, 2))
        let waiting = take(first)
        #expect(waiting.readings.isEmpty && waiting.settled.isEmpty)
        #expect(waiting.quarantined.map(\.payload) == [first])
        for _ in 0..<2 {
            let whole = take(last)
            #expect(whole.quarantined.isEmpty)
            #expect(whole.readings.map(\.sample.value).contains(19.07))
            #expect(
                whole.settled
                    == waiting.quarantined.map { QuarantinedName(device: "rtu", sha256: $0.sha256) }
            )
        }
    }

    /// A packet beside a frame that cannot be read: the payload stays for that.
    @Test func aPayloadOfWhichMoreIsRefusedStays() {
        var path = MessagePath(payloadLimit: 1 << 16)
        let first = sl651Frame(0x32, Array(self.body.prefix(20)), packet: (1, 2), end: 0x17)
        var settled: [QuarantinedName] = []
        for payload in [first + [0x7E, 0x7E], sl651Frame(0x32, Array(self.body.dropFirst(20)), packet: (2, 2))] {
            var batch = ReadingBatch(receivedAt: self.now)
            path.take(
                topic: Array(self.topic.utf8).span,
                topicHash: 1,
                payload: payload.span,
                isRetained: false,
                resolver: self.resolver,
                into: &batch
            )
            settled += batch.settled
        }
        #expect(settled.isEmpty)
    }

    @Test func aDeviceSaysWhetherItIsConnected() {
        let topic = "poyang/v1/devices/rtu/status"
        #expect(TopicMap.filters.contains("poyang/v1/devices/+/status"))
        for (word, isRetained) in [("online", false), ("offline", true)] {
            let batch = self.take(Array(word.utf8), topic: topic, isRetained: isRetained)
            #expect(batch.readings.isEmpty && batch.quarantined.isEmpty)
            #expect(self.resolver.board.connection(of: "rtu")?.state.rawValue == word)
            #expect(self.resolver.board.connection(of: "rtu")?.since == self.now)
        }
        for word in ["bogus", "", "ONLINE", "online\n", #"{"status":"online"}"#] {
            let batch = self.take(Array(word.utf8), topic: topic)
            #expect(batch.quarantined.map(\.device) == ["rtu"])
            #expect(batch.quarantined.first?.refusals.map(\.reason) == [.malformed])
        }
        #expect(self.resolver.board.connection(of: "rtu")?.state == .offline)
        let other = self.take(Array("online".utf8), topic: "poyang/v1/devices/nobody/status")
        #expect(other.quarantined.first?.refusals.map(\.reason) == [.unknownDevice])
    }

    /// What is physically impossible is kept, and counts for nothing; without other tests a possible value stays as it came.
    @Test func impossibleValuesOfStationsAreFlagged() {
        let rtu = self.take(
            sl651Frame(
                0x32,
                hex(
                    sl651Head
                        + "F1F1 0012345678 51 F0F0 2206211650 46 12 9999 48 20 FF000005 4C 22 FF000300 4A 11 0012 39 23 00019070"
                )
            ),
            topic: self.topic
        )
        func flags(_ batch: ReadingBatch) -> [String: Quality] {
            Dictionary(batch.readings.map { ($0.series.labels.metric, $0.sample.mark.quality) }) { first, _ in first }
        }
        #expect(
            flags(rtu) == [
                "ph": .fail, "conductivity_microsiemens_per_centimeter": .fail,
                "ammonia_nitrogen_milligrams_per_liter": .fail,
                "permanganate_index_milligrams_per_liter": .notEvaluated,
                "water_level_meters": .pass,
            ]
        )
        let packet = hj212Packet(
            "ST=21;CN=2061;PW=123456;MN=36042600000123;CP=&&DataTime=20220621150000;w01001-Avg=20.5;w01001-Min=7.1;"
                + "w01018-Avg=-3;w01014-Max=-0.4;w21003-Avg=12,w21003-Flag=T&&"
        )
        let station = self.take(packet, topic: "poyang/v1/devices/wq-1/hj212")
        #expect(
            flags(station) == [
                "ph_mean_1h": .fail, "ph_minimum_1h": .notEvaluated, "cod_mean_1h_milligrams_per_liter": .fail,
                "conductivity_maximum_1h_microsiemens_per_centimeter": .fail,
                "ammonia_nitrogen_mean_1h_milligrams_per_liter": .suspect,
            ]
        )
    }

    /// What the codec calls an element and gives a unit is a channel of that unit.
    @Test func theBuiltInModelsKnowWhatTheCodecsSay() {
        let channels = Dictionary(
            uniqueKeysWithValues: DeviceModel.genericSL651.optionalChannels.map { ($0.key, $0) }
        )
        for element in SL651Element.all where element.form != .step && element.form != .state {
            guard let channel = channels[element.symbol] else {
                Issue.record("no channel for \(element.symbol)")
                continue
            }
            let unit = Unit(named: element.unit)
            if !element.unit.isEmpty { #expect(unit == channel.unit, "\(element.symbol)") }
        }
        let factors = Dictionary(
            DeviceModel.genericHJ212.optionalChannels.map { ($0.key, $0) }
        ) { first, _ in first }
        for factor in HJ212Factor.all {
            guard let channel = factors["\(factor.code)-Rtd"] else {
                Issue.record("no channel for \(factor.code)")
                continue
            }
            // Faecal coliforms are counted in a litre.
            guard !factor.unit.isEmpty, factor.unit != "1/L" else { continue }
            #expect(Unit(named: factor.unit) == channel.unit, "\(factor.code)")
        }
        for channel in factors.values where !channel.metric.hasPrefix("ph") {
            #expect(MetricName.isAcceptable(channel.metric), "\(channel.metric)")
        }
    }
}
