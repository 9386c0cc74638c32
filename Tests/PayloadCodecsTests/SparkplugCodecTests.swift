// poyang
// SPDX-License-Identifier: Apache-2.0

import PayloadCodecs
import Telemetry
import TestSupport
import Testing

/// Eclipse Sparkplug 3.0.
struct SparkplugCodecTests {
    private typealias Wire = SparkplugPayloads

    private func decode(
        _ codec: inout SparkplugCodec,
        _ topic: String,
        _ payload: [UInt8],
        at now: Int64 = 1_655_802_960_000
    ) -> DecodedMessage {
        codec.topic = SparkplugTopic(topic)
        codec.now = Timestamp(milliseconds: now)
        var message = DecodedMessage()
        codec.decode(payload.span, into: &message)
        return message
    }

    private let nodeBirth = Wire.payload(
        [
            Wire.metric("bdSeq", .long(3), type: 4),
            Wire.metric("Node Control/Rebirth", .boolean(false), type: 11),
            Wire.metric("supply", .float(12.1), alias: 1, type: 9),
            Wire.metric("Properties/hardware", .string("x"), type: 12),
        ],
        time: 1_655_802_000_000,
        sequence: 0
    )
    private let deviceBirth = Wire.payload(
        [
            Wire.metric("level", .double(1.25), alias: 2, type: 10),
            Wire.metric("temperature", .int(0xFFFF_FFF6), alias: 3, type: 3),
            Wire.metric("pump", .boolean(true), alias: 4, type: 11),
        ],
        time: 1_655_802_001_000,
        sequence: 1
    )

    @Test func birthsNameTheAliasesOfTheDataThatFollow() {
        var codec = SparkplugCodec()
        let birth = self.decode(&codec, "spBv1.0/plain/NBIRTH/edge1", self.nodeBirth)
        #expect(birth.values == ["supply": 12.1])
        #expect(birth.senders.map(\.name) == [.address("plain/edge1")])
        let device = self.decode(&codec, "spBv1.0/plain/DBIRTH/edge1/gauge", self.deviceBirth)
        #expect(device.values == ["level": 1.25, "temperature": -10, "pump": 1])
        #expect(device.senders.map(\.name) == [.address("plain/edge1/gauge")])
        let data = Wire.payload(
            [
                Wire.metric(nil, .double(1.5), alias: 2, time: 1_655_802_002_500),
                Wire.metric(nil, .int(0xFFFF_FFFF), alias: 3), Wire.metric(nil, .null, alias: 4),
            ],
            time: 1_655_802_003_000,
            sequence: 2
        )
        let message = self.decode(&codec, "spBv1.0/plain/DDATA/edge1/gauge", data)
        #expect(message.readings.map(\.key) == ["level", "temperature"])
        #expect(message.readings.map(\.value) == [1.5, -1])
        #expect(message.readings.map(\.time?.milliseconds) == [1_655_802_002_500, 1_655_802_003_000])
        #expect(message.refusals.isEmpty && message.rebirth == nil)
    }

    /// Of a node without aliases data have names; the types, and with them the signs, are those of its births.
    @Test func namedDataHaveTheTypesOfTheBirth() {
        var codec = SparkplugCodec()
        let topic = "spBv1.0/plain/DDATA/edge1/gauge"
        let births = Wire.payload(
            [
                Wire.metric("small", .int(0), type: 1), Wire.metric("signed", .int(0), type: 3),
                Wire.metric("long", .long(0), type: 4), Wire.metric("unsigned", .int(0), type: 7),
            ],
            sequence: 1
        )
        func data(_ sequence: UInt64) -> [UInt8] {
            Wire.payload(
                [
                    Wire.metric("small", .int(80)), Wire.metric("signed", .int(0xFFFF_FFB0)),
                    Wire.metric("long", .long(UInt64(bitPattern: -80))), Wire.metric("unsigned", .int(0xFFFF_FFB0)),
                ],
                time: 1_655_802_003_000,
                sequence: sequence
            )
        }
        // Before any birth nobody knows which of them are below zero.
        let early = self.decode(&codec, topic, data(7))
        #expect(early.values == ["small": 80])
        #expect(early.refusals.map(\.values) == [3] && early.rebirth != nil)
        _ = self.decode(&codec, "spBv1.0/plain/NBIRTH/edge1", self.nodeBirth)
        _ = self.decode(&codec, "spBv1.0/plain/DBIRTH/edge1/gauge", births)
        let message = self.decode(&codec, topic, data(2))
        #expect(message.refusals.isEmpty)
        #expect(message.values == ["small": 80, "signed": -80, "long": -80, "unsigned": 4_294_967_216])
        // The same name of another device is another metric.
        let other = self.decode(&codec, "spBv1.0/plain/DDATA/edge1/other", data(3))
        #expect(other.refusals.map(\.values) == [3])
    }

