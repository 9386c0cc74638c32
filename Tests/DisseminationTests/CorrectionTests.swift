// poyang
// SPDX-License-Identifier: Apache-2.0

import Dissemination
import Foundation
import Telemetry
import Testing

/// What readings that come late change of warnings, also of those that are over.
struct CorrectionTests {
    private static func time(_ minutes: Int64) -> Timestamp { Field.start + minutes * .minute }

    /// What the rules say of a firing from `since` on, at minute `at`.
    private static func verdict(
        _ change: AlertTransition.Change,
        _ level: WarningLevel = .blue,
        _ value: Double = 19.5,
        since: Int64,
        at minutes: Int64,
        amends: AlertAmendment? = nil,
        peak: (Double, Int64)? = nil
    ) -> AlertTransition {
        var transition = Field.stage(change, level, value, over: level == .blue ? 19 : 22.5, at: minutes)
        transition.activeSince = self.time(since)
        transition.amends = amends
        transition.peak = peak.map { AlertPeak(value: $0.0, at: self.time($0.1)) }
        return transition
    }

    private static func retraction(_ level: WarningLevel = .blue, since: Int64, at minutes: Int64) -> AlertTransition {
        self.verdict(.retracted, level, since: since, at: minutes, amends: AlertAmendment(firedAt: self.time(since)))
    }

    private static func otherPeak(
        _ level: WarningLevel = .blue,
        since: Int64,
        until: Int64?,
        at minutes: Int64,
        _ peak: (Double, Int64),
        not before: (Double, Int64)
    ) -> AlertTransition {
        let said = AlertPeak(value: before.0, at: self.time(before.1))
        let amends = AlertAmendment(peak: said, until: until.map(self.time))
        return self.verdict(.amended, level, since: since, at: minutes, amends: amends, peak: peak)
    }

    /// A blue warning from minute 5 to minute 10.
    private static func past() -> (book: WarningBook, steps: [WarningStep]) {
        var book = Field.book()
        let steps =
            book.apply(self.verdict(.raised, since: 5, at: 5))
            + book.apply(self.verdict(.ended, .blue, 18, since: 5, at: 10))
        return (book, steps)
    }

    @Test func aWarningThatWasOverAndNeverWasIsWithdrawn() throws {
        let past = Self.past()
        var book = past.book
        let told = book.apply(Self.retraction(since: 5, at: 12))
        #expect(told.count == 1)
        let message = try #require(told[0].message)
        #expect(message.action == .cancelled)
        #expect(message.messageType == "Cancel")
        #expect(message.number == "2022-0001")
        #expect(message.references == past.steps.compactMap(\.message?.reference))
        #expect(message.value == nil)
        #expect(message.headline.zh == "星子站洪水蓝色预警撤销：迟到的数据表明未达到阈值")
        #expect(message.details.en.hasPrefix("2022-06-21 16:12, Xingzi: late readings show that it never held."))
        #expect(told[0].ledger.map(\.kind) == ["cancelled"])
        #expect(!told[0].warning.isActive)
        #expect(try message.capXML().contains("<msgType>Cancel</msgType>"))
        // It is withdrawn once.
        #expect(book.apply(Self.retraction(since: 5, at: 13)).isEmpty)
    }

    @Test func ofAWarningThatIsOverAnotherPeakIsTold() throws {
        var book = Self.past().book
        let told = book.apply(Self.otherPeak(since: 5, until: 10, at: 12, (19.42, 7), not: (19.2, 6)))
        let message = try #require(told.first?.message)
        #expect(message.action == .amended)
        #expect(message.messageType == "Update")
        #expect(message.headline.zh == "星子站洪水蓝色预警更正：峰值 19.42 m（2022-06-21 16:07），非 19.20 m")
        #expect(message.headline.en.hasSuffix("corrected: peak 19.42 m at 2022-06-21 16:07, not 19.20 m"))
        #expect(message.value == nil)
        // It is over still, and was when it was.
        #expect(message.urgency == "Past")
        #expect(message.responseType == "AllClear")
        #expect(message.endedAt == Self.time(10))
        #expect(told.map(\.warning.isActive) == [false])
        #expect(told.map(\.warning.updatedAt) == [Self.time(10)])
        #expect(told[0].ledger.map(\.kind) == ["amended"])
        #expect(book.active.isEmpty)
    }

