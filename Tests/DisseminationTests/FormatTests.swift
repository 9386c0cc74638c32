// poyang
// SPDX-License-Identifier: Apache-2.0

import Dissemination
import Foundation
import Telemetry
import Testing

struct MessageTextsTests {
    private func headline(_ transition: AlertTransition, exercise: Bool = false) throws -> LocalizedName {
        var book = Field.book(exercise: exercise)
        return try #require(book.apply(transition).first?.message).headline
    }

    @Test func namesPlaceHazardColourAndFact() throws {
        let headline = try self.headline(Field.stage(.raised, .blue, 19.07, over: 19), exercise: true)
        #expect(headline.zh == "[演练] 星子站洪水蓝色预警：水位 19.07 m，超警戒 0.07 m")
        #expect(
            headline.en
                == "[Exercise] Xingzi: Flood warning, blue: water level 19.07 m, 0.07 m above the warning stage 19.00 m"
        )
    }

    @Test func statesTheFactWithoutAColourAtLevelNotice() throws {
        let headline = try self.headline(Field.stage(.raised, .notice, 19.07, over: 19))
        #expect(headline.zh == "星子站洪水提示：水位 19.07 m，超警戒 0.07 m")
        #expect(!WarningLevel.allCases.dropFirst().contains { headline.zh.contains($0.chinese) })
    }

    @Test func speaksOfFallingValuesTheOtherWay() throws {
        let headline = try self.headline(Field.stage(.raised, .blue, 7.99, over: 8, hazard: .lowWater))
        #expect(headline.zh == "星子站枯水蓝色预警：水位 7.99 m，低于阈值（8.00 m）0.01 m")
    }

    @Test func saysWhatRoseAndFell() throws {
        var book = Field.book()
        _ = book.apply(Field.stage(.raised, .blue, 19.07, over: 19))
        let raised = book.apply(Field.stage(.raised, .red, 22.64, over: 22.63, at: 5))
        #expect(raised[0].message?.headline.zh == "星子站洪水红色预警（由蓝色升级）：水位 22.64 m，超历史最高 0.01 m")
        let lowered = book.apply(Field.stage(.ended, .red, 22.5, over: 22.63, at: 10))
        #expect(lowered[0].message?.headline.zh == "星子站洪水蓝色预警（由红色降级）：水位 22.50 m，超警戒 3.50 m")
        let ended = book.apply(Field.stage(.ended, .blue, 18.867, over: 19, at: 15))
        #expect(ended[0].message?.headline.zh == "星子站洪水蓝色预警解除：水位 18.867 m，低于警戒（19.00 m）0.133 m")
        #expect(ended[0].message?.headline.en.contains("ended: water level 18.867 m") == true)
    }

    @Test func tellsEvidenceAuthorityAndDatum() throws {
        var book = Field.book()
        let steps = book.apply(Field.stage(.raised, .blue, 19.07, over: 19, evidence: [.interpolated, .suspect]))
        let details = try #require(steps[0].message?.details)
        #expect(details.zh.contains("依据插补值"))
        #expect(details.zh.contains("未核实"))
        #expect(details.zh.contains("警戒 19.00 m，依据：江西省水文监测中心。"))
        #expect(details.zh.contains("水位基准：吴淞。"))
        #expect(details.en.contains("unconfirmed"))
    }

    @Test func saysThatAThresholdWasWithdrawn() throws {
        var book = Field.book()
        _ = book.apply(Field.stage(.raised, .blue, 19.07, over: 19))
        let steps = book.apply(Field.stage(.ended, .blue, nil, at: 5, reason: "threshold_withdrawn"))
        #expect(steps[0].message?.headline.zh == "星子站洪水蓝色预警解除：阈值已失效")
        #expect(steps[0].message?.responseType == "Monitor")
    }

    /// Without the rule nobody looks any more: that is no all-clear.
    @Test func saysThatARuleWasWithdrawn() throws {
        var book = Field.book()
        _ = book.apply(Field.stage(.raised, .blue, 19.07, over: 19))
        let steps = book.apply(Field.stage(.ended, .blue, 19.07, over: 19, at: 5, reason: "rule_removed"))
        let message = try #require(steps[0].message)
        #expect(message.headline.zh == "星子站洪水蓝色预警解除：规则已撤销，危险是否消除未知")
        #expect(message.headline.en.hasSuffix("ended: its rule was withdrawn; whether the danger is over is not known"))
        #expect(message.responseType == "Monitor")
        #expect(message.urgency == "Unknown")
        #expect(message.instruction.en == "Verify on site, and keep following further messages.")
        let xml = try message.capXML()
        #expect(!xml.contains("AllClear"))
        #expect(xml.contains("<value>rule_removed</value>"))
    }

    /// The value is hours, the threshold metres: they do not stand in one sentence, and the end has no value.
    @Test func saysOfWhatWillBeWhatTheRuleSays() throws {
        let texts = ["summary_zh": "约 5.7 小时后达到 19.00 m", "summary_en": "it reaches 19.00 m in about 5.7 h"]
        func projection(_ change: AlertTransition.Change, _ value: Double, _ minutes: Int64) -> AlertTransition {
            Field.stage(
                change,
                .notice,
                value,
                over: 19,
                at: minutes,
                hazard: .floodProjection,
                annotations: texts
            )
        }
        var book = Field.book()
        let issued = try #require(book.apply(projection(.raised, 5.7, 0)).first?.message)
        #expect(issued.headline.zh == "星子站水位趋势提示：约 5.7 小时后达到 19.00 m")
        #expect(!issued.details.zh.contains("阈值"))
        #expect((issued.value, issued.unit) == (5.7, "h"))
        let ended = try #require(book.apply(projection(.ended, 18.3, 5)).first?.message)
        #expect(ended.headline.zh == "星子站水位趋势提示解除")
        #expect(ended.value == nil)
    }

    @Test func letsHazardsOfSomebodysOwnRulesSpeakThroughTheirSummary() throws {
        let headline = try self.headline(
            Field.stage(
                .raised,
                .yellow,
                3,
                hazard: Hazard(rawValue: "gate"),
                annotations: ["summary_zh": "闸门开度 3 孔", "summary_en": "three gates open"]
            )
        )
        #expect(headline.zh == "星子站gate黄色预警：闸门开度 3 孔")
        #expect(headline.en == "Xingzi: gate warning, yellow: three gates open")
    }
}

