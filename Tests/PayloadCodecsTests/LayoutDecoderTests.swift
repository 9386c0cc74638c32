// poyang
// SPDX-License-Identifier: Apache-2.0

import PayloadCodecs
import Telemetry
import TestSupport
import Testing

struct LayoutDecoderTests {
    private func number(
        _ kind: PayloadLayout.Kind,
        _ width: Int,
        _ order: PayloadLayout.Order = .big,
        at: Int = 0,
        shift: Int = 0,
        bits: Int = 0
    ) -> PayloadLayout.Number {
        PayloadLayout.Number(at: at, kind: kind, width: width, order: order, shift: shift, bits: bits)
    }

    private func fixed(_ fields: [PayloadLayout.Field], length: Int = 0) -> PayloadLayout {
        var layout = PayloadLayout(form: .fixed)
        layout.fields = fields
        var block = PayloadLayout.Block()
        block.fields = 0..<fields.count
        block.length = length
        layout.blocks = [block]
        return layout
    }

    private func decode(_ layout: PayloadLayout, _ bytes: [UInt8], port: Int? = nil) -> DecodedMessage {
        var message = DecodedMessage()
        LayoutDecoder.decode(layout, bytes.span, port: port, time: nil, into: &message)
        return message
    }

    private func value(_ number: PayloadLayout.Number, _ bytes: String) -> Double? {
        self.decode(self.fixed([PayloadLayout.Field(key: "v", number: number)]), hex(bytes)).readings.first?.value
    }

    @Test func readsWholeNumbersOfEveryWidthAndOrder() {
        #expect(self.value(self.number(.unsigned, 1), "FE") == 254)
        #expect(self.value(self.number(.signed, 1), "FE") == -2)
        #expect(self.value(self.number(.unsigned, 2), "0102") == 258)
        #expect(self.value(self.number(.unsigned, 2, .little), "0102") == 513)
        #expect(self.value(self.number(.signed, 2, .little), "7EFF") == -130)
        #expect(self.value(self.number(.unsigned, 3), "010203") == 66051)
        #expect(self.value(self.number(.signed, 3, .little), "FEFFFF") == -2)
        #expect(self.value(self.number(.unsigned, 4), "FFFFFFFF") == 4_294_967_295)
        #expect(self.value(self.number(.signed, 4), "FFFFFFFF") == -1)
        #expect(self.value(self.number(.unsigned, 4, .bigLowWordFirst), "0002 0001") == 65538)
        #expect(self.value(self.number(.unsigned, 6), "000000000100") == 256)
    }

    @Test func readsBitsWithAndWithoutSign() {
        #expect(self.value(self.number(.unsigned, 2, bits: 14), "CE29") == 3625)
        #expect(self.value(self.number(.unsigned, 1, shift: 4, bits: 2), "30") == 3)
        #expect(self.value(self.number(.signed, 2, shift: 4, bits: 12), "FFE0") == -2)
    }

    @Test func readsFloatsAndPackedDecimals() {
        #expect(self.value(self.number(.float, 4), "41 44 00 00") == 12.25)
        #expect(self.value(self.number(.float, 4, .little), "00 00 44 41") == 12.25)
        #expect(self.value(self.number(.float, 8), "40 28 80 00 00 00 00 00") == 12.25)
        #expect(self.value(self.number(.float, 2), "4A20") == 12.25)
        #expect(self.value(self.number(.float, 2), "0001") == 0x1p-24)
        #expect(self.value(self.number(.float, 2), "FC00") == nil)
        #expect(self.value(self.number(.packedDecimal, 3), "01 23 45") == 12345)
        #expect(self.value(self.number(.packedDecimal, 2, .little), "34 12") == 1234)
        #expect(self.value(self.number(.packedDecimal, 1), "1A") == nil)
    }

    /// A scale of 0.1 gives the decimal, not its neighbour among the doubles.
    @Test(arguments: [(3, 0.3), (-7, -0.7), (215, 21.5), (1001, 100.1)])
    func scalesAreExact(raw: Int, expected: Double) {
        var field = PayloadLayout.Field(key: "v", number: self.number(.signed, 2))
        field.divisor = 10
        let bits = UInt16(bitPattern: Int16(raw))
        let message = self.decode(self.fixed([field]), [UInt8(bits >> 8), UInt8(bits & 0xFF)])
        #expect(message.readings.map(\.value) == [expected])
    }

    @Test func baseOffsetPolynomialAndRoundingApplyInThisOrder() {
        var field = PayloadLayout.Field(key: "v", number: self.number(.unsigned, 2))
        (field.base, field.multiplier, field.divisor, field.offset) = (32768, 1, 10, -40)
        #expect(self.decode(self.fixed([field]), hex("8109")).readings.map(\.value) == [-13.5])
        field.offset = 0
        field.polynomial = [1, 2, 3]
        field.decimals = 1
        #expect(self.decode(self.fixed([field]), hex("8001")).readings.map(\.value) == [1.2])
    }

    @Test func aValueThatMeansNoneIsNoReading() {
        var layout = self.fixed([PayloadLayout.Field(key: "v", number: self.number(.signed, 2))])
        layout.missing = [32767, -1]
        layout.fields[0].missing = 0..<2
        #expect(self.decode(layout, hex("7FFF")) == DecodedMessage())
        #expect(self.decode(layout, hex("FFFF")) == DecodedMessage())
        #expect(self.decode(layout, hex("FFFE")).readings.map(\.value) == [-2])
    }

