// poyang
// SPDX-License-Identifier: Apache-2.0

import PayloadCodecs
import Telemetry
import TestSupport
import Testing

/// Frames in ASCII characters (6.4, 6.6.2) and questions to a station.
struct SL651TextTests {
    private func decode(_ function: String, _ body: String) -> DecodedMessage {
        decodeSL651(sl651TextFrame(function, Array(("0001220621165610 " + body).utf8)))
    }

    @Test func readsATimedReport() {
        let message = self.decode("32", "ST 0012345678 H TT 2206211650 PT 12.5 Z 19.07 AI -1.2 VT 12.68 DO M ")
        #expect(message.refusals.isEmpty)
        #expect(message.readings.map(\.key) == ["PT", "Z", "AI", "VT"])
        #expect(message.readings.map(\.value) == [12.5, 19.07, -1.2, 12.68])
        #expect(message.readings.allSatisfy { $0.time == beijing("2022-06-21T16:50:00") })
        #expect(message.senders.map(\.name) == [.address("0012345678")])
    }

    /// 6.6.4.4: several elements, their values time by time, M where one is missing.
    @Test func readsSeveralElementsOfEqualSteps() {
        let message = self.decode("31", "ST 0012345678 H TT 2206210805 DRN05 PN05 Z 0.5 19.07 M 19.08 0 19.10 ")
        #expect(message.values("PN05") == [0.5, 0])
        #expect(message.values("Z") == [19.07, 19.08, 19.1])
        #expect(message.times("PN05") == [beijing("2022-06-21T08:05:00"), beijing("2022-06-21T08:15:00")])
    }

    @Test func readsAnHourOfDepthsAndLevels() {
        let rain = "05000000" + "14FFFFFF" + "FFFF0000"
        let levels = String(repeating: "0064", count: 11) + "FFFF"
        let message = self.decode(
            "34",
            "ST 0012345678 H TT 2206211605 DRP \(rain) DRZ1 \(levels) TT 2206211700 PT 12.5 "
        )
        #expect(message.values("DRP") == [0.5, 0, 0, 0, 2, 0, 0])
        #expect(message.values("DRZ1").count == 11)
        #expect(message.times("DRP").last == beijing("2022-06-21T17:00:00"))
        #expect(message.times("PT") == [beijing("2022-06-21T17:00:00")])
    }

    @Test func readsHoursBehindTheSpecialStep() {
        let hour = String(repeating: "01", count: 12)
        let message = self.decode("38", "ST 0012345678 P TT 2206210805 DRH00 DRP \(hour) \(hour) ")
        #expect(message.values("DRP").count == 24)
        #expect(message.times("DRP").last == beijing("2022-06-21T10:00:00"))
    }

    @Test func readsTheState() {
        let message = self.decode("46", "ST 0012345678 ZT 00000400 ")
        #expect(message.values("ZT.pump") == [0])
        #expect(message.refusals.isEmpty)
    }

    @Test func refusesWordsWhereANumberIsExpected() {
        let message = self.decode("32", "ST 0012345678 H TT 2206211650 Z abc VT 0x10 PT nan Q 5 ")
        #expect(message.readings.map(\.key) == ["Q"])
        #expect(message.refusals.map(\.reason) == [.notANumber, .notANumber, .notANumber])
    }

    @Test func joinsPacketsOfText() {
        let body = Array("0001220621165610 ST 0012345678 H TT 2206211650 Z 19.07 VT 12.68 ".utf8)
        let first = sl651TextFrame("32", Array(body.prefix(40)), packet: (1, 2), end: 0x17)
        let second = sl651TextFrame("32", Array(body.dropFirst(40)), packet: (2, 2))
        #expect(decodeSL651(first + second).readings.map(\.value) == [19.07, 12.68])
    }

    @Test func nothingDamagedIsTaken() {
        let bytes = sl651TextFrame("32", Array("0001220621165610 ST 0012345678 H TT 2206211650 Z 19.07 ".utf8))
        for bit in 0..<8 * bytes.count {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            // The check at the end reads the same in small letters.
            guard String(decoding: damaged, as: UTF8.self).uppercased() != String(decoding: bytes, as: UTF8.self) else {
                continue
            }
            #expect(decodeSL651(damaged).readings.isEmpty, "bit \(bit)")
        }
    }

    @Test func asksForPresentValuesAPeriodAndSetsTheClock() throws {
        let time = try #require(beijing("2022-06-21T16:56:10"))
        let downlink = SL651Downlink(station: 0x00_1234_5678, centre: 1, password: 0x1234)
        let present = hexText(downlink.askForPresent(at: time))
        #expect(present.hasPrefix("7E7E001234567801123437800802000022062116561005"))
        let clock = hexText(downlink.setClock(to: time))
        #expect(clock.hasPrefix("7E7E00123456780112344A800802000022062116561005"))
        let rain = try #require(SL651Element.all.first { $0.symbol == "DRP" })
        let first = try #require(beijing("2022-06-21T08:00:00"))
        let hours = first...(first + 2 * .hour)
        let question = try #require(downlink.askForPeriod(of: rain, hours: hours, step: 5 * .minute, at: time))
        #expect(hexText(question).contains("22062108220621100418000005F46005"))
        #expect(try SL651FrameReader().frame(in: question.span).isDown)
        #expect(downlink.askForPeriod(of: rain, hours: hours, step: 90 * .minute, at: time) == nil)
        let text = SL651Downlink(station: 0x00_1234_5678, centre: 1, password: 0x1234, encoding: .text)
        let asked = try #require(text.askForPeriod(of: rain, hours: hours, step: 5 * .minute, at: time))
        #expect(String(decoding: asked, as: UTF8.self).contains("0000220621165610 22062108 22062110 DRN05 DRP "))
    }

    /// Table C.1 lacks nothing between its first and last identifier, and the symbols fit into what needs no memory.
    @Test func theTableOfElementsIsWhole() {
        let ids = Set(SL651Element.all.map(\.id))
        #expect(ids.isSuperset(of: UInt8(0x01)...0x75))
        #expect(ids.isSuperset(of: UInt8(0xF4)...0xFC))
        #expect(ids.count == SL651Element.all.count)
        #expect(Set(SL651Element.all.map(\.symbol)).count == ids.count)
        #expect(SL651Element.all.allSatisfy { $0.symbol.utf8.count <= 15 && $0.decimals <= 7 })
    }
}