struct FormatTests {
    private func messages() throws -> [WarningMessage] {
        var book = Field.book(exercise: true)
        let steps =
            book.apply(Field.stage(.raised, .blue, 19.07, over: 19))
            + book.apply(Field.stage(.raised, .orange, 22.6, over: 22.5, at: 5))
            + book.apply(
                Field.stage(.ended, .blue, 18, over: 19, at: 10),
                Field.stage(.ended, .orange, 18, over: 22.5, at: 10)
            )
        return steps.compactMap(\.message)
    }

    private func object(_ text: String) throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test func writesTheLineOfTheDemo() throws {
        let line = try #require(try self.messages().first).jsonLine()
        #expect(
            line == """
                {"number":"E2022-0001","identifier":"poyang-E2022-0001-1","msgType":"Alert","action":"issued",\
                "status":"Exercise","hazard":"flood","level":"blue","previous_level":null,"site":"xingzi",\
                "event_time":"2022-06-21T16:00:00+08:00","sent":"2022-06-21T16:00:00+08:00","value":19.07,\
                "threshold":19,"headline":"[演练] 星子站洪水蓝色预警：水位 19.07 m，超警戒 0.07 m"}
                """
        )
        #expect(try self.object(line).count == 14)
    }

    @Test func keepsTheShapeOfTheWeatherService() throws {
        let chain = FeedMessage.chain(try self.messages())
        #expect(chain.map { $0.replacedBy?.identifier } == ["poyang-E2022-0001-2", "poyang-E2022-0001-3", nil])
        let text = try GeoJSON.collection(
            chain,
            title: "t",
            updated: Field.start,
            next: "/alerts/active?cursor=x",
            base: "http://127.0.0.1:1"
        )
        let collection = try self.object(text)
        #expect(collection["type"] as? String == "FeatureCollection")
        #expect((collection["pagination"] as? [String: String])?["next"] == "/alerts/active?cursor=x")
        let features = try #require(collection["features"] as? [[String: Any]])
        #expect(features.count == 3)
        let properties = try #require(features[1]["properties"] as? [String: Any])
        let expected = [
            "@id", "@type", "id", "areaDesc", "geocode", "affectedZones", "references", "sent", "effective", "onset",
            "expires", "status", "messageType", "category", "severity", "certainty", "urgency", "event", "sender",
            "senderName", "headline", "description", "instruction", "response", "parameters", "scope", "language",
            "eventCode", "replacedBy", "replacedAt", "number", "action", "hazard", "level", "previousLevel", "site",
            "org", "eventTime", "value", "threshold", "unit", "evidence", "held",
        ]
        for name in expected { #expect(properties[name] != nil, "\(name)") }
        #expect(properties["severity"] as? String == "Severe")
        #expect(properties["replacedBy"] as? String == "http://127.0.0.1:1/alerts/poyang-E2022-0001-3")
        let references = try #require(properties["references"] as? [[String: String]])
        #expect(references.map { $0["identifier"] } == ["poyang-E2022-0001-1"])
        let geometry = try #require(features[0]["geometry"] as? [String: Any])
        #expect(geometry["coordinates"] as? [Double] == [116.05, 29.45])
    }

    @Test func saysNullForAPlaceThatIsNotKnown() throws {
        var book = Field.book()
        let steps = book.apply(Field.stage(.raised, .blue, 1, over: 0.9, site: Field.gauge.id))
        let feature = try self.object(try GeoJSON.feature(FeedMessage(try #require(steps[0].message))))
        #expect(feature["geometry"] is NSNull)
    }

    @Test func framesAnEventOnThreeLines() throws {
        let message = try #require(try self.messages().last)
        let frame = try ServerSentEvent.frame(sequence: 42, entry: FeedMessage(message))
        let lines = frame.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 5)
        #expect(lines[0] == "id: 42")
        #expect(lines[1] == "event: ended")
        #expect(lines[2].hasPrefix("data: {"))
        #expect(lines[3].isEmpty && lines[4].isEmpty)
        #expect(try self.object(String(lines[2].dropFirst(6)))["type"] as? String == "Feature")
    }

    @Test func storesAndReadsBackAMessage() throws {
        for message in try self.messages() {
            let text = try StoredJSON.encode(message)
            #expect(try StoredJSON.decode(WarningMessage.self, from: text) == message)
        }
    }

    @Test(arguments: [
        ("event", "flood", true), ("event", "洪水", true), ("event", "Rain", false), ("area", "3604", true),
        ("area", "361127", false), ("area", "庐山市", true), ("point", "29.46,116.06", true),
        ("point", "28.6,115.8", false), ("severity", "minor", true), ("severity", "extreme,severe", false),
        ("status", "Exercise", true), ("status", "actual", false), ("message_type", "alert", true),
        ("message_type", "cancel", false), ("urgency", "Immediate", true), ("certainty", "observed", true),
        ("org", "poyang-flood-office", true), ("org", "other", false), ("site", "xingzi", true),
        ("basin", "poyang", true), ("basin", "gan", false), ("hazard", "flood,rain", true), ("level", "blue", true),
        ("level", "red", false),
    ])
    func filters(name: String, value: String, isAdmitted: Bool) throws {
        let filter = try AlertFilter(parameters: [(name, value)])
        #expect(filter.admits(try #require(try self.messages().first)) == isAdmitted)
    }

    @Test func refusesAFilterWithEveryProblemNamed() {
        #expect(
            throws: AlertFilterError(problems: [
                "No parameter is named colour.", "point is latitude,longitude in degrees, as 29.45,116.05.",
                "severity cannot be grave; one of extreme, severe, moderate, minor, unknown.",
            ])
        ) {
            try AlertFilter(parameters: [("colour", "red"), ("point", "91,0"), ("severity", "grave,minor")])
        }
    }

    @Test func pagesWithoutLossOrRepetition() throws {
        let entries = try self.messages().map { FeedMessage($0) }
        var filter = try AlertFilter(parameters: [("limit", "1")])
        var seen: [String] = []
        while true {
            let (page, next) = filter.page(of: entries)
            seen += page.map(\.message.identifier)
            guard let next else { break }
            filter.cursor = next
        }
        #expect(seen == ["poyang-E2022-0001-3", "poyang-E2022-0001-2", "poyang-E2022-0001-1"])
    }
}
