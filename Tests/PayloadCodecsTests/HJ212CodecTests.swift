// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import PayloadCodecs
import Telemetry
import TestSupport
import Testing

func decodeHJ212(_ bytes: [UInt8], dialect: HJ212Dialect = HJ212Dialect()) -> DecodedMessage {
    var codec = HJ212Codec()
    codec.dialect = dialect
    var message = DecodedMessage()
    codec.decode(bytes.span, into: &message)
    return message
}

struct HJ212CodecTests {
    private func decode(_ command: Int, _ content: String, dialect: HJ212Dialect = HJ212Dialect()) -> DecodedMessage {
        decodeHJ212(
            hj212Packet(
                "QN=20220621165610123;ST=21;CN=\(command);PW=123456;MN=36042600000123;Flag=5;CP=&&\(content)&&"
            ),
            dialect: dialect
        )
    }

    @Test func readsPresentValues() {
        let message = self.decode(
            2011,
            "DataTime=20220621165600;w01001-Rtd=7.496,w01001-Flag=N;w01009-Rtd=6.1,w01009-Flag=N;w01010-Rtd=-0.5"
        )
        #expect(message.refusals.isEmpty)
        #expect(message.readings.map(\.key) == ["w01001-Rtd", "w01009-Rtd", "w01010-Rtd"])
        #expect(message.readings.map(\.value) == [7.496, 6.1, -0.5])
        #expect(message.readings.allSatisfy { $0.time == beijing("2022-06-21T16:56:00") })
        #expect(message.senders == [DecodedMessage.Sender(name: .address("36042600000123"), firstReading: 0)])
    }

    /// The time in the packet is the beginning of the interval; ours is its end.
    @Test(arguments: [
        (2051, "", "2022-06-21T17:10:00"), (2061, ".1h", "2022-06-21T18:00:00"), (2031, ".1d", "2022-06-22T17:00:00"),
    ])
    func givesMeansAtTheEndOfTheirInterval(command: Int, suffix: String, end: String) {
        let message = self.decode(
            command,
            "DataTime=20220621170000;w01018-Min=10.1,w01018-Avg=11.5,w01018-Max=12.0,w01018-Flag=N"
        )
        #expect(message.readings.map(\.key) == ["Min", "Avg", "Max"].map { "w01018-\($0)\(suffix)" })
        #expect(message.readings.allSatisfy { $0.time == beijing(end) })
    }

    @Test func theModelSaysHowLongMinuteDataAre() {
        let message = self.decode(
            2051,
            "DataTime=20220621170000;w01018-Avg=11.5",
            dialect: HJ212Dialect(minuteInterval: 5 * .minute)
        )
        #expect(message.readings.map(\.time) == [beijing("2022-06-21T17:05:00")])
    }

    @Test(arguments: ["D", "M", "C", "F", "B"])
    func refusesWhatTheStationCallsNoMeasurement(flag: String) {
        let message = self.decode(2011, "DataTime=20220621165600;w01001-Rtd=7.4,w01001-Flag=\(flag);w01009-Rtd=6.1")
        #expect(message.readings.map(\.key) == ["w01009-Rtd"])
        #expect(message.refusals.map(\.key) == ["w01001-Rtd"])
        #expect(message.refusals.first?.detail.contains("Flag \(flag)") == true)
    }

    @Test func marksWhatIsOverRangeAndWhatWasEntered() {
        let message = self.decode(
            2011,
            "DataTime=20220621165600;w01001-Rtd=14,w01001-Flag=T;w01009-Rtd=6.1,w01009-Flag=S;w01010-Rtd=20,w01010-Flag=X"
        )
        #expect(message.readings.map(\.quality) == [.suspect, nil, .suspect])
        #expect(message.readings.map(\.method) == [.measured, .manual, .measured])
    }

