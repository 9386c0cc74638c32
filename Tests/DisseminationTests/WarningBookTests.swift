// poyang
// SPDX-License-Identifier: Apache-2.0

import Dissemination
import Telemetry
import Testing

struct WarningBookTests {
    /// Up and down the ladder of the demo gauge: minutes, value, what the rules said.
    private func ladder() -> [[AlertTransition]] {
        let site = Field.gauge.id
        return [
            [Field.stage(.raised, .blue, 0.95, over: 0.9, at: 0, site: site)],
            [Field.stage(.raised, .yellow, 1.25, over: 1.2, at: 10, site: site)],
            [
                Field.stage(.raised, .orange, 1.9, over: 1.5, at: 15, site: site),
                Field.stage(.raised, .red, 1.9, over: 1.8, at: 15, site: site),
            ],
            [
                Field.stage(.ended, .red, 1.3, over: 1.8, at: 30, site: site),
                Field.stage(.ended, .orange, 1.3, over: 1.5, at: 30, site: site),
            ],
            [
                Field.stage(.ended, .yellow, 0.7, over: 1.2, at: 60, site: site),
                Field.stage(.ended, .blue, 0.7, over: 0.9, at: 60, site: site),
            ],
        ]
    }

    @Test func climbsAndDescendsTheLadderUnderOneNumber() throws {
        var book = Field.book()
        let steps = self.ladder()
            .flatMap { book.apply($0, context: Field.context(($0[0].eventTime - Field.start) / .minute)) }
        let messages = steps.compactMap(\.message)
        #expect(messages.map(\.action) == [.issued, .raised, .raised, .lowered, .ended])
        #expect(messages.map(\.level) == [.blue, .yellow, .red, .yellow, .yellow])
        #expect(messages.map(\.previousLevel) == [nil, .blue, .yellow, .red, .yellow])
        #expect(Set(messages.map(\.number)) == ["2022-0001"])
        #expect(messages.map(\.value) == [0.95, 1.25, 1.9, 1.3, 0.7])
        #expect(messages.map(\.threshold) == [0.9, 1.2, 1.8, 1.2, 0.9])
        #expect(messages.map(\.messageType) == ["Alert", "Update", "Update", "Update", "Update"])
        #expect(messages.last?.responseType == "AllClear")
        for (index, message) in messages.enumerated() {
            #expect(message.references == messages[..<index].map(\.reference))
        }
        #expect(Set(messages.map(\.identifier)).count == messages.count)
        for message in messages { #expect(message.identifier.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" }) }
        #expect(steps.flatMap(\.ledger).map(\.kind) == ["issued", "raised", "raised", "lowered", "ended"])
        #expect(book.active.isEmpty)
        #expect(book.counters == ["2022": 1])
    }

    @Test func givesTheSameStepsAfterARestartBetweenAnyTwo() throws {
        var whole = Field.book()
        var broken = Field.book()
        for transitions in self.ladder() {
            let context = Field.context((transitions[0].eventTime - Field.start) / .minute)
            let expected = whole.apply(transitions, context: context)
            let stored = try broken.active.map { try StoredJSON.encode($0) }
            broken = WarningBook(
                settings: broken.settings,
                sites: Field.sites,
                restoring: try stored.map { try StoredJSON.decode(Warning.self, from: $0) },
                counters: broken.counters
            )
            let found = broken.apply(transitions, context: context)
            #expect(found.map(\.message) == expected.map(\.message))
            #expect(found.map(\.warning) == expected.map(\.warning))
        }
    }

    @Test func foldsRuleAndRiseOfOneRiverIntoOneWarning() {
        var book = Field.book()
        let issued = book.apply(Field.stage(.raised, .blue, 19.07, over: 19))
        let second = book.apply(
            Field.stage(.raised, .blue, nil, at: 5, alert: "Backwater")
        )
        #expect(issued.map(\.message?.action) == [.issued])
        #expect(second.count == 1)
        #expect(second[0].message == nil)
        #expect(second[0].ledger.map(\.kind) == ["changed"])
        // The ladder ends, the other cause does not: the warning lasts.
        let third = book.apply(Field.stage(.ended, .blue, 18.8, over: 19, at: 10))
        #expect(third.map(\.message) == [nil])
        #expect(book.active.map(\.level) == [.blue])
        let last = book.apply(Field.stage(.ended, .blue, nil, at: 15, alert: "Backwater"))
        #expect(last.map(\.message?.action) == [.ended])
        #expect(last[0].warning.number == issued[0].warning.number)
    }

    @Test func givesEveryWarningItsOwnNumberAlsoAfterARestart() {
        var book = Field.book()
        let first = book.apply(Field.stage(.raised, .blue, 19.07, over: 19))
        _ = book.apply(Field.stage(.ended, .blue, 18.8, over: 19, at: 5))
        // The counters are lost; the stored warning alone must keep its number taken.
        book = WarningBook(settings: book.settings, sites: Field.sites, restoring: first.map(\.warning))
        _ = book.apply(Field.stage(.ended, .blue, 18.8, over: 19, at: 5))
        let second = book.apply(Field.stage(.raised, .blue, 19.1, over: 19, at: 20))
        #expect(second.map(\.warning.number) == ["2022-0002"])
    }

    @Test func keepsTheOwnerOfTheFirstIssue() {
        let owners = Owners()
        var book = WarningBook(
            settings: DisseminationSettings(),
            sites: { id in
                var site = Field.sites(id)
                site?.org = owners.name
                return site
            }
        )
        _ = book.apply(Field.stage(.raised, .blue, 19.07, over: 19))
        owners.name = "another-office"
        let raised = book.apply(Field.stage(.raised, .orange, 22.6, over: 22.5, at: 10))
        #expect(raised.map(\.message?.org) == ["first-office"])
        _ = book.apply(
            Field.stage(.ended, .blue, 18, over: 19, at: 20),
            Field.stage(.ended, .orange, 18, over: 22.5, at: 20)
        )
        let next = book.apply(Field.stage(.raised, .blue, 19.07, over: 19, at: 30))
        #expect(next.map(\.message?.org) == ["another-office"])
    }

    @Test func keepsTwoOrganisationsApart() {
        var book = Field.book()
        let steps = book.apply(
            Field.stage(.raised, .blue, 19.07, over: 19),
            Field.stage(.raised, .blue, 0.95, over: 0.9, site: Field.gauge.id)
        )
        #expect(steps.map(\.warning.identity.org) == ["poyang-flood-office", "demo-cooperative"])
        #expect(Set(steps.map(\.warning.number)).count == 2)
    }

    @Test func keepsADrillAndARealWarningApart() {
        var book = Field.book()
        let real = book.apply(Field.stage(.raised, .blue, 19.07, over: 19))
        let drill = book.apply(Field.stage(.raised, .orange, 22.6, over: 22.5, at: 5, evidence: .simulated))
        #expect(real.map(\.message?.status) == [.actual])
        #expect(drill.map(\.message?.status) == [.exercise])
        #expect(drill.map(\.message?.action) == [.issued])
        #expect(drill.map(\.warning.number) == ["E2022-0001"])
        #expect(drill[0].message?.headline.zh.hasPrefix("[演练] ") == true)
        #expect(book.active(number: "2022-0001")?.level == .blue)
    }

    @Test(arguments: [AlertTransition.Change.raised, .ended, .held, .resumed], [WarningLevel.blue, .red])
    func letsNothingSimulatedTouchARealWarning(change: AlertTransition.Change, level: WarningLevel) {
        var book = Field.book()
        let real = book.apply(Field.stage(.raised, .blue, 19.07, over: 19))
        let before = book.active(number: "2022-0001")
        let steps = book.apply(Field.stage(change, level, 12, over: 19, at: 5, evidence: .simulated))
        #expect(book.active(number: "2022-0001") == before)
        #expect(real.map(\.warning) == [before])
        #expect(steps.allSatisfy { $0.warning.identity.status == .exercise })
    }

    @Test func endsADrillWithRealReadingsToo() {
        var book = Field.book()
        _ = book.apply(Field.stage(.raised, .blue, 19.07, over: 19, evidence: .simulated))
        let ended = book.apply(Field.stage(.ended, .blue, 18.8, over: 19, at: 5))
        #expect(ended.map(\.message?.status) == [.exercise])
        #expect(ended.map(\.message?.action) == [.ended])
        #expect(book.active.isEmpty)
    }

    @Test func saysNothingButExercisesInExerciseMode() {
        var book = Field.book(exercise: true)
        let steps = book.apply(Field.stage(.raised, .blue, 19.07, over: 19))
        #expect(steps.map(\.message?.status) == [.exercise])
    }

    @Test func reopensTheAcknowledgementOnARaise() throws {
        var book = Field.book()
        _ = book.apply(Field.stage(.raised, .blue, 19.07, over: 19))
        let step = try book.acknowledge(number: "2022-0001", who: "值班员", note: "已通知", context: Field.context(1))
        #expect(step.message?.action == .acknowledged)
        #expect(step.message?.headline.zh == "星子站洪水蓝色预警已确认：值班员")
        #expect(step.ledger.map(\.who) == ["值班员"])
        #expect(book.active.first?.acknowledgement?.note == "已通知")
        let raised = book.apply(Field.stage(.raised, .orange, 22.6, over: 22.5, at: 10))
        #expect(raised.first?.warning.acknowledgement == nil)
        #expect(raised.first?.message?.references.count == 2)
        #expect(throws: WarningBookError.notActive(number: "2022-0009")) {
            try book.acknowledge(number: "2022-0009", who: "值班员", note: "", context: Field.context(11))
        }
    }