    @Test func whatEndsTooEarlyIsRefusedWithItsByte() {
        let first = PayloadLayout.Field(key: "a", number: self.number(.unsigned, 1))
        var second = PayloadLayout.Field(key: "b", number: self.number(.unsigned, 2, at: 1))
        let message = self.decode(self.fixed([first, second]), hex("0102"))
        #expect(message.readings.map(\.key) == ["a"])
        #expect(message.refusals.map(\.key) == ["b"])
        #expect(message.refusals.first?.detail.contains("byte 2") == true)
        second.isOptional = true
        #expect(self.decode(self.fixed([first, second]), hex("0102")).refusals.isEmpty)
        #expect(self.decode(self.fixed([first], length: 3), hex("0102")).refusals.map(\.reason) == [.malformed])
    }

    @Test func portsThatCarryNothingAreSilentAndOthersRefused() {
        var layout = self.fixed([PayloadLayout.Field(key: "a", number: self.number(.unsigned, 1))])
        (layout.ports, layout.ignoredPorts) = ([2], [5])
        #expect(self.decode(layout, hex("01"), port: 2).readings.count == 1)
        #expect(self.decode(layout, hex("01"), port: nil).readings.count == 1)
        #expect(self.decode(layout, hex("01"), port: 5) == DecodedMessage())
        #expect(self.decode(layout, hex("01"), port: 3).refusals.map(\.reason) == [.malformed])
    }

    @Test func itemsWithTheirOwnTimeHaveIt() {
        var layout = PayloadLayout(form: .tagged)
        layout.fields = [PayloadLayout.Field(key: "d", number: self.number(.unsigned, 2, .little, at: 4))]
        var item = PayloadLayout.Block()
        (item.id, item.type, item.length, item.fields) = (0x20, 0xCE, 6, 0..<1)
        item.time = self.number(.unsigned, 4, .little)
        layout.blocks = [item]
        let bytes = hex("20CE 9E744663 1E00 20CE 00000000 1F00")
        let readings = self.decode(layout, bytes).readings
        #expect(readings.map(\.value) == [30, 31])
        #expect(readings.map(\.time) == [Timestamp(milliseconds: 1_665_561_758_000), nil])
    }

    @Test func whatFollowsAnUnknownItemIsUnread() {
        var layout = PayloadLayout(form: .tagged)
        layout.fields = [PayloadLayout.Field(key: "b", number: self.number(.unsigned, 1))]
        var item = PayloadLayout.Block()
        (item.id, item.type, item.length, item.fields) = (1, 0x75, 1, 0..<1)
        layout.blocks = [item]
        let message = self.decode(layout, hex("01755C 0901FF 01755D"))
        #expect(message.readings.map(\.value) == [92])
        #expect(message.refusals.first?.detail.contains("0x09 0x01") == true)
        #expect(self.decode(layout, hex("0175")).refusals.count == 1)
        #expect(self.decode(layout, hex("01755C 01")).refusals.count == 1)
    }

    @Test func aFlagWithoutItsBlockRefusesTheRest() {
        var layout = PayloadLayout(form: .flagged)
        layout.fields = [PayloadLayout.Field(key: "b", number: self.number(.unsigned, 2))]
        var block = PayloadLayout.Block()
        (block.id, block.length, block.fields) = (0, 2, 0..<1)
        layout.blocks = [block]
        layout.flags = self.number(.unsigned, 1)
        layout.start = 1
        #expect(self.decode(layout, hex("01 0102")).readings.map(\.value) == [258])
        #expect(self.decode(layout, hex("00 0102")) == DecodedMessage())
        #expect(self.decode(layout, hex("03 0102 03")).refusals.count == 1)
        #expect(self.decode(layout, hex("01 01")).refusals.count == 1)
        #expect(self.decode(layout, []).refusals.count == 1)
    }

    /// The status of a Dragino LHT52, as its manual shows it (2.4.1): `09 01 00 01 00 0B 3A` means v1.0.0.
    @Test func theFirmwareIsPutTogetherOfItsParts() {
        var layout = PayloadLayout(form: .fixed)
        layout.versionParts = [
            self.number(.unsigned, 1, at: 1, bits: 4), self.number(.unsigned, 1, at: 2, shift: 4, bits: 4),
            self.number(.unsigned, 1, at: 2, bits: 4),
        ]
        var block = PayloadLayout.Block()
        block.version = 0..<3
        layout.blocks = [block]
        let message = self.decode(layout, hex("09 01 00 01 00 0B 3A"), port: 5)
        #expect(message.readings.isEmpty && message.refusals.isEmpty)
        #expect(message.firmware.map(\.report.version.text) == ["1.0.0"])
        #expect(message.firmware.map(\.report.isOwn) == [true])
        #expect(self.decode(layout, hex("09 01 3A")).firmware.first?.report.version.text == "1.3.10")
        let short = self.decode(layout, hex("09 01"))
        #expect(short.firmware.isEmpty && short.refusals.map(\.key) == ["firmware"])
    }
}
