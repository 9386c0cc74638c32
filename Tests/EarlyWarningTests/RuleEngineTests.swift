// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry
import Testing

@testable import EarlyWarning

struct RuleEngineTests {
    static let level: Labels = ["__name__": "water_level_meters", "site": "a"]
    static let stage = """
        groups:
          - name: g
            rules:
              - alert: High
                expr: water_level_meters > 10
                clear: water_level_meters < 9
        """

    static func rule(_ lines: String) -> String {
        "groups:\n  - name: g\n    rules:\n      - alert: A\n"
            + lines.split(separator: "\n").map { "        \($0)" }.joined(separator: "\n")
    }

    @Test func holdRunsOnATimerWithoutFurtherReadings() throws {
        let harness = try EngineHarness(Self.rule("expr: water_level_meters > 10\nfor: 3m"))
        #expect(try harness.feed(Self.level, 0, 11).isEmpty)
        #expect(harness.snapshot().map(\.state) == [.pending])
        #expect(try harness.advance(4).line == "raised@3")
        #expect(try harness.advance(10).line == "ended@5")
        #expect(harness.snapshot().isEmpty)
    }

    @Test func aLaterReadingFiresTheTimersBeforeItAtTheirOwnTime() throws {
        let harness = try EngineHarness(Self.rule("expr: water_level_meters > 10\nfor: 3m"))
        try harness.feed(Self.level, 0, 11)
        #expect(try harness.feed(Self.level, 7, 12).line == "raised@3 ended@5")
    }

    /// Nothing of what a value stands for must be there for a rule to fire.
    @Test func aValueStandsForAThresholdOrAComparisonThatIsMissing() throws {
        let limit = "fill_right(10) site_threshold_meters{level=\"red\"}"
        let threshold = try EngineHarness(Self.rule("expr: water_level_meters > on(site) group_left() \(limit)"))
        #expect(try threshold.feed(Self.level, 0, 9).isEmpty)
        #expect(try threshold.feed(Self.level, 1, 11).line == "raised@1")
        #expect(try threshold.feed(Self.level, 2, 9).line == "ended@2")
        let other: Labels = ["__name__": "flow", "site": "a"]
        let sum = try EngineHarness(Self.rule("expr: (water_level_meters > 10) + on(site) fill(0) (flow > 5)"))
        #expect(try sum.feed(Self.level, 0, 9).isEmpty)
        #expect(try sum.feed(other, 1, 6).line == "raised@1")
        #expect(try sum.feed(other, 2, 4).line == "ended@2")
    }

    @Test func aRuleIsAskedForOneMoment() throws {
        let harness = try EngineHarness(Self.rule("expr: max_over_time(water_level_meters[step() + 2m]) > 10"))
        #expect(harness.engine.compiled[0].comparison?.formula != nil)
        #expect(try harness.feed(Self.level, 0, 11).line == "raised@0")
        #expect(try harness.feed(Self.level, 1, 9).isEmpty)
        #expect(try harness.feed(Self.level, 2, 9).line == "ended@2")
        let rules = Self.rule("expr: max_over_time(water_level_meters[range()]) > 10")
        #expect(throws: (any Error).self) { try EngineHarness(rules) }
    }

    /// The reading before the range is forgotten with its look-back, of five minutes here.
    @Test func anAnchorEndsWithItsLookback() throws {
        let harness = try EngineHarness(Self.rule("expr: changes(water_level_meters[4m] anchored) > 0"))
        #expect(try harness.feed(Self.level, 0, 11).isEmpty)
        #expect(try harness.feed(Self.level, 7, 12).line == "raised@7")
        #expect(try harness.advance(20).line == "ended@9")
        #expect(throws: (any Error).self) { try EngineHarness(Self.rule("expr: water_level_meters smoothed > 1")) }
    }

