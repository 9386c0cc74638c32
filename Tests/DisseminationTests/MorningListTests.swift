// poyang
// SPDX-License-Identifier: Apache-2.0

import Dissemination
import Telemetry
import Testing

/// Silence that nobody need be called for waits for the list of the morning.
struct MorningListTests {
    private static let morning = Timestamp(rfc3339: "2022-06-22T08:00:00+08:00") ?? .distantPast

    private func silence(
        _ change: AlertTransition.Change,
        _ device: String,
        site: String = "xingzi",
        at minutes: Int64,
        isUrgent: Bool = false
    ) -> AlertTransition {
        var labels = ["device": device, "metric": "water_level_meters"]
        if isUrgent { labels["urgent"] = "true" }
        return Field.stage(
            change,
            .notice,
            1,
            at: minutes,
            site: site,
            hazard: .silence,
            alert: isUrgent ? "ChannelSilentNearThreshold" : "ChannelSilent",
            annotations: ["summary_zh": "设备 \(device) 停止上报", "summary_en": "Device \(device) is silent"],
            labels: labels
        )
    }

    private func list(_ book: inout WarningBook, days: Int64 = 0) -> [WarningStep] {
        let moment = Self.morning + days * .day
        return book.listSilence(at: moment, context: StepContext(sentAt: moment, processedAt: moment + 300))
    }

    @Test(arguments: [
        ("2022-06-22T07:59:59.999+08:00", "2022-06-21T08:00:00+08:00"),
        ("2022-06-22T08:00:00+08:00", "2022-06-22T08:00:00+08:00"),
        ("2022-06-23T00:00:00+08:00", "2022-06-22T08:00:00+08:00"),
        ("1969-12-31T01:00:00+08:00", "1969-12-30T08:00:00+08:00"),
    ])
    func isDueOnceADay(now: String, due: String) throws {
        let now = try #require(Timestamp(rfc3339: now))
        #expect(MorningList().newest(through: now).rfc3339() == due)
        #expect(now - MorningList(minute: 0).newest(through: now) < .day)
    }

    @Test func nobodyIsCalledForSilenceAlone() {
        var book = Field.book()
        let steps = book.apply(self.silence(.raised, "a", at: 0)) + book.apply(self.silence(.ended, "a", at: 5))
        #expect(steps.allSatisfy { $0.message == nil })
        #expect(steps.map(\.warning.isActive) == [true, false])
        #expect(steps.flatMap(\.ledger).first?.what.contains("waits for the list") ?? false)
        #expect(self.list(&book).isEmpty, "what is over in the morning is not listed")
    }

