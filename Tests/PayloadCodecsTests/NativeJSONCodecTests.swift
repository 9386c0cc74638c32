// poyang
// SPDX-License-Identifier: Apache-2.0

import PayloadCodecs
import Telemetry
import Testing

func decode(_ text: String, limit: Int = NativeJSONCodec.defaultLimit) -> DecodedMessage {
    decode(Array(text.utf8), limit: limit)
}

func decode(_ bytes: [UInt8], limit: Int = NativeJSONCodec.defaultLimit) -> DecodedMessage {
    var codec = NativeJSONCodec(limit: limit)
    var message = DecodedMessage()
    codec.decode(bytes.span, into: &message)
    return message
}

struct NativeJSONCodecTests {
    @Test func readsAFlatObject() {
        let message = decode(#"{"level": 1.25, "battery":3.6,"mains_power":true,"aerator_running" : false }"#)
        #expect(message.refusals.isEmpty)
        #expect(
            message.readings == [
                Reading(key: "level", value: 1.25), Reading(key: "battery", value: 3.6),
                Reading(key: "mains_power", value: 1), Reading(key: "aerator_running", value: 0),
            ]
        )
    }

    @Test(arguments: [
        #"{"ts":1655802960000,"values":{"level":1.25},"quality":{"level":1},"method":{"level":"interpolated"},"simulated":true}"#,
        #"{"simulated":true,"method":{"level":"interpolated"},"quality":{"level":1},"values":{"level":1.25},"ts":1655802960000}"#,
        #"{"ts":"2022-06-21T17:16:00+08:00","values":{"level":1.25},"quality":{"level":1.0},"method":{"level":"interpolated"},"simulated":true}"#,
    ])
    func readsTheFormWithValuesInAnyOrder(text: String) {
        let message = decode(text)
        #expect(message.refusals.isEmpty)
        let expected = Reading(
            key: "level",
            value: 1.25,
            time: Timestamp(milliseconds: 1_655_802_960_000),
            quality: .pass,
            method: .interpolated,
            isSimulated: true
        )
        #expect(message.readings == [expected])
    }

