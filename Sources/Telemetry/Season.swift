// poyang
// SPDX-License-Identifier: Apache-2.0

/// The part of every year in which a threshold holds; days begin at 00:00 +08:00.
package struct Season: Hashable, Sendable {
    package struct MonthDay: Hashable, Sendable {
        /// 1…12
        package var month: Int
        /// 1…29 in February: 29 means the day after the 28th.
        package var day: Int

        package init(month: Int, day: Int) {
            self.month = month
            self.day = day
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
        let year = CivilTime(moment, offsetMinutes: Timestamp.chinaOffsetMinutes).year
        return [year - 1, year]
            .contains { beginning in
                let span = self.span(beginningIn: beginning)
                return moment >= span.start && moment < span.end
            }
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