    /// Some stations write every item as a group of its own, the flags at the end.
    @Test func findsTheFlagWhereverItStands() {
        let message = self.decode(
            2011,
            "DataTime=20220621165600;w01001-Rtd=7.4;w01009-Rtd=6.1;w01001-Flag=D;w01009-Flag=N"
        )
        #expect(message.readings.map(\.key) == ["w01009-Rtd"])
    }

    @Test func anOlderCodeIsTheSameMeasurand() {
        let message = self.decode(
            2011,
            "DataTime=20220621165600;011-Rtd=36.2,011-Flag=N;060-Rtd=1.5;B01-Rtd=12.5;101-Rtd=0.2"
        )
        #expect(message.readings.map(\.key) == ["w01018-Rtd", "w21003-Rtd", "w00000-Rtd", "w21011-Rtd"])
    }

    /// An analyser that samples every four hours sends its last value with every packet.
    @Test func aSamplingTimeGoesBeforeTheTimeOfThePacket() {
        let message = self.decode(
            2011,
            "DataTime=20210320013400;w21001-SampleTime=20210320005400,w21001-Rtd=45.160,w21001-Flag=N"
        )
        #expect(message.readings.map(\.time) == [beijing("2021-03-20T00:54:00")])
    }

    @Test(arguments: [
        ("DataTime=20221321165600;", "no date"), ("DataTime=2022;", "not of the form"), ("", "no DataTime"),
    ])
    func refusesValuesWithoutATime(time: String, words: String) {
        let message = self.decode(2011, "\(time)w01001-Rtd=7.4,w01001-Flag=N")
        #expect(message.refusals.map(\.reason) == [.timeInvalid])
        #expect(message.refusals.first?.detail.contains(words) == true)
    }

    @Test(arguments: ["", "--", "7.4mg", "NaN", "inf", "1e999", "0x10"])
    func refusesWhatIsNoNumber(text: String) {
        let message = self.decode(2011, "DataTime=20220621165600;w01001-Rtd=\(text);w01009-Rtd=6.1")
        #expect(message.readings.map(\.key) == ["w01009-Rtd"])
        #expect(message.refusals.map(\.reason) == [.notANumber])
    }

    @Test func aLaterPacketOfAMessageHasTheTimeOfItsFirst() {
        let head = "QN=20220621165610123;ST=21;CN=2011;PW=123456;MN=36042600000123;Flag=6;PNUM=2;"
        let first = hj212Packet(head + "PNO=1;CP=&&DataTime=20220621165600;w01001-Rtd=7.4&&")
        let second = hj212Packet(head + "PNO=2;CP=&&w01009-Rtd=6.1&&")
        var codec = HJ212Codec()
        var message = DecodedMessage()
        codec.decode((first + second).span, into: &message)
        #expect(message.readings.map(\.value) == [7.4, 6.1])
        codec.decode(second.span, into: &message)
        #expect(message.readings.map(\.time) == [beijing("2022-06-21T16:56:00")])
        var other = HJ212Codec()
        other.decode(second.span, into: &message)
        #expect(message.refusals.map(\.reason) == [.timeInvalid])
    }

    @Test(arguments: [9011, 9012, 9014, 9015, 1012, 1062, 3020])
    func answersAndCommandsHoldNoValues(command: Int) {
        let message = self.decode(command, "DataTime=20220621165600;w01001-Rtd=7.4")
        #expect(message == DecodedMessage())
    }

    @Test func refusesAWrongLengthACutPacketAndWhatIsNone() {
        let whole = hj212Packet("ST=21;CN=2011;MN=1;CP=&&DataTime=20220621165600;w01001-Rtd=7.4&&")
        for count in 0..<whole.count - 2 {
            let message = decodeHJ212(Array(whole.prefix(count)))
            #expect(message.readings.isEmpty && message.refusals.map(\.reason) == [.malformed], "\(count) bytes")
        }
        for bit in 0..<8 * (whole.count - 2) {
            var damaged = whole
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            // The check reads the same in small letters.
            guard
                String(decoding: damaged, as: UTF8.self).uppercased()
                    != String(decoding: whole, as: UTF8.self).uppercased()
            else { continue }
            #expect(decodeHJ212(damaged).readings.isEmpty, "bit \(bit)")
        }
    }