    @Test func readsAnArrayOfEitherForm() {
        let message = decode(#" [ {"a":1}, {"ts":1655802960000,"values":{"a":2}} , {"a":3} ] "#)
        #expect(message.refusals.isEmpty)
        #expect(message.readings.map(\.value) == [1, 2, 3])
        #expect(message.readings.map { $0.time != nil } == [false, true, false])
    }

    @Test(arguments: [
        (#"{"a":1,"level":"abc"}"#, QuarantineReason.notANumber, "the text \"abc\""),
        (#"{"a":1,"level":null}"#, .notANumber, "null"),
        (#"{"a":1,"level":NaN}"#, .notANumber, "NaN"),
        (#"{"a":1,"level":nan}"#, .notANumber, "NaN"),
        (#"{"a":1,"level":-inf}"#, .notANumber, "-Infinity"),
        (#"{"a":1,"level":Infinity}"#, .notANumber, "Infinity"),
        (#"{"a":1,"level":{"value":3}}"#, .notANumber, "an object"),
        (#"{"a":1,"level":[3]}"#, .notANumber, "a list"),
        (#"{"a":1,"level":1e999}"#, .notANumber, "beyond"),
        (#"{"level":1,"level":2}"#, .malformed, "twice"),
        (#"{"values":{"a":1},"level":2}"#, .malformed, "beside \"values\""),
        (#"{"level":2,"values":{"a":1}}"#, .malformed, "beside \"values\""),
        (#"{"values":{"a":1,"level":2},"quality":{"level":9}}"#, .malformed, "quality"),
        (#"{"values":{"a":1,"level":2},"quality":{"level":"good"}}"#, .malformed, "quality"),
        (#"{"values":{"a":1,"level":2},"method":{"level":"guessed"}}"#, .malformed, "method"),
    ])
    func refusesOneValueAndKeepsTheRest(text: String, reason: QuarantineReason, detail: String) {
        let message = decode(text)
        #expect(message.readings.count == 1)
        #expect(message.readings.first?.value == 1)
        #expect(message.refusals.map(\.reason) == [reason])
        #expect(message.refusals.first?.key == "level")
        #expect(message.refusals.first?.detail.contains(detail) == true, "\(message.refusals)")
    }

    @Test(arguments: [
        (#"{"ts":1655802960,"values":{"a":1,"b":2}}"#, "seconds"),
        (#"{"ts":0,"values":{"a":1,"b":2}}"#, "before 2000"),
        (#"{"values":{"a":1,"b":2},"ts":"yesterday"}"#, "RFC 3339"),
        (#"{"values":{"a":1,"b":2},"ts":"2022-06-21T17:16:00"}"#, "no zone"),
        (#"{"values":{"a":1,"b":2},"ts":null}"#, "neither"),
        (#"{"values":{"a":1,"b":2},"ts":1e300}"#, "9999"),
        (#"{"values":{"a":1,"b":2},"ts":1e999}"#, "9999"),
        (#"{"values":{"a":1,"b":2},"ts":-5e300}"#, "before 2000"),
    ])
    func refusesAnObjectWhoseTimeIsInvalid(text: String, detail: String) {
        let message = decode(text)
        #expect(message.readings.isEmpty)
        #expect(message.refusals.map(\.reason) == [.timeInvalid])
        #expect(message.refusals.first?.values == 2)
        #expect(message.refusals.first?.detail.contains(detail) == true, "\(message.refusals)")
    }

    @Test func refusesOnlyTheElementWithTheInvalidTime() {
        let message = decode(#"[{"ts":5,"values":{"a":1}},{"ts":1655802960000,"values":{"a":2}},7]"#)
        #expect(message.readings.map(\.value) == [2])
        #expect(message.refusals.map(\.reason) == [.timeInvalid, .malformed])
    }

    @Test(arguments: [#"{"ts":1655802960000,"level":2}"#, #"{"level":2,"simulated":true}"#])
    func neverTakesFlatValuesForRealWhenTheirTimeOrMarkIsBesideThem(text: String) {
        let message = decode(text)
        #expect(message.readings.isEmpty)
        #expect(message.refusals.map(\.reason) == [.malformed])
        #expect(message.refusals.first?.detail.contains("\"values\"") == true)
    }

    @Test(arguments: [
        (#"{"level":1.2"#, "byte 12", "'}'"), (#"{"level""#, "byte 8", "':'"), (#"{"level":"#, "byte 9", "a value"),
        (#"{"level":01}"#, "byte 9", "begin with 0"), (#"{"level":1.}"#, "byte 11", "digit"),
        (#"{"level":+1}"#, "byte 9", "a value"), (#"{level:1}"#, "byte 1", "name"), (#"{"a":1,}"#, "byte 7", "name"),
        (#"{"a":1} x"#, "byte 8", "the end"), ("level=1", "byte 0", "'{' or '['"),
        (#"[{"a":1},]"#, "byte 9", "a value"),
        (#"{"a":truE}"#, "byte 5", "a value"), (#"{"a":1e}"#, "byte 7", "exponent"),
        (#"{"a\x":1}"#, "byte 3", "escape"),
        (#"{"a":"b"#, "byte 7", "does not end"), ("{\"a\":\"\n\"}", "byte 6", "control"),
    ])
    func saysWhereTextStopsBeingJSON(text: String, place: String, detail: String) {
        let message = decode(text)
        #expect(message.readings.isEmpty)
        #expect(message.refusals.map(\.reason) == [.malformed])
        let found = message.refusals.first?.detail ?? ""
        #expect(found.contains(place + ":") && found.contains(detail), "\(found)")
    }

    @Test(arguments: ["", "{}", "[]", #"{"values":{}}"#, #"{"ts":1655802960000}"#])
    func refusesAPayloadWithoutValues(text: String) {
        let message = decode(text)
        #expect(message.readings.isEmpty)
        #expect(message.refusals.map(\.reason) == [.malformed])
    }

    @Test func refusesAHugePayloadUnread() {
        let message = decode([UInt8](repeating: UInt8(ascii: "["), count: 10_000_000))
        #expect(message.refusals.map(\.reason) == [.tooLarge])
        #expect(message.refusals.first?.detail.contains("10000000") == true)
    }

    @Test(arguments: ["[", #"{"a":"#, #"{"a":["#])
    func survivesAnyDepth(opening: String) {
        let message = decode(Array(repeating: opening, count: 100_000).joined())
        #expect(message.refusals.map(\.reason) == [.malformed])
    }

    @Test func decodesEscapesInNames() {
        let message = decode(#"{"\u6c34\u4f4d":1,"a\"\\\/\b\f\n\r\t":2,"\ud83d\ude00":3}"#)
        #expect(message.readings.map(\.key) == ["水位", "a\"\\/\u{8}\u{C}\n\r\t", "😀"])
        #expect(decode(#"{"\ud83d":1}"#).refusals.map(\.reason) == [.malformed])
        #expect(decode([0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x31, 0x7D]).refusals.map(\.reason) == [.malformed])
    }

    @Test func acceptsAByteOrderMark() {
        #expect(decode("\u{FEFF}{\"a\":1}").readings.map(\.value) == [1])
    }

    @Test func countsEveryValueOfALargeObjectOnce() {
        let members = (0..<5000).map { $0 % 2 == 0 ? "\"k\($0)\":\($0)" : "\"k\($0)\":null" }
        let twice = (0..<100).map { "\"k\($0)\":1" }
        let message = decode("{" + (members + twice).joined(separator: ",") + "}")
        #expect(message.readings.count == 2500)
        #expect(message.refusals.count == DecodedMessage.listedRefusals + 2)
        #expect(message.refusals.reduce(0) { $0 + $1.values } == 2600)
    }

    @Test(arguments: [
        #"{"firmware":"1.4.2","level":1.25}"#, #"{"ts":1655802960000,"values":{"level":1.25,"firmware":"1.4.2"}}"#,
        #"{"ts":1655802960000,"values":{"level":1.25},"firmware":"1.4.\u0032"}"#,
        #"[{"firmware":"1.4.2","ts":1655802960000,"values":{"level":1.25}}]"#,
    ])
    func aFirmwareVersionIsNoValue(text: String) {
        let message = decode(text)
        #expect(message.refusals.isEmpty, "\(message.refusals)")
        #expect(message.readings.map(\.key) == ["level"])
        #expect(message.firmware.map(\.report.version.text) == ["1.4.2"])
        #expect(message.firmware.map(\.report.time) == message.readings.map(\.time))
    }

    @Test func aMessageMayHoldNothingButTheFirmware() {
        let message = decode(#"{"firmware":"v1.4.2-鄱阳 rc1"}"#)
        #expect(message.refusals.isEmpty)
        #expect(message.firmware.map(\.report.version.text) == ["v1.4.2-鄱阳 rc1"])
        #expect(decode(#"{"ts":1655802960000,"values":{"firmware":"9"},"simulated":true}"#).firmware.isEmpty)
        // A number is a value as any other: a model may have such a channel.
        #expect(decode(#"{"firmware":14}"#).readings.map(\.key) == ["firmware"])
    }

    @Test(arguments: [
        (#"{"level":1,"firmware":""}"#, "empty"), (#"{"level":1,"firmware":"1\u001b[2J"}"#, "U+1B"),
        (#"{"level":1,"firmware":"1\u202e4"}"#, "U+202E"),
        (#"{"level":1,"firmware":"1\ud800"}"#, "no firmware version"),
        (#"{"level":1,"firmware":"\#(String(repeating: "1", count: 65))"}"#, "65 bytes"),
        (#"{"level":1,"firmware":"\#(String(repeating: "1", count: 4000))"}"#, "4000 bytes"),
    ])
    func aTextThatIsNoVersionIsRefusedAndTheValuesStand(text: String, message detail: String) {
        let message = decode(text)
        #expect(message.readings.map(\.key) == ["level"])
        #expect(message.firmware.isEmpty)
        #expect(message.refusals.map(\.key) == ["firmware"] && message.refusals.map(\.reason) == [.malformed])
        #expect(message.refusals.first?.detail.contains(detail) == true, "\(message.refusals)")
    }
}