    @Test func clearEndsAtOnceAndNothingElseDoes() throws {
        let harness = try EngineHarness(Self.stage)
        #expect(try harness.feed(Self.level, 0, 11).line == "raised@0")
        #expect(try harness.feed(Self.level, 1, 9.5).isEmpty)
        #expect(try harness.advance(60).isEmpty)
        let end = try harness.feed(Self.level, 61, 8.5)
        #expect(end.line == "ended@61")
        #expect(end.first?.value == 8.5)
        #expect(end.first?.activeSince == .minutes(0))
    }

    @Test func aSuspectValueRaisesUnconfirmedAndNeverEnds() throws {
        let harness = try EngineHarness(Self.stage)
        let raise = try harness.feed(Self.level, 0, 11, quality: .suspect)
        #expect(raise.line == "raised@0")
        #expect(raise.first?.evidence.contains(.suspect) == true)
        #expect(try harness.feed(Self.level, 1, 2, quality: .suspect).isEmpty)
        let end = try harness.feed(Self.level, 2, 2)
        #expect(end.line == "ended@2")
        #expect(end.first?.evidence.contains(.suspect) == false)
    }

    @Test func withoutClearASuspectLowValueDoesNotEndEither() throws {
        let harness = try EngineHarness(Self.rule("expr: water_level_meters > 10"))
        #expect(try harness.feed(Self.level, 0, 11).line == "raised@0")
        #expect(try harness.feed(Self.level, 1, 2, quality: .suspect).isEmpty)
        #expect(try harness.feed(Self.level, 2, 2).line == "ended@2")
    }

    @Test func aFailedValueNeitherRaisesNorEnds() throws {
        let harness = try EngineHarness(Self.stage)
        #expect(try harness.feed(Self.level, 0, 11, quality: .fail).isEmpty)
        #expect(try harness.feed(Self.level, 1, 11).line == "raised@1")
        #expect(try harness.feed(Self.level, 2, 2, quality: .fail).isEmpty)
    }

    @Test func aRegisteredChannelThatStopsHoldsItsAlert() throws {
        let channel = WatchedChannel(series: Self.level, schedule: .periodic(10 * .minute))
        for rules in [Self.stage, Self.rule("expr: water_level_meters > 10")] {
            let harness = try EngineHarness(rules, channels: [channel])
            try harness.feed(Self.level, 0, 11)
            let held = try harness.advance(600)
            #expect(held.line == "held@25(no_data)")
            #expect(held.first?.value == 11)
            #expect(held.first?.lastReadingAt == .minutes(0))
            #expect(harness.snapshot().map(\.state) == [.held])
            #expect(try harness.feed(Self.level, 700, 12).line == "resumed@700")
            #expect(try harness.advance(800).line == "held@725(no_data)")
            #expect(try harness.feed(Self.level, 900, 3).line == "resumed@900 ended@900")
        }
    }

    /// The last reading is 5 mm, what the rule sums is 55 mm.
    @Test func whatARuleMakesOfReadingsIsItsValueToTheEnd() throws {
        let channel = WatchedChannel(series: Self.level, schedule: .periodic(10 * .minute))
        let harness = try EngineHarness(
            Self.rule("expr: sum_over_time(water_level_meters[1h]) >= 50"),
            channels: [channel]
        )
        try harness.feed(Self.level, 0, 50)
        try harness.feed(Self.level, 10, 5)
        let held = try harness.advance(40)
        #expect(held.line == "held@35(no_data)")
        #expect(held.first?.value == 55)
        #expect(held.first?.lastReadingAt == .minutes(10))
        let resumed = try harness.feed(Self.level, 45, 1)
        #expect(resumed.line == "resumed@45")
        #expect(resumed.first?.value == 56)
        try harness.feed(Self.level, 55, 1)
        let ended = try harness.feed(Self.level, 60, 2)
        #expect(ended.line == "ended@60")
        #expect(ended.first?.value == 9)
    }