    @Test func ofAWarningThatIsOverAnotherTimeIsTold() throws {
        var book = Self.past().book
        let amends = AlertAmendment(firedAt: Self.time(5), endedAt: Self.time(10), until: Self.time(8))
        let told = book.apply(Self.verdict(.amended, since: 3, at: 12, amends: amends))
        let headline = told.first?.message?.headline.zh ?? ""
        #expect(headline.hasSuffix("更正：始于 2022-06-21 16:03，非 2022-06-21 16:05；止于 2022-06-21 16:08，非 2022-06-21 16:10"))
        #expect(told.map(\.warning.issuedAt) == [Self.time(3)])
        #expect(told.map(\.warning.updatedAt) == [Self.time(8)])
        // What was put right is known by what it is now.
        #expect(book.apply(Self.retraction(since: 3, at: 13)).map(\.message?.action) == [.cancelled])
    }

    @Test func ofALadderThatIsOverTheLevelThatNeverWasIsTold() throws {
        var book = Field.book()
        _ = book.apply(Self.verdict(.raised, since: 5, at: 5), Self.verdict(.raised, .orange, 23, since: 5, at: 5))
        _ = book.apply(
            Self.verdict(.ended, .blue, 18, since: 5, at: 10),
            Self.verdict(.ended, .orange, 18, since: 5, at: 10)
        )
        let told = book.apply(
            Self.retraction(.orange, since: 5, at: 12),
            Self.otherPeak(since: 5, until: 10, at: 12, (20, 6), not: (23, 5))
        )
        #expect(told.map(\.message?.action) == [.amended])
        #expect(told[0].message?.headline.zh.hasSuffix("更正：峰值 20.00 m（2022-06-21 16:06），非 23.00 m；未达到橙色级别") ?? false)
        #expect(told[0].message?.headline.en.hasSuffix("; orange was not reached") ?? false)
    }

    @Test func whatIsOverIsPutRightAfterARestartToo() throws {
        let (book, steps) = Self.past()
        let stored = try steps.map { try StoredJSON.decode(Warning.self, from: StoredJSON.encode($0.warning)) }
        var restored = WarningBook(
            settings: book.settings,
            sites: Field.sites,
            restoring: [stored[stored.count - 1]],
            counters: book.counters
        )
        var whole = book
        let transition = Self.retraction(since: 5, at: 12)
        #expect(restored.apply(transition).map(\.message) == whole.apply(transition).map(\.message))
        #expect(restored.active.isEmpty)
    }

    @Test func anEarlierFiringIsPutRightAndTheLaterLasts() throws {
        var book = Self.past().book
        _ = book.apply(Self.verdict(.raised, since: 20, at: 20))
        let told = book.apply(Self.retraction(since: 5, at: 22))
        #expect(told.map(\.message?.number) == ["2022-0001"])
        #expect(told.map(\.message?.action) == [.cancelled])
        #expect(book.active.map(\.number) == ["2022-0002"])
        #expect(book.apply(Self.retraction(since: 20, at: 23)).map(\.message?.number) == ["2022-0002"])
    }

    @Test func aLevelThatWasOverIsPutRightInTheWarningThatLasts() throws {
        var book = Field.book()
        _ = book.apply(Self.verdict(.raised, since: 5, at: 5), Self.verdict(.raised, .orange, 23, since: 5, at: 5))
        _ = book.apply(Self.verdict(.ended, .orange, 20, since: 5, at: 10))
        let told = book.apply(Self.retraction(.orange, since: 5, at: 12))
        #expect(told.map(\.message?.action) == [.amended])
        #expect(told[0].message?.headline.zh == "星子站洪水蓝色预警更正：未达到橙色级别")
        #expect(told[0].message?.endedAt == nil)
        #expect(book.active.map(\.level) == [.blue])
    }

    @Test func whatNobodyWouldSeeIsNoMessage() throws {
        var book = Self.past().book
        let told = book.apply(Self.otherPeak(since: 5, until: 10, at: 12, (19.20001, 7), not: (19.2, 7)))
        #expect(told.map(\.message) == [nil])
        #expect(told.flatMap(\.ledger).map(\.kind) == ["changed"])
    }

    @Test func whatIsOlderThanAnyReadingMayBeIsForgotten() throws {
        var book = Self.past().book
        let day: Int64 = 24 * 60
        _ = book.apply(Self.verdict(.raised, since: 30 + day, at: 30 + day))
        _ = book.apply(Self.verdict(.ended, .blue, 18, since: 30 + day, at: 40 + day))
        #expect(book.apply(Self.retraction(since: 5, at: 41 + day)).isEmpty)
    }