    @Test func dataBeforeAnyBirthIsRefusedAndTheBirthRequestedOnce() {
        var codec = SparkplugCodec()
        let data = Wire.payload(
            [Wire.metric(nil, .double(1.5), alias: 2), Wire.metric("named", .double(2), type: 10)],
            time: 1_655_802_003_000,
            sequence: 7
        )
        let topic = "spBv1.0/plain/DDATA/edge1/gauge"
        let first = self.decode(&codec, topic, data)
        #expect(first.values == ["named": 2])
        #expect(first.refusals.map(\.values) == [1])
        #expect(first.rebirth == "spBv1.0/plain/NCMD/edge1")
        #expect(self.decode(&codec, topic, data).rebirth == nil)
        #expect(self.decode(&codec, topic, data, at: 1_655_802_960_000 + 60_000).rebirth != nil)
    }

    @Test func aGapInTheSequenceRequestsTheBirth() {
        var codec = SparkplugCodec()
        _ = self.decode(&codec, "spBv1.0/plain/NBIRTH/edge1", self.nodeBirth)
        func data(_ sequence: UInt64) -> [UInt8] {
            Wire.payload([Wire.metric(nil, .float(12), alias: 1)], time: 1_655_802_003_000, sequence: sequence)
        }
        let topic = "spBv1.0/plain/NDATA/edge1"
        #expect(self.decode(&codec, topic, data(1)).rebirth == nil)
        // The same message twice is no gap.
        #expect(self.decode(&codec, topic, data(1)).rebirth == nil)
        let gap = self.decode(&codec, topic, data(3))
        #expect(gap.rebirth == "spBv1.0/plain/NCMD/edge1")
        #expect(gap.values == ["supply": 12])
    }

    /// Within a minute of a request nothing is asked; what was missed then is asked for with the first message after it.
    @Test func aGapSoonAfterARequestIsAskedForLater() {
        var codec = SparkplugCodec()
        let start: Int64 = 1_655_802_960_000
        func data(_ sequence: UInt64, after seconds: Int64) -> String? {
            let payload = Wire.payload([Wire.metric(nil, .float(12), alias: 1)], sequence: sequence)
            return self.decode(&codec, "spBv1.0/plain/NDATA/edge1", payload, at: start + 1000 * seconds).rebirth
        }
        #expect(data(9, after: 0) != nil)
        _ = self.decode(&codec, "spBv1.0/plain/NBIRTH/edge1", self.nodeBirth, at: start + 1000)
        #expect(data(1, after: 2) == nil)
        #expect(data(5, after: 3) == nil)
        #expect(data(6, after: 59) == nil)
        #expect(data(7, after: 62) == "spBv1.0/plain/NCMD/edge1")
        #expect(data(8, after: 200) == nil)
        // A birth that comes by itself is what was missed.
        #expect(data(12, after: 210) != nil)
        #expect(data(20, after: 220) == nil)
        _ = self.decode(&codec, "spBv1.0/plain/NBIRTH/edge1", self.nodeBirth, at: start + 230_000)
        #expect(data(1, after: 400) == nil)
    }

