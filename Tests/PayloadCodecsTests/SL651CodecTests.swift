// poyang
// SPDX-License-Identifier: Apache-2.0

import PayloadCodecs
import Telemetry
import TestSupport
import Testing

/// Frames made here by the words of the standard; the clauses are its.
struct SL651CodecTests {
    private let report = sl651Head + "F1F1 0012345678 48 F0F0 2206211650"

    private func decode(_ function: UInt8, _ body: String) -> DecodedMessage {
        decodeSL651(sl651Frame(function, hex(body)))
    }

    /// 6.6.3.3 a: a leading FF makes a number negative; a filler of F means that there is none.
    @Test(arguments: [
        ("39 23 00019070", [19.07]), ("39 2B FF00000172", [-0.172]), ("39 1A FF0086", [-0.86]), ("39 23 FFFFFFFF", []),
        ("39 23 AAAAAAAA", []), ("02 11 0213", [21.3]), ("02 11 FF12", [-1.2]),
    ])
    func readsSignsAndMissingValues(element: String, values: [Double]) {
        let message = self.decode(0x32, self.report + element)
        #expect(message.readings.map(\.value) == values)
        #expect(message.refusals.isEmpty)
    }

    @Test func refusesDigitsThatAreNone() {
        let message = self.decode(0x32, self.report + "39 23 0001907B 38 12 1268")
        #expect(message.readings == [reading("VT", 12.68, "2022-06-21T16:50:00")])
        #expect(message.refusals.map(\.key) == ["Z"])
        #expect(message.refusals.map(\.reason) == [.notANumber])
        #expect(message.refusals.first?.detail.contains("0001907B is not packed decimal") == true)
    }

    /// C.1, note e: an hour of five-minute depths in tenths, the first at the group's time.
    @Test func readsTwelveDepthsAtTheEndsOfTheirIntervals() {
        let body =
            sl651Head
            + "F1F1 0012345678 50 F0F0 2206211605 F460 0500 00FE 0500 00FF 0000 000A F0F0 2206211700 26 19 001234"
        let message = self.decode(0x34, body)
        #expect(message.values("DRP") == [0.5, 0, 0, 25.4, 0.5, 0, 0, 0, 0, 0, 1])
        #expect(message.times("DRP").first == beijing("2022-06-21T16:05:00"))
        #expect(message.times("DRP").last == beijing("2022-06-21T17:00:00"))
        #expect(message.values("PT") == [123.4])
        #expect(message.times("PT") == [beijing("2022-06-21T17:00:00")])
    }

    /// Frames of 2014 (novrain/SL-0x028B): sent at 02:00:00, the observation time 02:00 is the end of the hour.
    @Test func anHourWhoseTimeIsThatOfSendingEndsThere() {
        let rain = decodeSL651(
            hex(
                "7E7E10001234567812343400380200011406120200 00F1F1001234567850F0F01406120200F460"
                    + "0000000000000000000000002619000000201900 00001A19000000381212900343 83"
            )
        )
        #expect(rain.refusals.isEmpty)
        #expect(rain.times("DRP").first == beijing("2014-06-12T01:05:00"))
        #expect(rain.times("DRP").last == beijing("2014-06-12T02:00:00"))
        #expect(rain.times("PT") == [beijing("2014-06-12T02:00:00")])
        // The last step has no value, and still is the last.
        let level = self.decode(
            0x34,
            "0001 220621170003 F1F1 0012345678 48 F0F0 2206211700 F5C0 " + String(repeating: "0064", count: 11) + "FFFF"
        )
        #expect(level.times("DRZ1").first == beijing("2022-06-21T16:05:00"))
        #expect(level.times("DRZ1").last == beijing("2022-06-21T16:55:00"))
        // Seconds before the hour is full, by the station's clock.
        let early = self.decode(
            0x34,
            "0001 220621165958 F1F1 0012345678 50 F0F0 2206211605 F460 " + String(repeating: "01", count: 12)
        )
        #expect(early.times("DRP").last == beijing("2022-06-21T17:00:00"))
    }

    /// 南水 writes the definition of five bytes (28) behind F1 and F0; frames of novrain/SL-0x028B.
    @Test func readsMarkersWithADefinition() {
        let timed = decodeSL651(
            hex(
                "7E7E00000000044412343200230200032005251800 23F128000000044448F0282005251800261169553912000038121320037DA0"
            )
        )
        #expect(timed.refusals.isEmpty)
        #expect(timed.senders.map(\.name) == [.address("0000000444")])
        #expect(timed.readings.map(\.key) == ["PT", "Z", "VT"])
        #expect(timed.readings.map(\.value) == [695.5, 0, 13.2])
        #expect(timed.readings.allSatisfy { $0.time == beijing("2020-05-25T18:00:00") })
        let even = decodeSL651(
            hex(
                "7E7E0000000004441234310038020002200525170023F128000000044448F0281912301600041800000539120115011501150115"
                    + "01150115011501150115011501150115000017CDD0"
            )
        )
        #expect(even.refusals.isEmpty)
        #expect(even.values("Z") == Array(repeating: 1.15, count: 12) + [0])
        #expect(even.times("Z").first == beijing("2019-12-30T16:00:00"))
        #expect(even.times("Z").last == beijing("2019-12-30T17:00:00"))
    }

