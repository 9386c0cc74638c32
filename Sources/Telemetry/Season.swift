// poyang
// SPDX-License-Identifier: Apache-2.0

/// The part of every year in which a threshold or a rule holds; days begin at 00:00 +08:00.
package struct Season: Hashable, Sendable {
    package struct MonthDay: Hashable, Sendable, CustomStringConvertible {
        /// From 1 to 12.
        package var month: Int
        /// 1…29 in February: 29 means the day after the 28th.
        package var day: Int

        package init(month: Int, day: Int) {
            self.month = month
            self.day = day
        }

        /// Reads `04-01`; nil of anything else.
        package init?(parsing text: String) {
            let parts = text.split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 }), let month = Int(parts[0]),
                let day = Int(parts[1]), (1...12).contains(month),
                (1...CivilTime.daysInMonth(month, year: 2000)).contains(day)
            else { return nil }
            self.init(month: month, day: day)
        }

        /// `04-01`.
        package var description: String {
            "\(self.month < 10 ? "0" : "")\(self.month)-\(self.day < 10 ? "0" : "")\(self.day)"
        }
    }

    /// The first day.
    package var from: MonthDay
    /// The day after the last; a season may run across the turn of the year.
    package var to: MonthDay

    package init(from: MonthDay, to: MonthDay) {
        self.from = from
        self.to = to
    }
}

extension Season {
    /// The season that begins in `year`: first moment, and the moment after the last.
    package func span(beginningIn year: Int) -> (start: Timestamp, end: Timestamp) {
        let start = Season.start(of: self.from, year: year)
        let end = Season.start(of: self.to, year: year)
        return end > start ? (start, end) : (start, Season.start(of: self.to, year: year + 1))
    }

    package func contains(_ moment: Timestamp) -> Bool {
        self.around(moment).contains { moment >= $0.start && moment < $0.end }
    }

    /// The next moment at which the season begins or ends.
    package func turn(after moment: Timestamp) -> Timestamp {
        self.around(moment).flatMap { [$0.start, $0.end] }.filter { $0 > moment }.min() ?? .distantFuture
    }

    private func around(_ moment: Timestamp) -> [(start: Timestamp, end: Timestamp)] {
        let year = CivilTime(moment, offsetMinutes: Timestamp.chinaOffsetMinutes).year
        return (year - 1...year + 1).map(self.span)
    }

    /// 00:00 +08:00 of the day; 29 February is 1 March in a year without one.
    private static func start(of day: MonthDay, year: Int) -> Timestamp {
        let missing = day.day > CivilTime.daysInMonth(day.month, year: year)
        let civil =
            missing
            ? CivilTime(year: year, month: day.month + 1, day: 1)
            : CivilTime(year: year, month: day.month, day: day.day)
        return civil.timestamp(offsetMinutes: Timestamp.chinaOffsetMinutes)
    }
}