    /// While nobody knows there are hours ago and metres now, and the one is not the other.
    @Test func whatHasNoValueAnyMoreHasNoneOfAnotherKind() throws {
        let channel = WatchedChannel(series: Self.level, schedule: .periodic(10 * .minute))
        let harness = try EngineHarness(
            Self.rule("expr: (20 - water_level_meters) / 2 < 6\nclear: water_level_meters < 5"),
            channels: [channel]
        )
        #expect(try harness.feed(Self.level, 0, 11).first?.value == 4.5)
        let held = try harness.advance(60)
        #expect(held.line == "held@25(no_data)")
        #expect(held.first?.value == nil)
        #expect(held.first?.lastReadingAt == .minutes(0))
    }

    @Test func noDataKeepSaysNothing() throws {
        let channel = WatchedChannel(series: Self.level, schedule: .periodic(10 * .minute))
        let harness = try EngineHarness(
            Self.rule("expr: water_level_meters > 10\nno_data: keep"),
            channels: [channel]
        )
        try harness.feed(Self.level, 0, 11)
        #expect(try harness.advance(600).isEmpty)
        #expect(harness.snapshot().map(\.state) == [.firing])
        #expect(try harness.feed(Self.level, 700, 3).line == "ended@700")
    }

    @Test func aChannelOfAnotherDepthDoesNotHoldTheAlert() throws {
        let shallow: Labels = ["__name__": "soil", "site": "a", "depth": "10cm"]
        let deep: Labels = ["__name__": "soil", "site": "a", "depth": "40cm"]
        let channels = [shallow, deep].map { WatchedChannel(series: $0, schedule: .periodic(10 * .minute)) }
        let harness = try EngineHarness(Self.rule("expr: soil < 5"), channels: channels)
        try harness.feed([(shallow, Sample(time: .minutes(0), value: 3)), (deep, Sample(time: .minutes(0), value: 9))])
        var lines: [String] = []
        for minute in stride(from: Int64(10), through: 60, by: 10) {
            lines.append(try harness.feed(shallow, minute, 3).line)
        }
        #expect(lines.joined().isEmpty)
        #expect(harness.snapshot().map(\.state) == [.firing])
    }

    @Test func oneSitesClockDisturbsNoOther() throws {
        let harness = try EngineHarness(Self.rule("expr: water_level_meters > 10\nfor: 3m"))
        let other = Self.level.with("site", "b")
        try harness.feed(Self.level, 0, 11)
        try harness.feed(other, 1000, 11)
        #expect(harness.engine.clock(ofSite: "a") == .minutes(0))
        #expect(harness.snapshot().map(\.state) == [.pending, .pending])
        #expect(try harness.feed(Self.level, 3, 11).line == "raised@3")
        #expect(harness.engine.counters.lateSamples == 0)
    }

    @Test func aLateReadingIsCountedAndEvaluatedAtItsTime() throws {
        let harness = try EngineHarness(Self.rule("expr: max_over_time(water_level_meters[10m]) > 10"))
        try harness.feed(Self.level, 20, 3)
        let raise = try harness.feed(Self.level, 15, 11)
        #expect(raise.line == "raised@15")
        #expect(harness.engine.counters.lateSamples == 1)
        #expect(try harness.advance(40).line == "ended@25")
    }

    @Test func aThresholdThatCeasesEndsItsLevel() throws {
        let threshold = Threshold(
            hazard: .flood,
            level: .blue,
            name: "",
            value: 10,
            unit: .meters,
            validFrom: .minutes(0),
            validTo: .minutes(30),
            authority: "",
            source: "",
            confidence: "test"
        )
        let rules = Self.rule(
            """
            expr: water_level_meters >= on(site) group_left() site_threshold_meters{hazard="flood",level="$level"}
            clear: water_level_meters < on(site) group_left() site_threshold_meters{hazard="flood",level="$level"}
            threshold: site_threshold_meters{hazard="flood",level="$level"}
            levels: [blue, red]
            """
        )
        let harness = try EngineHarness(rules, thresholds: [("a", threshold)])
        let raise = try harness.feed(Self.level, 28, 11)
        #expect(raise.line == "raised@28")
        #expect(raise.first?.threshold == 10)
        #expect(raise.first?.labels == Labels(["site": "a", "level": "blue"]))
        #expect(raise.first?.rule == "rules/g/A/blue")
        #expect(try harness.advance(60).line == "ended@30(threshold_withdrawn)")
    }