    @Test(arguments: ["F030 2206211650", "F118 0012345678", "F200", "F3F1"])
    func readsNothingBehindAMarkerThatIsNone(marker: String) {
        let message = self.decode(0x32, self.report + "38 12 1268" + marker + "39 23 00019070")
        #expect(message.readings.map(\.key) == ["VT"])
        #expect(message.refusals.map(\.reason) == [.malformed])
        #expect(message.refusals.first?.detail.contains("is no marker") == true)
    }

    @Test func readsEightRowsOfRelativeLevels() {
        let row = String(repeating: "0064", count: 11) + "FFFF"
        let rows = (0xF5...0xFC).map { "\(String($0, radix: 16)) C0 \(row)" }.joined(separator: " ")
        let message = self.decode(0x34, sl651Head + "F1F1 0012345678 48 F0F0 2206211605" + rows)
        for number in 1...8 { #expect(message.values("DRZ\(number)") == Array(repeating: 1, count: 11)) }
        #expect(message.refusals.isEmpty)
    }

    /// 6.6.4.4: one identifier, then as many values as there are steps; F where one is missing.
    @Test func readsValuesOfEqualSteps() {
        let body = sl651Head + "F1F1 0012345678 48 F0F0 2206210800 04 18 000100 39 23 00019070 FFFFFFFF 00019090"
        let message = self.decode(0x31, body)
        #expect(message.values("Z") == [19.07, 19.09])
        #expect(message.times("Z") == [beijing("2022-06-21T08:00:00"), beijing("2022-06-21T10:00:00")])
    }

    @Test func readsHoursOfDepthsBehindAStepOfZeros() {
        let hour = String(repeating: "01", count: 12)
        let body = sl651Head + "F1F1 0012345678 50 F0F0 2206210805 04 18 000000 F4 60 \(hour) \(hour)"
        let message = self.decode(0x38, body)
        #expect(message.values("DRP") == Array(repeating: 0.1, count: 24))
        #expect(message.times("DRP").last == beijing("2022-06-21T10:00:00"))
    }

    @Test func readsTwoHourlyGroupsBehindOneStep() {
        let hour = String(repeating: "01", count: 12)
        let body = sl651Head + "F1F1 0012345678 48 F0F0 2206210805 04 18 000005 F4 60 \(hour) F5 C0 \(hour) \(hour)"
        let message = self.decode(0x38, body)
        #expect(message.values("DRP").count == 12)
        #expect(message.values("DRZ1") == Array(repeating: 2.57, count: 12))
    }

    @Test func saysWhatIsLeftOfASeries() {
        let body = sl651Head + "F1F1 0012345678 48 F0F0 2206210800 04 18 000100 39 23 00019070 0001"
        let message = self.decode(0x31, body)
        #expect(message.values("Z") == [19.07])
        #expect(message.refusals.first?.detail.contains("2 bytes are left") == true)
    }

    /// 6.6.2.7: the address is also what separates stations.
    @Test func tellsTheStationsOfOneFrameApart() {
        let body =
            sl651Head
            + "F1F1 0012345678 48 F0F0 2206211650 39 23 00019070 F1F1 0062302250 48 F0F0 2206211655 39 23 00023500"
        let message = self.decode(0x32, body)
        #expect(message.values("Z") == [19.07, 23.5])
        #expect(
            message.senders == [
                DecodedMessage.Sender(name: .address("0012345678"), firstReading: 0),
                DecodedMessage.Sender(name: .address("0062302250"), firstReading: 1),
            ]
        )
        #expect(message.times("Z") == [beijing("2022-06-21T16:50:00"), beijing("2022-06-21T16:55:00")])
    }

    @Test func aTestReportCountsAsSimulated() {
        let message = self.decode(0x30, self.report + "20 19 000305")
        #expect(message.readings.map(\.isSimulated) == [true])
    }

