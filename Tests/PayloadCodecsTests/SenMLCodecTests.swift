// poyang
// SPDX-License-Identifier: Apache-2.0

import PayloadCodecs
import Telemetry
import Testing

/// RFC 8428; its examples are those of section 5.1.
struct SenMLCodecTests {
    private static let now = Timestamp(milliseconds: 1_655_802_960_000)

    private func decode(_ text: String, now: Timestamp? = Self.now) -> DecodedMessage {
        var codec = SenMLCodec()
        codec.now = now
        return decoded(text, &codec)
    }

    private func times(_ message: DecodedMessage) -> [Int64?] { message.readings.map(\.time?.milliseconds) }

    /// 5.1.1: a device's URN alone is no name of a measurand; the unit is.
    @Test func aSingleDatapoint() {
        let message = self.decode(#"[{"n":"urn:dev:ow:10e2073a01080063","u":"Cel","v":23.1}]"#)
        #expect(message.values == ["Cel": 23.1])
        #expect(self.times(message) == [nil])
        #expect(message.units == [Unit(named: "celsius")])
    }

    /// Section 5.1.2.
    @Test func multipleDatapointsWithRelativeTimes() {
        let message = self.decode(
            #"""
            [{"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,"bu":"A","bver":5,"n":"voltage","u":"V","v":120.1},
             {"n":"current","t":-5,"v":1.2},{"n":"current","t":-4,"v":1.3},{"n":"current","t":-3,"v":1.4},
             {"n":"current","t":-2,"v":1.5},{"n":"current","t":-1,"v":1.6},{"n":"current","v":1.7}]
            """#
        )
        #expect(message.refusals.isEmpty)
        #expect(message.readings.map(\.key) == ["voltage"] + Array(repeating: "current", count: 6))
        #expect(message.readings.map(\.value) == [120.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7])
        let base: Int64 = 1_276_020_076_001
        #expect(self.times(message) == [0, -5, -4, -3, -2, -1, 0].map { base + 1000 * $0 })
        #expect(message.units.map(\.?.symbol) == ["V"] + Array(repeating: "A", count: 6))
    }

    /// Section 5.1.3.
    @Test func multipleMeasurementsOfOneName() {
        let message = self.decode(
            #"""
            [{"bn":"urn:dev:ow:10e2073a01080063","bt":1.320067464e+09,"bu":"%RH","v":20},
             {"u":"lon","v":24.30621},{"u":"lat","v":60.07965},{"t":60,"v":20.3},{"u":"lon","t":60,"v":24.30622},
             {"u":"lat","t":60,"v":60.07965},{"t":120,"v":20.7},{"u":"%EL","t":150,"v":98},{"t":180,"v":21.2}]
            """#
        )
        #expect(message.refusals.isEmpty)
        #expect(message.readings.map(\.key) == ["%RH", "lon", "lat", "%RH", "lon", "lat", "%RH", "%EL", "%RH"])
        #expect(message.readings.last?.time?.milliseconds == 1_320_067_644_000)
    }

    /// Of a name that says nothing of what is measured the unit does; an empty one is none.
    @Test func anEmptyUnitIsNone() {
        let message = self.decode(
            #"[{"bn":"urn:dev:ow:10e2073a01080063","bu":"%RH","v":20},{"u":"","v":24.3},{"t":60,"v":20.3}]"#
        )
        #expect(message.readings.map(\.key) == ["%RH", "urn", "%RH"])
        #expect(message.units.map { $0 == nil } == [false, true, false])
    }

    /// 5.1.4: the resolved form gives the same.
    @Test func resolvedDataGiveTheSame() {
        let packed = self.decode(
            #"[{"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076e+09,"n":"current","u":"A","t":-5,"v":1.2}]"#
        )
        let resolved = self.decode(#"[{"n":"urn:dev:ow:10e2073a0108006:current","u":"A","t":1.276020071e+09,"v":1.2}]"#)
        #expect(packed == resolved)
        #expect(packed.values == ["current": 1.2])
    }

    /// Section 5.1.5.
    @Test func multipleDataTypes() {
        let message = self.decode(
            #"""
            [{"bn":"urn:dev:ow:10e2073a01080063:","n":"temp","u":"Cel","v":23.1},
             {"n":"label","vs":"Machine Room"},{"n":"open","vb":false},{"n":"nfc-reader","vd":"aGkgCg"}]
            """#
        )
        #expect(message.values == ["temp": 23.1, "open": 0])
        #expect(message.refusals.map(\.key) == ["label", "nfc-reader"])
        #expect(message.refusals.allSatisfy { $0.reason == .notANumber })
    }

    /// A number in an unknown unit is no value: 2 µg/l would be 2 mg/l.
    @Test(arguments: ["banana", "far", "C", "F", "lx", "Mach"])
    func refusesUnitsThatItDoesNotKnow(unit: String) {
        let message = self.decode(
            #"[{"n":"a:level","u":"\#(unit)","v":7},{"n":"a:rain","u":"mm","v":0.2},{"n":"a:ph","v":7}]"#
        )
        #expect(message.values == ["rain": 0.2, "ph": 7])
        #expect(message.units == [Unit(named: "mm"), nil])
        #expect(message.refusals.map(\.reason) == [.malformed])
        #expect(message.refusals.map(\.key) == ["level"])
        #expect(message.refusals.first?.detail.contains("the unit \"\(unit)\" is not known") == true)
    }

    /// 5.1.6: a collection of resources; names with a path.
    @Test func collectionsOfResources() {
        let message = self.decode(
            #"[{"bn":"2001:db8::2/","bt":1.320078429e+09,"n":"temperature","u":"Cel","v":27.2},{"n":"humidity","u":"%RH","v":80}]"#
        )
        #expect(message.values == ["temperature": 27.2, "humidity": 80])
    }

    /// 5.1.7: values and sums in the base.
    @Test func valuesAndSumsAreAddedToTheirBase() {
        let message = self.decode(
            #"""
            [{"bn":"m:","bv":20,"bs":100,"bt":1320067464,"n":"energy","s":4},{"n":"level","v":0.5},{"n":"zero","vb":true},
             {"n":"bare"}]
            """#
        )
        #expect(message.refusals.isEmpty)
        #expect(
            message.values == [
                "energy": 20, "energy.sum": 104, "level": 20.5, "level.sum": 100, "zero": 1, "zero.sum": 100,
                "bare": 20,
                "bare.sum": 100,
            ]
        )
    }

    @Test func aSumNeedsNoValue() {
        #expect(self.decode(#"[{"n":"m/volume","s":7.5,"u":"m3"}]"#).values == ["volume.sum": 7.5])
    }

    /// 4.5.3: below 2^28 a time is relative to now, above it counts from 1970.
    @Test func timesAreRelativeBelowTwoToThe28() {
        let message = self.decode(
            #"[{"n":"a","t":-60,"v":1},{"n":"b","t":0,"v":1},{"n":"c","t":268435455,"v":1},{"n":"d","t":268435456,"v":1}]"#
        )
        let now = Self.now.milliseconds
        #expect(self.times(message) == [now - 60_000, nil, now + 268_435_455_000, 268_435_456_000])
        #expect(self.times(self.decode(#"[{"n":"a","t":-60,"v":1}]"#, now: nil)) == [nil])
        #expect(self.decode(#"[{"n":"a","t":1655802960000,"v":1}]"#).refusals.map(\.reason) == [.timeInvalid])
    }

    /// A base holds from its record on, wherever it stands in it.
    @Test func baseFieldsHoldUntilTheyAreGivenAnew() {
        let message = self.decode(
            #"[{"n":"a","v":1,"bn":"x:"},{"bt":1655802900},{"n":"b","v":2},{"bn":"","n":"c","v":3},{"bt":0,"n":"d","v":4}]"#
        )
        #expect(message.readings.map(\.key) == ["a", "b", "c", "d"])
        #expect(self.times(message) == [nil, 1_655_802_900_000, 1_655_802_900_000, nil])
    }

    /// Section 4.4.
    @Test func aFieldThatMustBeUnderstoodRefusesThePack() {
        let message = self.decode(#"[{"n":"a","v":1},{"n":"b","v":2,"later_":3}]"#)
        #expect(message.readings.isEmpty)
        #expect(message.refusals.map(\.reason) == [.malformed])
        #expect(message.refusals.first?.detail.contains("later_") == true)
        #expect(self.decode(#"[{"n":"a","v":1,"later":{"x":[1]}}]"#).values == ["a": 1])
    }

    @Test(arguments: [(10, true), (5, true), (26, true), (11, false), (27, false), (42, false)])
    func aVersionThatIsNotKnownRefusesThePack(version: Int, isKnown: Bool) {
        let message = self.decode(#"[{"bver":\#(version),"n":"a","v":1}]"#)
        #expect(message.readings.isEmpty != isKnown)
    }

    @Test(arguments: [
        (#"[{"v":1}]"#, "no name"), (#"[{"n":"-a","v":1}]"#, "-a"), (#"[{"n":"a b","v":1}]"#, "a b"),
        (#"[{"n":"a"}]"#, "neither value nor sum"), (#"[{"n":"a","v":1,"vb":true}]"#, "2 values"),
    ])
    func aRecordThatIsNoneRefusesItselfOnly(pack: String, words: String) {
        let message = self.decode(pack.replacing("}]", with: "},{\"n\":\"good\",\"v\":1}]"))
        #expect(message.values == ["good": 1])
        #expect(message.refusals.map(\.reason) == [.malformed])
        #expect(message.refusals.first?.detail.contains(words) == true)
    }

    @Test(arguments: [
        "", "{}", "[", "[1]", "[[]]", #"[{"n":"a","v":1}"#, #"[{"n":"a","v":1}]x"#, #"[{"n":1,"v":1}]"#,
        #"[{"n":"a","v":"1"}]"#, #"[{"n":"a","vb":1}]"#, #"[{"n":"a","vb":null}]"#, #"[{"n":"a","t":"x","v":1}]"#, "[]",
        #"[{"bn":"a","bver":10}]"#, #"{"e":[{"n":"a","v":1}],"bn":"x"}"#, #"[{"n":"a","vs":1}]"#,
        #"[{"bn":"\#(String(repeating: "a", count: 513))","n":"b","v":1}]"#,
    ])
    func refusesWhatIsNoPack(text: String) {
        let message = self.decode(text)
        #expect(message.readings.isEmpty)
        #expect(message.refusals.map(\.reason) == [.malformed])
    }
}
