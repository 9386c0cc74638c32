// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry
import TestSupport
import Testing

struct PrometheusDurationTests {
    @Test(arguments: [
        ("5m", 300_000), ("1h30m", 5_400_000), ("1d", 86_400_000), ("500ms", 500), ("0s", 0), ("0", 0),
        ("1y2w3d4h5m6s7ms", 33_019_506_007),
        ("90m", 5_400_000),
    ])
    func reads(text: String, milliseconds: Milliseconds) {
        #expect(PrometheusDuration.parse(text) == milliseconds)
    }

    @Test(arguments: [
        "", "5", "m", "5 m", "-5m", "1.5h", "5m1h", "5m5m", "5M", "５m", "5m ", "99999999999999999999s", "9999999999y",
    ])
    func refuses(text: String) {
        #expect(PrometheusDuration.parse(text) == nil)
    }

    @Test(arguments: [
        (5_400_000, "1h30m"), (300_000, "5m"), (86_400_000, "1d"), (0, "0s"), (1, "1ms"), (604_800_000, "1w"),
        (-300_000, "-5m"), (90_061_001, "1d1h1m1s1ms"),
    ])
    func writes(span: Milliseconds, text: String) {
        #expect(PrometheusDuration.text(span) == text)
    }

    @Test func readsBackWhatItWrites() {
        let seed: UInt64 = 7
        var random = SeededGenerator(seed: seed)
        for _ in 0..<5000 {
            let span = Milliseconds.random(in: 0...10_000_000_000, using: &random)
            #expect(PrometheusDuration.parse(PrometheusDuration.text(span)) == span, "seed \(seed): \(span)")
        }
    }
}

struct LabelsTests {
    @Test func sortsAndKeepsTheLastOfEachName() {
        let labels = Labels([
            Label(name: "b", value: "1"), Label(name: "a", value: "2"), Label(name: "b", value: "3"),
            Label(name: "c", value: ""),
        ])
        #expect(labels.map(\.name) == ["a", "b"])
        #expect(labels["b"] == "3")
        #expect(labels.value(of: "c") == nil)
        #expect(labels["c"].isEmpty)
    }

    @Test func anEmptyValueIsNoLabel() {
        var labels: Labels = ["a": "1", "b": "2"]
        labels["a"] = ""
        #expect(labels == ["b": "2"])
        labels["z"] = ""
        #expect(labels.count == 1)
    }

    /// The result of every order of the same insertions is the same, and equal sets hash alike.
    @Test func doesNotDependOnTheOrderOfInsertion() {
        let seed: UInt64 = 11
        var random = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            let pairs = (0..<Int.random(in: 0...8, using: &random))
                .map { Label(name: "n\($0)", value: "v\(Int.random(in: 0...3, using: &random))") }
            let left = Labels(pairs)
            let right = Labels(pairs.shuffled(using: &random))
            #expect(left == right, "seed \(seed)")
            #expect(left.hashValue == right.hashValue, "seed \(seed)")
            #expect(left.map(\.name) == left.map(\.name).sorted(), "seed \(seed)")
        }
    }

    @Test func removesKeepsAndMerges() {
        let labels = Labels(metric: "up", ["site": "x", "job": "y"])
        #expect(labels.removing("job") == Labels(metric: "up", ["site": "x"]))
        #expect(labels.removing(["job", "__name__"]) == ["site": "x"])
        #expect(labels.keeping(["job"]) == ["job": "y"])
        #expect(labels.keeping(["job"]).merging(labels.removing("job")) == labels)
        #expect(labels.merging(["job": "z"])["job"] == "z")
        #expect(labels.merging(.empty) == labels)
        #expect(labels.with("site", "").value(of: "site") == nil)
        #expect(labels.metric == "up")
        #expect(labels.site == "x")
    }

    @Test func writesAsPrometheusDoes() {
        #expect(Labels(metric: "up").description == "up")
        #expect(Labels(metric: "up", ["a": "q\"\\\n"]).description == #"up{a="q\"\\\n"}"#)
        #expect(Labels.empty.description == "{}")
        #expect(Labels(["a": "1"]).description == #"{a="1"}"#)
    }

    @Test func readsBackItsJSON() throws {
        let labels = Labels(metric: "water_level_meters", ["site": "星子", "depth": "20cm"])
        let data = try JSONEncoder().encode(labels)
        #expect(try JSONDecoder().decode(Labels.self, from: data) == labels)
    }
}