    /// Two-digit years: a clock that was never set says 1970, 1980 or 1999.
    @Test(arguments: [("2206211650", "2022"), ("6906211650", "2069"), ("7001010000", "1970"), ("9906211650", "1999")])
    func readsTwoDigitYears(time: String, year: String) {
        let message = self.decode(0x32, sl651Head + "F1F1 0012345678 48 F0F0 \(time) 39 23 00019070")
        #expect(
            message.readings.first?.time.map { "\($0)".contains(year) || $0 == beijing("1970-01-01T00:00:00") } == true
        )
    }

    @Test(arguments: ["2213211650", "2202301650", "22062116AA", "FFFFFFFFFF"])
    func refusesTimesThatAreNone(time: String) {
        let message = self.decode(0x32, sl651Head + "F1F1 0012345678 48 F0F0 \(time) 39 23 00019070 38 12 1268")
        #expect(message.readings.isEmpty)
        #expect(message.refusals.map(\.reason) == [.timeInvalid, .timeInvalid])
        #expect(message.refusals.map(\.key) == ["Z", "VT"])
    }

    @Test func readsTheStateBitByBit() {
        let message = self.decode(0x46, sl651Head + "F1F1 0012345678 45 20 00000183")
        #expect(message.times("ZT.mains") == [beijing("2022-06-21T16:56:10")])
        let set = message.readings.filter { $0.value == 1 }.map(\.key)
        // Bit 0: mains lost; 1: battery low; 7: the door is closed; 8: the store is faulty; the pump runs (bit 10 is 0).
        #expect(set == ["ZT.battery_low", "ZT.store_fault", "ZT.pump"])
    }

    /// E.3, E.8: numbers that stand for states are no heights.
    @Test func keepsGatesApartAndTheirSpecialNumbersOut() {
        let body =
            self.report + "0A 10 0001 09 1A 000150 0A 10 0002 09 1A 044400 0A 10 0003 09 1A 099900 0E 22 00044400"
        let message = self.decode(0x32, body)
        #expect(message.values("GH.1") == [1.5])
        #expect(message.values("GH.2") == [0])
        #expect(message.refusals.map(\.key) == ["GH.3", "H"])
    }

    /// Tables 71 and 77.
    @Test func readsPumpsAndGatesThatReportThemselves() {
        let pumps = self.decode(0x4C, sl651Head + "F1F1 0012345678 01 05")
        #expect(pumps.values("PUMP.1") == [1])
        #expect(pumps.values("PUMP.2") == [0])
        #expect(pumps.values("PUMP.3") == [1])
        #expect(pumps.readings.count == 8)
        let gates = self.decode(0x4E, sl651Head + "F1F1 0012345678 02 01 0150 0000")
        #expect(gates.values("GATE.1") == [1])
        #expect(gates.values("GH.1") == [1.5])
        #expect(gates.values("GH.2") == [0])
    }

    @Test func namesElementsOfTheUserByTheirBytes() {
        let message = self.decode(0x32, self.report + "FF 11 1A 001234 7F 08 12")
        #expect(message.readings.map(\.key) == ["FF11", "7F"])
        #expect(message.readings.map(\.value) == [12.34, 12])
    }

    @Test func readsHoursAndMinutesAsHours() {
        #expect(self.decode(0x33, self.report + "05 12 0130").values("DT") == [1.5])
    }

    @Test func pictureAndUserFunctionsAreRefusedWithTheirReason() {
        let picture = self.decode(0x36, self.report + "F3F3 FFD8FFE0")
        #expect(picture.refusals.first?.detail == "a picture of 4 bytes; pictures are not read")
        let own = self.decode(0xE1, self.report + "39 23 00019070")
        #expect(own.readings.isEmpty)
        #expect(own.refusals.first?.detail.contains("function E1") == true)
    }

    @Test func saysWhereABodyEndsTooSoon() {
        let message = self.decode(0x32, self.report + "39 23 0001")
        #expect(message.refusals.first?.key == "Z")
        #expect(message.refusals.first?.detail.contains("the body ends inside element Z and its 4 bytes") == true)
    }

    @Test func readsWhatAPersonEnteredInTheFormOfSL330() {
        let text = Array("H 62302250 06210800 Z 23.50 Q 5400".utf8)
        let message = decodeSL651(sl651Frame(0x35, hex(sl651Head + "F2F2") + text))
        #expect(message.readings.map(\.key) == ["Z", "Q"])
        #expect(message.readings.map(\.method) == [.manual, .manual])
        #expect(message.readings.first?.time == beijing("2022-06-21T08:00:00"))
        #expect(message.senders.last?.name == .address("0062302250"))
    }

    /// Entered shortly before midnight of the last year.
    @Test func aMonthAfterTheTimeOfSendingIsOfTheYearBefore() {
        let text = Array("H 62302250 12312300 Z 13.50".utf8)
        let message = decodeSL651(sl651Frame(0x35, hex("0001 230101000500 F2F2") + text))
        #expect(message.readings.first?.time == beijing("2022-12-31T23:00:00"))
    }

    @Test(arguments: [Array("hello".utf8), [0x7E], [0x7E, 0x7E, 0x01], [], [0xFF, 0xFF], Array("7E7E0".utf8)])
    func refusesWhatIsNoFrame(bytes: [UInt8]) {
        let message = decodeSL651(bytes)
        #expect(message.readings.isEmpty)
        #expect(message.refusals.map(\.reason) == [.malformed])
    }

    @Test func refusesWhatIsTooLongUnread() {
        var codec = SL651Codec(limit: 64)
        var message = DecodedMessage()
        codec.decode([UInt8](repeating: 0x7E, count: 65).span, into: &message)
        #expect(message.refusals.map(\.reason) == [.tooLarge])
    }

    private func reading(_ key: String, _ value: Double, _ time: String) -> Reading {
        Reading(key: key, value: value, time: beijing(time))
    }
}