    @Test func aPacketWithoutAStationIsRefused() {
        let message = decodeHJ212(hj212Packet("ST=21;CN=2011;CP=&&DataTime=20220621165600;w01001-Rtd=7.4&&"))
        #expect(message.refusals.first?.detail.contains("no MN") == true)
    }

    @Test func codesAreOfOneKind() {
        #expect(Set(HJ212Factor.all.map(\.code)).count == HJ212Factor.all.count)
        let former = HJ212Factor.all.map(\.formerCode).filter { !$0.isEmpty }
        #expect(Set(former).count == former.count)
    }
}

/// Packets that others published, from the folder of shared data.
@Suite(.enabled(if: sharedFixtures != nil, "the shared data folder is needed"))
struct HJ212VectorTests {
    private struct Vector: Decodable {
        var packet: String
        var crcValidHJ212: Bool
        var crcValidModbusVariant: Bool
    }

    private struct File: Decodable {
        var vectors: [Vector]
    }

    private static func vectors() throws -> [Vector] {
        let data = try Data(contentsOf: try #require(sharedFixtures).appending(path: "hj212_vectors.json"))
        return try JSONDecoder().decode(File.self, from: data).vectors
    }

    @Test func readsAnOutfall() throws {
        let vector = try #require(Self.vectors().first { $0.packet.contains("81733553213013") })
        let message = decodeHJ212(Array(vector.packet.utf8))
        #expect(message.refusals.isEmpty)
        let values = Dictionary(message.readings.map { ($0.key, $0.value) }) { first, _ in first }
        let expected = [
            "w00000-Rtd": 181.682, "w21001-Rtd": 45.16, "w21011-Rtd": 1.97, "w21003-Rtd": 53.131, "w01018-Rtd": 194.2,
            "w01001-Rtd": 7.496,
        ]
        #expect(values == expected)
        #expect(message.times("w21001-Rtd") == [beijing("2021-03-20T00:54:00")])
        #expect(message.times("w00000-Rtd") == [beijing("2021-03-20T01:34:00")])
    }

    @Test func readsAirAndNoiseToo() throws {
        let vectors = try Self.vectors().filter { $0.crcValidHJ212 && $0.packet.contains("ST=22") }
        let messages = vectors.map { decodeHJ212(Array($0.packet.utf8)) }
        #expect(messages.map(\.refusals.count) == [0, 0])
        #expect(messages.map(\.readings.count) == [9, 7])
        #expect(messages.first?.values("LA-Rtd") == [57.9])
        #expect(messages.first?.values("a01006-Rtd") == [101.38])
    }

    @Test func commandsHoldNoValuesAndAreNotRefused() throws {
        let vector = try #require(Self.vectors().first { $0.packet.contains("CN=1062") })
        #expect(vector.packet.contains("1C80"))
        #expect(decodeHJ212(Array(vector.packet.utf8)) == DecodedMessage())
    }

    @Test func theModbusCheckIsRefusedWithAdviceOrTakenWhereTheModelSaysSo() throws {
        let vectors = try Self.vectors().filter(\.crcValidModbusVariant)
        #expect(vectors.count == 2)
        for vector in vectors {
            let message = decodeHJ212(Array(vector.packet.utf8))
            #expect(message.refusals.map(\.reason) == [.malformed])
            #expect(message.refusals.first?.detail.contains("CRC-16/MODBUS") == true)
            let taken = decodeHJ212(Array(vector.packet.utf8), dialect: HJ212Dialect(takesModbusCheck: true))
            #expect(taken.refusals.isEmpty)
        }
    }
}