    @Test func aBirthBeginsTheSequenceAnewAndForgetsTheAliasesBeforeIt() {
        var codec = SparkplugCodec()
        let (births, topic) = ("spBv1.0/plain/NBIRTH/edge1", "spBv1.0/plain/NDATA/edge1")
        func data(_ alias: UInt64, sequence: UInt64) -> DecodedMessage {
            self.decode(&codec, topic, Wire.payload([Wire.metric(nil, .float(12), alias: alias)], sequence: sequence))
        }
        _ = self.decode(&codec, births, self.nodeBirth)
        for number in 1...5 { #expect(data(1, sequence: UInt64(number)).rebirth == nil) }
        // It has started again: its numbers are lower than before, and an alias may mean something else, or nothing.
        let again = Wire.payload(
            [Wire.metric("bdSeq", .long(4), type: 4), Wire.metric("current", .float(2), alias: 5, type: 9)],
            sequence: 0
        )
        #expect(self.decode(&codec, births, again).rebirth == nil)
        let known = data(5, sequence: 1)
        #expect(known.values == ["current": 12] && known.rebirth == nil)
        let former = data(1, sequence: 2)
        #expect(former.readings.isEmpty && former.refusals.map(\.values) == [1])
        #expect(former.rebirth == "spBv1.0/plain/NCMD/edge1")
    }

    @Test func theSequenceGoesFrom255To0() {
        var codec = SparkplugCodec()
        _ = self.decode(&codec, "spBv1.0/plain/NBIRTH/edge1", self.nodeBirth)
        for number in 1...600 {
            let data = Wire.payload([Wire.metric(nil, .float(12), alias: 1)], sequence: UInt64(number % 256))
            #expect(self.decode(&codec, "spBv1.0/plain/NDATA/edge1", data).rebirth == nil)
        }
    }

    @Test func aNumberThatIsNoneOfTheSequenceIsAGap() {
        var codec = SparkplugCodec()
        let topic = "spBv1.0/plain/NDATA/edge1"
        func data(_ sequence: UInt64) -> [UInt8] {
            Wire.payload([Wire.metric("supply", .float(12), type: 9)], sequence: sequence)
        }
        _ = self.decode(&codec, topic, data(.max))
        let next = self.decode(&codec, topic, data(7), at: 1_655_803_100_000)
        #expect(next.rebirth != nil && next.values == ["supply": 12])
    }

    /// A sender of births without end makes others be asked for theirs anew, and costs no more memory than that.
    @Test func theNodesThatAreQuietForLongestAreForgotten() {
        var codec = SparkplugCodec()
        func speak(_ node: Int, _ kind: String, _ payload: [UInt8]) -> DecodedMessage {
            self.decode(&codec, "spBv1.0/plain/\(kind)/edge\(node)", payload)
        }
        for node in 0...10_000 { _ = speak(node, "NBIRTH", self.nodeBirth) }
        let data = Wire.payload([Wire.metric(nil, .float(12), alias: 1)], sequence: 1)
        #expect(speak(10_000, "NDATA", data).values == ["supply": 12])
        let forgotten = speak(0, "NDATA", data)
        #expect(forgotten.values.isEmpty && forgotten.rebirth == "spBv1.0/plain/NCMD/edge0")
    }

    /// The will of an earlier session comes late; that of this one ends what its birth said.
    @Test func aDeathEndsTheBirthOfItsOwnNumber() {
        var codec = SparkplugCodec()
        _ = self.decode(&codec, "spBv1.0/plain/NBIRTH/edge1", self.nodeBirth)
        let data = Wire.payload([Wire.metric(nil, .float(12), alias: 1)], sequence: 1)
        let old = Wire.payload([Wire.metric("bdSeq", .long(2), type: 4)])
        #expect(self.decode(&codec, "spBv1.0/plain/NDEATH/edge1", old) != DecodedMessage())
        #expect(self.decode(&codec, "spBv1.0/plain/NDATA/edge1", data).values == ["supply": 12])
        let own = Wire.payload([Wire.metric("bdSeq", .long(3), type: 4)])
        #expect(self.decode(&codec, "spBv1.0/plain/NDEATH/edge1", own).readings.isEmpty)
        #expect(self.decode(&codec, "spBv1.0/plain/NDATA/edge1", data).refusals.map(\.reason) == [.malformed])
    }

    @Test func aHistoricalValueHasItsOwnTimeAndATransientOneIsNone() {
        var codec = SparkplugCodec()
        _ = self.decode(&codec, "spBv1.0/plain/NBIRTH/edge1", self.nodeBirth)
        let metrics = [
            Wire.metric(nil, .float(11), alias: 1, time: 1_655_716_000_000, isHistorical: true),
            Wire.metric("debug", .double(1), type: 10, isTransient: true),
            Wire.metric("table", .other, type: 16),
        ]
        let message = self.decode(
            &codec,
            "spBv1.0/plain/NDATA/edge1",
            Wire.payload(metrics, time: 1_655_802_003_000, sequence: 1)
        )
        #expect(message.values == ["supply": 11])
        #expect(message.readings.map(\.time?.milliseconds) == [1_655_716_000_000])
    }

    @Test(arguments: [
        (Wire.Value.int(0xFF), 1, -1.0), (.int(0xFFFF_FFFE), 1, -2), (.int(0xFFFF), 2, -1), (.int(0xFFFF_FFFF), 3, -1),
        (.long(.max), 4, -1), (.int(255), 5, 255), (.int(65535), 6, 65535), (.int(.max), 7, 4_294_967_295),
        (.long(1 << 40), 8, 1_099_511_627_776), (.float(0.1), 9, 0.1), (.double(0.1), 10, 0.1),
        (.boolean(false), 11, 0),
        (.long(1_655_802_003_000), 13, 1_655_802_003_000),
    ])
    func readsEveryTypeOfNumber(value: SparkplugPayloads.Value, type: UInt64, expected: Double) {
        var codec = SparkplugCodec()
        let payload = Wire.payload([Wire.metric("v", value, type: type)], sequence: 0)
        #expect(self.decode(&codec, "spBv1.0/g/NBIRTH/n", payload).values == ["v": expected])
    }

    @Test func aliasesOfNodesAreTheirOwn() {
        var codec = SparkplugCodec()
        _ = self.decode(&codec, "spBv1.0/plain/NBIRTH/edge1", self.nodeBirth)
        let data = Wire.payload([Wire.metric(nil, .float(12), alias: 1)], sequence: 1)
        #expect(self.decode(&codec, "spBv1.0/plain/NDATA/edge2", data).readings.isEmpty)
        #expect(self.decode(&codec, "spBv1.0/other/NDATA/edge1", data).readings.isEmpty)
    }

    @Test(arguments: ["spBv1.0/STATE/host", "spBv1.0/g/NCMD/n", "spBv1.0/g/DCMD/n/d"])
    func ordersAndTheStateOfHostsSayNothing(topic: String) {
        var codec = SparkplugCodec()
        #expect(SparkplugTopic(topic) != nil)
        #expect(self.decode(&codec, topic, Array(#"{"online":true}"#.utf8)) == DecodedMessage())
    }

    @Test(arguments: [
        "spBv1.0", "spBv1.0/g", "spBv1.0/g/NDATA", "spBv1.0/g/NDATA/n/d", "spBv1.0/g/DDATA/n", "spBv1.0/g/XDATA/n",
        "spBv1.0/g/DDATA/n/d/e", "spBv1.0//NDATA/n", "spAv1.0/g/NDATA/n",
    ])
    func refusesOtherTopics(topic: String) {
        #expect(SparkplugTopic(topic) == nil)
    }

    @Test func refusesWhatIsNoPayload() {
        var codec = SparkplugCodec()
        let message = self.decode(&codec, "spBv1.0/g/NDATA/n", Array(#"{"level":1}"#.utf8))
        #expect(message.refusals.map(\.reason) == [.malformed])
        let many = Array(repeating: [UInt8]([0x12, 0x00]), count: 60_000).flatMap { $0 }
        #expect(self.decode(&codec, "spBv1.0/g/NDATA/n", many).refusals.map(\.reason) == [.tooLarge])
    }

    /// `Node Control/Rebirth` = true, of the type Boolean.
    @Test func theOrderIsWhatTheStandardSays() {
        let order = SparkplugCodec.rebirthOrder(at: Timestamp(milliseconds: 1_655_802_003_000))
        let expected = Wire.payload(
            [Wire.metric("Node Control/Rebirth", .boolean(true), type: 11)],
            time: 1_655_802_003_000
        )
        #expect(order == expected)
    }
}