    @Test func aTextWhoseNumberNobodyKnowsIsNotSaid() throws {
        let rules = Self.rule(
            """
            expr: water_level_meters > 10
            threshold: limit{site="a"}
            annotations: { summary_en: "{{ $value }} m over {{ $threshold }} m", description_en: "above" }
            """
        )
        let harness = try EngineHarness(rules)
        let unknown = try harness.feed(Self.level, 0, 11)
        #expect(unknown.first?.threshold == nil)
        #expect(unknown.first?.annotations == ["description_en": "above"])
        #expect(try harness.feed(Self.level, 1, 9).line == "ended@1")
        try harness.feed(["__name__": "limit", "site": "a"], 2, 10, quality: .suspect)
        let known = try harness.feed(Self.level, 2, 11)
        #expect(known.first?.threshold == 10, "seen as the expression sees it")
        #expect(known.first?.annotations["summary_en"] == "11 m over 10 m")
    }

    @Test func outsideOfItsSeasonARuleSaysNothing() throws {
        let rules = """
            groups:
              - name: g
                rules:
                  - alert: Cold
                    expr: avg_over_time(water_level_meters[1d]) < 10
                    clear: avg_over_time(water_level_meters[1d]) > 12
                    day_boundary: "00:00"
                    season: { from: 09-01, to: 09-03 }
            """
        let harness = try EngineHarness(rules)
        // 1970-08-31 23:00 +08:00.
        let start =
            CivilTime(year: 1970, month: 8, day: 31, hour: 23).timestamp(offsetMinutes: 480).milliseconds / .minute
        #expect(try harness.feed(Self.level, start, 5).isEmpty)
        // The day before is over, and nothing of the new one is known.
        #expect(try harness.feed(Self.level, start + 60, 5).line == "raised@\(start + 60)")
        #expect(try harness.feed(Self.level, start + 600, 9).isEmpty)
        #expect(try harness.feed(Self.level, start + 2 * 1440, 9).isEmpty)
        let end = start + 60 + 2 * 1440
        #expect(try harness.feed(Self.level, end + 5, 9).line == "ended@\(end)(season_over)")
        #expect(try harness.feed(Self.level, end + 1440, 1).isEmpty)
    }