    @Test func withdrawsWithACancel() throws {
        var book = Field.book()
        _ = book.apply(Field.stage(.raised, .blue, 19.07, over: 19))
        let step = try book.cancel(number: "2022-0001", who: "站长", reason: "仪器检修", context: Field.context(3))
        #expect(step.message?.messageType == "Cancel")
        #expect(step.warning.isActive == false)
        #expect(book.active.isEmpty)
        #expect(book.apply(Field.stage(.ended, .blue, 18.8, over: 19, at: 5)).isEmpty)
    }

    @Test func showsTheLowWaterSeasonAndWarnsNobody() {
        var book = Field.book()
        let steps = book.apply(Field.stage(.raised, .notice, 11.9, over: 12, hazard: .lowWaterSeason))
        #expect(steps.map(\.message) == [nil])
        #expect(steps.flatMap(\.ledger).isEmpty)
        #expect(book.active.map(\.number) == ["S2022-0001"])
        #expect(throws: WarningBookError.self) {
            try book.acknowledge(number: "S2022-0001", who: "x", note: "", context: Field.context())
        }
    }

    @Test func saysAgainWhatWouldExpire() {
        var book = Field.book()
        _ = book.apply(Field.stage(.raised, .blue, 19.07, over: 19))
        #expect(book.extend(expiringBefore: Field.start + .day, context: Field.context(60)).isEmpty)
        let steps = book.extend(expiringBefore: Field.start + .day + .hour, context: Field.context(23 * 60))
        #expect(steps.map(\.message?.action) == [.amended])
        #expect(steps.map(\.message?.expires) == [Field.start + 47 * .hour])
        #expect(steps[0].message?.headline.zh == "星子站洪水蓝色预警持续：水位 19.07 m，超警戒 0.07 m")
    }
}

/// Who owns the site now; only one test's thread uses it.
private final class Owners: @unchecked Sendable {  // used by one thread of one test
    var name = "first-office"
}
