// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The axis of times, in China Standard Time: ticks at whole minutes, hours, days, months or years.
struct TimeAxis: Equatable {
    struct Tick: Equatable {
        let time: Timestamp
        let text: String
    }

    private enum Step: Equatable {
        case span(Milliseconds)
        case months(Int)
    }

    private static let steps: [Step] =
        [1, 2, 5, 10, 15, 30].map { .span($0 * .second) } + [1, 2, 5, 10, 15, 30].map { .span($0 * .minute) }
        + [1, 2, 3, 6, 12].map { .span($0 * .hour) } + [1, 2, 5, 7, 14].map { .span($0 * .day) }
        + [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200].map { .months($0) }

    let from: Timestamp
    let through: Timestamp
    let ticks: [Tick]

    /// Fits an axis with about `most` ticks.
    init(from: Timestamp, through: Timestamp, most: Int) {
        self.from = from
        self.through = through
        let span = max(1, through - from)
        let most = Milliseconds(max(1, most))
        let step = Self.steps.first { step in
            switch step {
            case .span(let length): span / length <= most
            case .months(let count): span / (Milliseconds(count) * 30 * .day) <= most
            }
        }
        self.ticks = step.map { Self.ticks($0, from: from, through: through) } ?? []
    }

    private static func ticks(_ step: Step, from: Timestamp, through: Timestamp) -> [Tick] {
        var ticks: [Tick] = []
        let offset = Milliseconds(Timestamp.chinaOffsetMinutes) * .minute
        switch step {
        case .span(let length):
            // Weeks begin where days do: any day is as good as another.
            let local = from + offset
            let rest = ((local.milliseconds % length) + length) % length
            var time = from + (rest == 0 ? 0 : length - rest)
            while time <= through, ticks.count < 1000 {
                ticks.append(Tick(time: time, text: self.text(time, step: length, isFirst: ticks.isEmpty)))
                time = time + length
            }
        case .months(let count):
            let start = CivilTime(from, offsetMinutes: Timestamp.chinaOffsetMinutes)
            var month = start.year * 12 + start.month - 1
            month -= ((month % count) + count) % count
            while ticks.count < 1000 {
                let civil = CivilTime(year: month / 12, month: month % 12 + 1, day: 1)
                let time = civil.timestamp(offsetMinutes: Timestamp.chinaOffsetMinutes)
                if time > through { break }
                let text = count % 12 == 0 ? "\(civil.year)" : "\(civil.year)-\(Self.two(civil.month))"
                if time >= from { ticks.append(Tick(time: time, text: text)) }
                month += count
            }
        }
        return ticks
    }

    /// The time of day, with its date at the first tick and at midnight; the date alone for whole days.
    private static func text(_ time: Timestamp, step: Milliseconds, isFirst: Bool) -> String {
        let civil = CivilTime(time, offsetMinutes: Timestamp.chinaOffsetMinutes)
        let date = "\(self.two(civil.month))-\(self.two(civil.day))"
        if step % .day == 0 { return date }
        var clock = "\(self.two(civil.hour)):\(self.two(civil.minute))"
        if step < .minute { clock += ":\(self.two(civil.second))" }
        let isMidnight = civil.hour == 0 && civil.minute == 0 && civil.second == 0
        return isMidnight || isFirst ? "\(date) \(clock)" : clock
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// `2022-06-21 16:00`, with seconds only where there are any.
    static func moment(_ time: Timestamp) -> String {
        let text = time.rfc3339().dropLast(6).replacing("T", with: " ")
        return text.hasSuffix(":00") ? String(text.dropLast(3)) : String(text)
    }
}