    /// Samples that came with batches are carried on without reading the store; an import comes without samples.
    @Test func whatAnImportBroughtIsSeen() throws {
        let thresholds = Self.thresholds(above: 5, hazard: "rise")
        let rules = Self.rule(
            """
            expr: >-
              (water_level_meters - min_over_time(water_level_meters[30m]))
              >= on(site) group_left() site_threshold_meters{hazard="rise",level="$level"}
            levels: [blue, red]
            """
        )
        let harness = try EngineHarness(rules, thresholds: thresholds)
        for minute in 0..<10 { #expect(try harness.feed(Self.level, Int64(100 + minute), 11).isEmpty) }
        harness.store.insert(Self.level, Sample(time: .minutes(95), value: 4))
        #expect(try harness.feed([]).isEmpty)
        #expect(try harness.feed(Self.level, 110, 11).line == "raised@110")
    }

    @Test func aSecondSeriesOfASiteIsSeenAtOnce() throws {
        let thresholds = Self.thresholds(above: 20, hazard: "flood")
        let rules = Self.rule(
            """
            expr: water_level_meters >= on(site) group_left() site_threshold_meters{hazard="flood",level="$level"}
            levels: [blue, red]
            """
        )
        let harness = try EngineHarness(rules, thresholds: thresholds)
        for minute in 0..<10 { #expect(try harness.feed(Self.level, Int64(100 + minute), 11).isEmpty) }
        #expect(try harness.feed(Self.level.with("position", "bridge"), 110, 21).line == "raised@110")
    }

    @Test func aValueThatIsReplacedByAFailedOneEndsNothingAndCountsNoMore() throws {
        let thresholds = Self.thresholds(above: 5, hazard: "rise")
        let rules = Self.rule(
            """
            expr: >-
              (water_level_meters - min_over_time(water_level_meters[30m]))
              >= on(site) group_left() site_threshold_meters{hazard="rise",level="$level"}
            levels: [blue, red]
            """
        )
        let harness = try EngineHarness(rules, thresholds: thresholds)
        for minute in 0..<10 { #expect(try harness.feed(Self.level, Int64(100 + minute), 11).isEmpty) }
        #expect(try harness.feed(Self.level, 105, 12).isEmpty)
        #expect(try harness.feed(Self.level, 110, 16.5).line == "raised@110")
        let other = try EngineHarness(rules, thresholds: thresholds)
        for minute in 0..<10 { #expect(try other.feed(Self.level, Int64(100 + minute), minute < 9 ? 11 : 4).isEmpty) }
        #expect(try other.feed(Self.level, 109, 3, quality: .fail).isEmpty)
        #expect(try other.feed(Self.level, 110, 11).isEmpty)
    }

    private static func thresholds(above value: Double, hazard: String) -> [(site: String, threshold: Threshold)] {
        let threshold = Threshold(
            hazard: Hazard(rawValue: hazard),
            level: .blue,
            name: "",
            value: value,
            unit: .meters,
            validFrom: .minutes(0),
            validTo: nil,
            authority: "",
            source: "",
            confidence: "test"
        )
        return [("a", threshold)]
    }

    @Test func aThresholdThatBeginsLaterIsNotMissed() throws {
        let threshold = Threshold(
            hazard: .flood,
            level: .blue,
            name: "",
            value: 10,
            unit: .meters,
            validFrom: .minutes(3000),
            validTo: nil,
            authority: "",
            source: "",
            confidence: "test"
        )
        let harness = try EngineHarness(
            Self.rule("expr: water_level_meters >= on(site) group_left() site_threshold_meters{level=\"blue\"}"),
            thresholds: [("a", threshold)]
        )
        for minute: Int64 in [0, 1000, 2000, 2990] { #expect(try harness.feed(Self.level, minute, 11).isEmpty) }
        #expect(try harness.feed(Self.level, 3000, 11).line == "raised@3000")
    }

    @Test func rulesAcrossSitesRunAtTheNewestClock() throws {
        let harness = try EngineHarness(Self.rule("expr: sum(water_level_meters) > 15"))
        let other = Self.level.with("site", "b")
        #expect(try harness.feed(Self.level, 0, 10).isEmpty)
        #expect(try harness.feed(other, 1, 10).line == "raised@1")
        #expect(try harness.feed(Self.level, 8, 10).line == "ended@5")
    }

    @Test func anErrorIsConfinedToItsSiteAndSaidOnce() throws {
        let harness = try EngineHarness(
            Self.rule("expr: water_level_meters > on(site) limit_meters")
        )
        let other = Self.level.with("site", "b")
        for labels in [Self.level, other] {
            let limit: Labels = ["__name__": "limit_meters", "site": labels.site]
            try harness.feed([(limit, Sample(time: .minutes(0), value: 10))])
            #expect(try harness.feed(labels, 0, 11).line == "raised@0")
        }
        let second: Labels = ["__name__": "limit_meters", "site": "a", "source": "new"]
        let transitions = try harness.feed([(second, Sample(time: .minutes(1), value: 10))])
        #expect(transitions.map(\.change) == [.held, .raised])
        #expect(transitions.map(\.hazard.rawValue) == ["", "system"])
        #expect(try harness.feed(Self.level, 2, 12).isEmpty)
        #expect(try harness.feed(other, 2, 9).line == "ended@2")
        #expect(harness.engine.failures().map(\.site) == ["a"])
        #expect(harness.snapshot().map(\.state) == [.held])
        // The second limit has left its look-back at 6; only one is left, and the alert goes on.
        let limit: Labels = ["__name__": "limit_meters", "site": "a"]
        let back = try harness.feed([
            (limit, Sample(time: .minutes(4), value: 10)), (Self.level, Sample(time: .minutes(6), value: 12)),
        ])
        let systemLine = back.filter { $0.hazard == .system }.line
        #expect(systemLine.hasPrefix("ended@6(found duplicate series for the match group {site=\"a\"}"))
        #expect(back.filter { $0.hazard != .system }.line == "resumed@6")
        #expect(harness.engine.failures().isEmpty)
    }

    /// Two gauges of one site, of which one has two limits for a while.
    @Test func anErrorIsConfinedToItsMatchGroup() throws {
        let harness = try EngineHarness(Self.rule("expr: water_level_meters > on(site, position) limit_meters"))
        let (up, down) = (Self.level.with("position", "up"), Self.level.with("position", "down"))
        func limit(_ gauge: Labels, _ source: String = "") -> Labels {
            gauge.with(Labels.metricName, "limit_meters").with("source", source)
        }
        for minute in [0, 1] as [Int64] {
            for gauge in [up, down] { try harness.feed(limit(gauge), minute, 10) }
        }
        #expect(try harness.feed(up, 1, 11).line == "raised@1")
        #expect(try harness.feed(down, 1, 9).isEmpty)
        let broken = try harness.feed(limit(up, "new"), 2, 10)
        #expect(broken.map(\.change) == [.held, .raised])
        #expect(broken.first?.labels == ["site": "a", "position": "up"])
        #expect(broken.last?.hazard == .system)
        // The other gauge is judged as ever, and the one that is ambiguous neither ends nor is said again.
        #expect(try harness.feed(down, 3, 12).line == "raised@3")
        #expect(try harness.feed(up, 3, 5).isEmpty)
        #expect(try harness.feed(down, 4, 9).line == "ended@4")
        #expect(harness.engine.failures().count == 1)
        #expect(harness.snapshot().map(\.state) == [.held])
        for gauge in [up, down] { try harness.feed(limit(gauge), 5, 10) }
        // The second limit leaves its look-back at 7; the level is 5 since 3.
        let back = try harness.feed([(up, Sample(time: .minutes(8), value: 12))])
        #expect(back.filter { $0.hazard == .system }.map(\.change) == [.ended])
        #expect(back.filter { $0.hazard != .system }.line == "resumed@7 ended@7 raised@8")
        #expect(harness.engine.failures().isEmpty)
    }

    /// Of a site whose `clear` is ambiguous nobody knows whether its alert is over; it goes on firing where `expr` holds.
    @Test func anAmbiguousClearEndsNothing() throws {
        let harness = try EngineHarness(
            Self.rule("expr: water_level_meters > 10\nclear: water_level_meters < on(site, position) limit_meters")
        )
        let (up, down) = (Self.level.with("position", "up"), Self.level.with("position", "down"))
        for gauge in [up, down] {
            try harness.feed(gauge.with(Labels.metricName, "limit_meters"), 0, 9)
            #expect(try harness.feed(gauge, 0, 11).line == "raised@0")
        }
        try harness.feed(up.with(Labels.metricName, "limit_meters").with("source", "new"), 0, 9)
        let low = try harness.feed(up, 1, 8)
        #expect(low.filter { $0.hazard != .system }.map(\.change) == [.held])
        #expect(try harness.feed(down, 2, 8).line == "ended@2")
    }

    /// A rule across sites, matched on what is no site.
    @Test func aRuleAcrossSitesFailsForOneBasinOnly() throws {
        let harness = try EngineHarness(
            Self.rule("expr: sum by (river) (water_level_meters) > on(river) limit_meters")
        )
        func level(_ site: String, _ river: String) -> Labels { Self.level.with("site", site).with("river", river) }
        for river in ["gan", "fu"] {
            try harness.feed(["__name__": "limit_meters", "river": river], 0, 10)
        }
        #expect(try harness.feed(level("a", "gan"), 0, 11).line == "raised@0")
        #expect(try harness.feed(level("b", "fu"), 0, 11).line == "raised@0")
        let broken = try harness.feed(["__name__": "limit_meters", "river": "gan", "source": "new"], 0, 10)
        #expect(broken.filter { $0.hazard != .system }.map(\.labels) == [["river": "gan"]])
        #expect(try harness.feed(level("b", "fu"), 1, 9).line == "ended@1")
    }

    @Test func maybeHoldsAndIsShownAsUnknown() throws {
        let harness = try EngineHarness(
            Self.rule("expr: water_level_meters > 10\nmaybe: water_level_meters > 8")
        )
        #expect(try harness.feed(Self.level, 0, 9).isEmpty)
        #expect(harness.snapshot().map(\.state) == [.unknown])
        #expect(try harness.feed(Self.level, 1, 11).line == "raised@1")
        #expect(try harness.feed(Self.level, 2, 9).line == "held@2(maybe)")
        #expect(try harness.feed(Self.level, 3, 7).line == "resumed@3 ended@3")
    }

    @Test func virtualLabelsAreNoPartOfTheIdentity() throws {
        let harness = try EngineHarness(Self.rule("expr: water_level_meters > 10\nlabels: { severity: page }"))
        let shown = Self.level.with("org", "bureau").with("kind", "lake")
        let raise = try harness.feed(shown, 0, 11)
        #expect(raise.first?.labels == ["site": "a", "severity": "page"])
    }

    /// Of all sites, at the clock of the rule's own; what comes later is in what is shown later.
    @Test func anAnnotationAsksTheStore() throws {
        let annotation =
            #"{{ $labels.__name__ }} of {{ with query "sum(water_level_meters)" }}{{ . | first | value }}{{ end }}"#
        let harness = try EngineHarness(
            Self.rule("expr: water_level_meters > 10\nannotations: { all: '\(annotation)' }")
        )
        let other: Labels = ["__name__": "water_level_meters", "site": "b"]
        try harness.feed(other, 0, 5)
        try harness.feed(other, 3, 7)
        let raise = try harness.feed(Self.level, 2, 11)
        #expect(raise.first?.annotations == ["all": "water_level_meters of 16"])
        try harness.feed(Self.level, 3, 12)
        #expect(harness.snapshot().map(\.annotations) == [["all": "water_level_meters of 19"]])
    }

    @Test func aJumpOverYearsStaysBounded() throws {
        let harness = try EngineHarness(Self.rule("expr: hour() == 8 and on() water_level_meters > 100"))
        try harness.feed(Self.level, 0, 11)
        try harness.advance(0)
        let before = harness.engine.counters.evaluations
        try harness.advance(5 * 365 * 24 * 60)
        #expect(harness.engine.counters.evaluations - before < 4000)
    }

    @Test func timeAloneFiresAtMultiplesOfTheInterval() throws {
        let rules = """
            groups:
              - name: g
                interval: 5m
                rules:
                  - alert: Old
                    expr: last_over_time(water_level_meters[1d]) > 10 and on() (vector(time()) > 720)
            """
        let harness = try EngineHarness(rules)
        try harness.feed(Self.level, 1, 11)
        #expect(try harness.advance(60).line == "raised@15")
    }
}
