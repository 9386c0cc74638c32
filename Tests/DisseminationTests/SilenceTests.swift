// poyang
// SPDX-License-Identifier: Apache-2.0

import Dissemination
import Telemetry
import TestSupport
import Testing

struct SilenceTests {
    private let lastReading = Field.start + 5 * .minute

    private func heldBook() -> (book: WarningBook, steps: [WarningStep]) {
        var book = Field.book()
        _ = book.apply(
            Field.stage(.raised, .blue, 22.55, over: 19),
            Field.stage(.raised, .orange, 22.55, over: 22.5)
        )
        let steps = book.apply(
            Field.stage(.held, .blue, 22.58, over: 19, at: 60, reason: "no_data", lastReadingAt: self.lastReading),
            Field.stage(.held, .orange, 22.58, over: 22.5, at: 60, reason: "no_data", lastReadingAt: self.lastReading)
        )
        return (book, steps)
    }

    @Test func holdsWithTheLastValueAndItsTime() throws {
        let (book, steps) = self.heldBook()
        #expect(steps.count == 1)
        let message = try #require(steps.first?.message)
        #expect(message.action == .amended)
        #expect(message.level == .orange)
        #expect(message.isHeld)
        #expect(message.headline.zh == "星子站洪水橙色预警维持：数据中断，最后读数 22.58 m（2022-06-21 16:05）")
        #expect(
            message.headline.en == "Xingzi: Flood warning, orange, kept: no data; last value 22.58 m (2022-06-21 16:05)"
        )
        #expect(message.details.zh.contains("不因此降级或解除"))
        #expect(message.expires == Field.start + 60 * .minute + .day)
        #expect(book.active.map(\.level) == [.orange])
    }

    @Test func neverLowersBySilence() {
        var (book, _) = self.heldBook()
        // Whatever a rule says of missing data, the warning stays at its level.
        let steps = book.apply(
            Field.stage(.ended, .orange, nil, at: 70, reason: "no_data"),
            Field.stage(.ended, .blue, nil, at: 70, reason: "no_data")
        )
        #expect(steps.compactMap(\.message).isEmpty)
        #expect(book.active.map(\.level) == [.orange])
        #expect(book.active.map(\.isHeld) == [true])
    }

    @Test func saysThatDataAreBack() throws {
        var (book, _) = self.heldBook()
        let steps = book.apply(
            Field.stage(.resumed, .blue, 22.6, over: 19, at: 90),
            Field.stage(.resumed, .orange, 22.6, over: 22.5, at: 90)
        )
        let message = try #require(steps.first?.message)
        #expect(steps.count == 1)
        #expect(message.action == .amended)
        #expect(message.headline.zh == "星子站洪水橙色预警维持：数据恢复，水位 22.60 m，超保证 0.10 m")
        #expect(message.value == 22.6)
        #expect(!message.isHeld)
    }

    @Test func doesNotSayTwiceThatDataAreBack() {
        var (book, _) = self.heldBook()
        let steps = book.apply(
            Field.stage(.resumed, .blue, 21, over: 19, at: 90),
            Field.stage(.ended, .orange, 21, over: 22.5, at: 90)
        )
        #expect(steps.compactMap(\.message).map(\.action) == [.lowered])
        #expect(steps[0].message?.value == 21)
    }

    @Test func callsTheValueOfAWindowNoReading() throws {
        var book = Field.book()
        _ = book.apply(Field.stage(.raised, .notice, 0.6, over: 0.5, hazard: .floodRise))
        let steps = book.apply(
            Field.stage(
                .held,
                .notice,
                0.7,
                over: 0.5,
                at: 60,
                hazard: .floodRise,
                reason: "no_data",
                lastReadingAt: self.lastReading
            )
        )
        let message = try #require(steps.first?.message)
        #expect(message.headline.zh == "星子站水位急涨提示维持：数据中断，最后读数时间 2022-06-21 16:05")
        #expect(message.value == 0.7)
    }

    @Test(arguments: [("maybe", "数据不全"), ("many-to-many matching", "规则无法计算")])
    func doesNotCallEveryDoubtSilence(reason: String, text: String) throws {
        var book = Field.book()
        _ = book.apply(Field.stage(.raised, .blue, 19.07, over: 19))
        let steps = book.apply(Field.stage(.held, .blue, 19.2, over: 19, at: 5, reason: reason))
        let headline = try #require(steps.first?.message?.headline.zh)
        #expect(headline.contains(text))
        #expect(!headline.contains("数据中断"))
    }

    @Test func tellsOfEverySilentDeviceAndOfTheEnd() {
        var book = Field.book()
        func silent(_ change: AlertTransition.Change, _ device: String, at minutes: Int64) -> [WarningStep] {
            book.apply(
                Field.stage(
                    change,
                    .notice,
                    1,
                    at: minutes,
                    hazard: .silence,
                    alert: device,
                    annotations: ["summary_zh": "设备 \(device) 停止上报", "summary_en": "Device \(device) is silent"],
                    labels: ["urgent": "true"]
                )
            )
        }
        let steps =
            silent(.raised, "a", at: 0) + silent(.raised, "b", at: 1) + silent(.ended, "a", at: 2)
            + silent(.ended, "b", at: 3)
        let messages = steps.map(\.message)
        #expect(
            messages.map { $0?.headline.zh } == [
                "星子站设备失联提示：设备 a 停止上报", "星子站设备失联提示（新增）：设备 b 停止上报", nil,
                "星子站设备失联提示解除：数据恢复",
            ]
        )
        #expect(steps.compactMap(\.message).allSatisfy { $0.value == nil })
    }

    @Test func ignoresSilenceOfWhatIsNoWarning() {
        var book = Field.book()
        #expect(book.apply(Field.stage(.held, .blue, nil)).isEmpty)
        #expect(book.apply(Field.stage(.resumed, .blue, nil)).isEmpty)
        #expect(book.apply(Field.stage(.ended, .blue, nil)).isEmpty)
    }

    @Test func keepsTheLevelOverRandomSilence() {
        let seed: UInt64 = 0x5EED_2022
        var generator = SeededGenerator(seed: seed)
        var book = Field.book()
        var expected: Set<WarningLevel> = []
        for minute in 0..<2000 {
            let level = WarningLevel.allCases[1 + Int(generator.next() % 4)]
            let change = [AlertTransition.Change.raised, .held, .resumed, .ended][Int(generator.next() % 4)]
            let isSilence = generator.next() % 2 == 0
            _ = book.apply(
                Field.stage(
                    change,
                    level,
                    isSilence ? nil : 20,
                    at: Int64(minute),
                    reason: isSilence ? "no_data" : nil
                )
            )
            switch change {
            case .raised: expected.insert(level)
            case .ended where !isSilence: expected.remove(level)
            case .retracted: expected.remove(level)
            case .ended, .held, .resumed, .amended: break
            }
            #expect(book.active.first?.level == expected.max(), "seed \(seed), minute \(minute)")
        }
    }
}