    /// A blue warning from minute 5 to minute 10, and one from there on, since the firing went on after all.
    private static func goneOn() -> WarningBook {
        var book = Self.past().book
        let amends = AlertAmendment(endedAt: Self.time(10))
        let told = book.apply(Self.verdict(.raised, since: 5, at: 10, amends: amends))
        #expect(told.map(\.message?.action) == [.issued])
        #expect(book.active.map(\.number) == ["2022-0002"])
        return book
    }

    @Test func whatWentOnAfterAllAndNeverWasIsWithdrawnUnderBothNumbers() throws {
        var book = Self.goneOn()
        let told = book.apply(Self.retraction(since: 5, at: 12))
        #expect(told.map(\.message?.number) == ["2022-0001", "2022-0002"])
        #expect(told.map(\.message?.action) == [.cancelled, .cancelled])
        #expect(book.active.isEmpty)
        #expect(book.apply(Self.retraction(since: 5, at: 13)).isEmpty)
    }

    @Test func whatWentOnAfterAllIsPutRightUnderBothNumbersOnceItIsOver() throws {
        var book = Self.goneOn()
        _ = book.apply(Self.verdict(.ended, .blue, 18, since: 5, at: 20))
        let earlier = AlertAmendment(
            firedAt: Self.time(5),
            peak: AlertPeak(value: 20, at: Self.time(15)),
            until: Self.time(20)
        )
        let told = book.apply(Self.verdict(.amended, since: 3, at: 22, amends: earlier, peak: (21, 16)))
        #expect(told.map(\.message?.number).sorted { $0 ?? "" < $1 ?? "" } == ["2022-0001", "2022-0002"])
        let first = told.first { $0.warning.number == "2022-0001" }
        // The peak was after its end, which stays.
        #expect(first?.message?.headline.zh.hasSuffix("更正：始于 2022-06-21 16:03，非 2022-06-21 16:05") ?? false)
        #expect(first?.warning.updatedAt == Self.time(10))
        // Now it begins after the end of the first, which never was.
        let late = AlertAmendment(firedAt: Self.time(3), until: Self.time(20))
        let again = book.apply(Self.verdict(.amended, since: 12, at: 23, amends: late))
        #expect(again.first { $0.warning.number == "2022-0001" }?.message?.action == .cancelled)
        #expect(again.first { $0.warning.number == "2022-0002" }?.message?.action == .amended)
        #expect(book.apply(Self.retraction(since: 12, at: 24)).map(\.message?.number) == ["2022-0002"])
    }

    @Test func aLevelThatWentOnAfterAllIsNoLongerOver() throws {
        var book = Field.book()
        _ = book.apply(Self.verdict(.raised, since: 5, at: 5), Self.verdict(.raised, .orange, 23, since: 5, at: 5))
        _ = book.apply(Self.verdict(.ended, .orange, 20, since: 5, at: 10))
        let amends = AlertAmendment(endedAt: Self.time(10))
        #expect(
            book.apply(Self.verdict(.raised, .orange, 23, since: 5, at: 10, amends: amends)).map(\.message?.action)
                == [.raised]
        )
        let told = book.apply(Self.retraction(.orange, since: 5, at: 12), Self.retraction(since: 5, at: 12))
        #expect(told.map(\.message?.action) == [.cancelled])
        #expect(book.active.isEmpty)
    }

    /// Two firings were one: of the second it is said that it never was, but the warning lasts.
    @Test func aGapThatNeverWasWithdrawsNoWarning() throws {
        var book = Self.past().book
        _ = book.apply(Self.verdict(.raised, since: 20, at: 20))
        let told = book.apply(
            [
                Self.verdict(.raised, since: 5, at: 10, amends: AlertAmendment(endedAt: Self.time(10))),
                Self.retraction(since: 20, at: 22),
            ],
            context: Field.context(22)
        )
        #expect(told.map(\.message) == [nil])
        #expect(book.active.map(\.number) == ["2022-0002"])
        #expect(book.active.first?.causes.map(\.since) == [Self.time(5)])
        #expect(book.apply(Self.verdict(.ended, .blue, 18, since: 5, at: 30)).map(\.message?.action) == [.ended])
    }

    @Test func whatSomebodyWithdrewIsDoneWith() throws {
        var book = Field.book()
        _ = book.apply(Self.verdict(.raised, since: 5, at: 5))
        _ = try book.cancel(number: "2022-0001", who: "x", reason: "test", context: Field.context(7))
        #expect(book.apply(Self.retraction(since: 5, at: 12)).isEmpty)
    }
}