    @Test func theListTellsEachOrgOfItsChannels() throws {
        var book = Field.book()
        _ = book.apply(self.silence(.raised, "b", at: 0))
        _ = book.apply(self.silence(.raised, "a", at: 1), self.silence(.raised, "a", at: 1, isUrgent: true))
        _ = book.apply(self.silence(.raised, "creek", site: "usgs-01581752", at: 2))
        let messages = self.list(&book).compactMap(\.message)
        #expect(messages.map(\.org) == ["demo-cooperative", "poyang-flood-office"])
        let message = try #require(messages.last)
        #expect(message.headline.zh == "poyang-flood-office设备失联清单：2 个通道，1 个站点")
        #expect(message.headline.en == "poyang-flood-office: silent devices, 2 channels at 1 site")
        #expect(
            message.details.zh == """
                截至 2022-06-22 08:00 没有正常上报的通道，其状态未知，不代表安全：
                1. 星子站：设备 a 停止上报（自 2022-06-21 16:01）
                2. 星子站：设备 b 停止上报（自 2022-06-21 16:00）
                """
        )
        #expect(message.details.en.hasSuffix("2. Xingzi: Device b is silent (since 2022-06-21 16:00)"))
        #expect(message.silentChannels?.map(\.device) == ["a", "b"])
        #expect(message.silentChannels?.first?.alert == "ChannelSilentNearThreshold")
        #expect(message.urgency == "Expected" && message.action == .issued && message.expires == message.sent + .day)
    }

    @Test func eachMorningHasAListOfItsOwnAndAnEmptyOneIsNotSent() {
        var book = Field.book()
        _ = book.apply(self.silence(.raised, "a", at: 0))
        let first = self.list(&book)
        let second = self.list(&book, days: 1)
        #expect((first + second).compactMap(\.message).map(\.number) == ["2022-0002", "2022-0003"])
        #expect(second.map(\.warning.isActive) == [false, true], "the list of the day before is over")
        #expect((second.last?.message?.references.isEmpty) ?? false)
        _ = book.apply(self.silence(.ended, "a", at: 60 * 40))
        let third = self.list(&book, days: 2)
        #expect(third.compactMap(\.message).isEmpty)
        #expect(third.map(\.warning.number) == ["2022-0003"])
        #expect(book.active.isEmpty)
        #expect(self.list(&book, days: 3).isEmpty)
    }

    @Test func aListOutlivesAStartAndIsNotSaidAgain() throws {
        var book = Field.book()
        var stored: [String: Warning] = [:]
        let steps = book.apply(self.silence(.raised, "a", at: 0)) + self.list(&book)
        for step in steps { stored[step.warning.number] = step.warning }
        var restored = WarningBook(
            settings: book.settings,
            sites: Field.sites,
            restoring: try stored.values.map { try StoredJSON.decode(Warning.self, from: StoredJSON.encode($0)) },
            counters: book.counters
        )
        #expect(restored.active == book.active)
        let late = Self.morning + .day - .minute
        #expect(restored.extend(expiringBefore: late + .hour, context: Field.context()).isEmpty)
        let noted = try restored.acknowledge(number: "2022-0002", who: "值班员", note: "", context: Field.context())
        #expect(noted.message?.silentChannels?.count == 1)
        #expect(self.list(&restored, days: 1).map(\.warning.number) == ["2022-0002", "2022-0003"])
    }

    @Test func silenceBesideAWarningIsCalledAtOnce() throws {
        var book = Field.book()
        _ = book.apply(Field.stage(.raised, .blue, 19.1, over: 19))
        let called = book.apply(self.silence(.raised, "a", at: 10))
        #expect(called.compactMap(\.message).map(\.action) == [.issued])
        #expect(called.first?.message?.headline.zh == "星子站设备失联提示：设备 a 停止上报")
        let more = book.apply(self.silence(.raised, "b", at: 11))
        #expect(more.compactMap(\.message).map(\.headline.zh) == ["星子站设备失联提示（新增）：设备 b 停止上报"])
        _ = book.apply(self.silence(.ended, "a", at: 12))
        #expect(book.apply(self.silence(.ended, "b", at: 13)).compactMap(\.message).map(\.action) == [.ended])
    }

    @Test func aWarningCallsForWhatHasLongBeenSilent() throws {
        var book = Field.book()
        _ = book.apply(self.silence(.raised, "a", at: 0))
        _ = book.apply(self.silence(.raised, "creek", site: "usgs-01581752", at: 0))
        let number = try #require(book.active.first?.number)
        #expect(throws: WarningBookError.waits(number: number)) {
            try book.acknowledge(number: number, who: "x", note: "", context: Field.context())
        }
        let steps = book.apply(Field.stage(.raised, .blue, 19.1, over: 19, at: 60))
        #expect(steps.compactMap(\.message).map(\.hazard) == [.flood, .silence])
        #expect(steps.last?.message?.eventTime == Field.start + 60 * .minute)
        #expect(steps.last?.message?.number == number)
        let raised = book.apply(Field.stage(.raised, .orange, 22.6, over: 22.5, at: 70))
        #expect(raised.compactMap(\.message).map(\.hazard) == [.flood], "once")
    }

    @Test func whatIsUrgentIsCalledAndWhatIsNotGoesOnWaiting() {
        var book = Field.book()
        _ = book.apply(self.silence(.raised, "battery", at: 0))
        let urgent = book.apply(self.silence(.raised, "a", at: 1), self.silence(.raised, "a", at: 1, isUrgent: true))
        #expect(urgent.compactMap(\.message).map(\.headline.zh) == ["星子站设备失联提示：设备 a 停止上报"])
        #expect(book.apply(self.silence(.raised, "signal", at: 2)).compactMap(\.message).isEmpty)
        let flood = book.apply(Field.stage(.raised, .blue, 19.1, over: 19, at: 3))
        #expect(flood.compactMap(\.message).map(\.hazard) == [.flood, .silence])
        #expect(flood.last?.warning.causes.contains(where: \.isWaiting) == false)
    }

    /// A battery that is low, a rule that fails and the season of low water call nobody out for a silent device.
    @Test(arguments: [Hazard.deviceHealth, .system, .lowWaterSeason])
    func notEveryWarningMakesSilenceUrgent(hazard: Hazard) {
        var book = Field.book()
        _ = book.apply(Field.stage(.raised, .notice, 1, hazard: hazard))
        #expect(book.apply(self.silence(.raised, "a", at: 1)).compactMap(\.message).isEmpty)
    }

    @Test func aDrillDoesNotMakeRealSilenceUrgent() {
        var book = Field.book()
        _ = book.apply(Field.stage(.raised, .blue, 19.1, over: 19, evidence: .simulated))
        #expect(book.apply(self.silence(.raised, "a", at: 1)).compactMap(\.message).isEmpty)
    }

    @Test func aLongListIsCutInItsTextAndWholeAsData() throws {
        var book = Field.book(exercise: true)
        for device in 0..<60 { _ = book.apply(self.silence(.raised, "d\(device)", at: 0)) }
        let message = try #require(self.list(&book).last?.message)
        #expect(message.headline.zh.hasPrefix("[演练] ") && message.number.hasPrefix("E2022-"))
        #expect(message.details.zh.hasSuffix("另有 10 个通道。"))
        #expect(message.silentChannels?.count == 60)
        #expect(
            try GeoJSON.feature(FeedMessage(message))
                .contains(#""silentChannels":[{"alert":"ChannelSilent","device":"d0""#)
        )
        #expect(try message.capXML().contains("<urgency>Expected</urgency>"))
    }
}