struct LabelMatcherTests {
    @Test func takesAnAbsentLabelAsEmpty() {
        let labels: Labels = ["site": "x"]
        #expect(LabelMatcher("org", equals: "").matches(labels))
        #expect(!LabelMatcher(name: "org", operation: .notEqual, value: "", pattern: nil).matches(labels))
        #expect(LabelMatcher(name: "site", operation: .matches, value: "x|y", pattern: { $0 == "x" }).matches(labels))
        #expect(
            !LabelMatcher(name: "site", operation: .notMatches, value: "x|y", pattern: { $0 == "x" }).matches(labels)
        )
    }
}

struct SampleMarkTests {
    @Test func keepsQualityMethodAndSimulationApart() {
        for quality in Quality.allCases {
            for method in Method.allCases {
                for simulated in [false, true] {
                    let mark = SampleMark(quality: quality, method: method, simulated: simulated)
                    #expect(mark.quality == quality)
                    #expect(mark.method == method)
                    #expect(mark.isSimulated == simulated)
                    #expect(SampleMark(rawValue: mark.rawValue) == mark)
                }
            }
        }
    }

    @Test func readsADamagedMarkAsFailed() {
        #expect(SampleMark(rawValue: 0x0F).quality == .fail)
        #expect(SampleMark(rawValue: 0).quality == .fail)
    }

    @Test(arguments: [
        (Quality.pass, true, true), (.notEvaluated, true, true), (.suspect, false, true), (.fail, false, false),
        (.missing, false, false),
    ])
    func rulesRaiseOnSuspectValuesAndEndOnTrustedOnes(quality: Quality, trusted: Bool, raising: Bool) {
        let mark = SampleMark(quality: quality, method: .interpolated, simulated: true)
        #expect(QualitySet.trusted.admits(mark) == trusted)
        #expect(QualitySet.raising.admits(mark) == raising)
        #expect(QualitySet.all.admits(mark))
    }

    @Test(arguments: QualityTest.allCases)
    func aSuspectValueKeepsTheTestThatItFailed(test: QualityTest) {
        let mark = SampleMark(failed: test, method: .interpolated, simulated: true)
        #expect(mark.quality == .suspect)
        #expect(mark.failedTest == test)
        #expect(mark.method == .interpolated && mark.isSimulated)
        #expect(QualitySet(.suspect).admits(mark) && QualitySet.raising.admits(mark))
        #expect(!QualitySet.trusted.admits(mark) && !QualitySet(.fail).admits(mark))
        #expect(QualitySet(failed: test).admits(mark))
        #expect(QualityTest.allCases.filter { QualitySet(failed: $0).admits(mark) } == [test])
        #expect(Evidence(mark).failedTests == [test])
        #expect(QualityTest(name: "\(test)") == test)
        // The flags have numbers of their own.
        #expect(test == .sender || Quality(rawValue: test.rawValue) == nil)
    }

    @Test func gathersEvidence() {
        #expect(Evidence(.measured) == [])
        let mark = SampleMark(quality: .suspect, method: .interpolated, simulated: true)
        #expect(Evidence(mark) == [.interpolated, .suspect, .simulated, Evidence(failed: .sender)])
    }
}

struct UnitTests {
    @Test(arguments: [
        ("water_level_meters", "meters"), ("discharge_cubic_meters_per_second", "cubic_meters_per_second"),
        ("reservoir_storage_cubic_meters", "cubic_meters"), ("wind_speed_meters_per_second", "meters_per_second"),
        ("rainfall_accumulated_millimeters", "millimeters"), ("ph", ""), ("mains_power", ""),
    ])
    func isFoundByTheLongestSuffix(metric: String, suffix: String) {
        #expect(Unit(ofMetric: metric).suffix == suffix)
    }

    @Test(arguments: [("ft", 1.0, 0.3048), ("cfs", 1.0, 0.028316846592), ("in", 2.0, 50.8), ("mV", 3600.0, 3.6)])
    func converts(name: String, value: Double, expected: Double) throws {
        let unit = try #require(Unit(named: name))
        #expect(abs(unit.toCanonical(value) - expected) < 1e-12)
    }

    @Test func convertsFahrenheit() throws {
        let unit = try #require(Unit(named: "°F"))
        #expect(abs(unit.toCanonical(32)) < 1e-12)
        #expect(abs(unit.toCanonical(212) - 100) < 1e-12)
    }

    @Test func everySpellingNamesOneUnit() {
        let names = Unit.all.flatMap { Set([$0.suffix, $0.symbol] + $0.aliases) }
        #expect(Set(names).count == names.count)
    }
}

struct IdentifierTests {
    @Test(arguments: ["a", "usgs-01581752-1", "A.b_c:d-9", String(repeating: "x", count: 64)])
    func takes(text: String) {
        #expect(Identifier.isValid(text))
    }

    @Test(arguments: ["", "a b", "a/b", "星子", "a+", "a#", String(repeating: "x", count: 65)])
    func refuses(text: String) {
        #expect(!Identifier.isValid(text))
    }
}
