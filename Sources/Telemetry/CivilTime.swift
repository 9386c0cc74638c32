// poyang
// SPDX-License-Identifier: Apache-2.0

/// A date and time of day in the proleptic Gregorian calendar, without a zone.
///
/// The day arithmetic counts days from 1970-01-01 in 400-year eras (146,097 days each) whose years begin in March.
package struct CivilTime: Hashable, Sendable {
    package var year: Int
    /// From 1 to 12.
    package var month: Int
    /// From 1 to 31.
    package var day: Int
    /// From 0 to 23.
    package var hour: Int
    /// From 0 to 59.
    package var minute: Int
    /// 0…59; a leap second (60) is read as 59.
    package var second: Int
    /// From 0 to 999.
    package var millisecond: Int

    package init(
        year: Int,
        month: Int,
        day: Int,
        hour: Int = 0,
        minute: Int = 0,
        second: Int = 0,
        millisecond: Int = 0
    ) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
        self.millisecond = millisecond
    }

    /// The wall-clock reading at `moment` where local time is UTC plus `offsetMinutes`.
    package init(_ moment: Timestamp, offsetMinutes: Int) {
        let local = (moment + Milliseconds(offsetMinutes) * .minute).milliseconds
        let (days, rest) = local.flooredQuotientAndRemainder(dividingBy: .day)
        let shifted = days + 719_468
        let (era, dayOfEra) = shifted.flooredQuotientAndRemainder(dividingBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        self.day = Int(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
        self.month = Int(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9)
        self.year = Int(yearOfEra + era * 400) + (self.month <= 2 ? 1 : 0)
        self.hour = Int(rest / .hour)
        self.minute = Int(rest / .minute % 60)
        self.second = Int(rest / .second % 60)
        self.millisecond = Int(rest % .second)
    }

    /// The moment of this wall-clock reading where local time is UTC plus `offsetMinutes`.
    package func timestamp(offsetMinutes: Int) -> Timestamp {
        let marchYear = Int64(self.month <= 2 ? self.year - 1 : self.year)
        let (era, yearOfEra) = marchYear.flooredQuotientAndRemainder(dividingBy: 400)
        let monthFromMarch = Int64((self.month + 9) % 12)
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + Int64(self.day) - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        let minutes = Int64(self.hour) * 60 + Int64(self.minute) - Int64(offsetMinutes)
        let milliseconds = days * .day + minutes * .minute + Int64(self.second) * .second + Int64(self.millisecond)
        return Timestamp(milliseconds: milliseconds)
    }

    /// Whether every field is in its range, February counted with its leap years.
    package var isValid: Bool {
        guard (1...12).contains(self.month), (0...23).contains(self.hour) else { return false }
        guard (0...59).contains(self.minute), (0...59).contains(self.second) else { return false }
        guard (0...999).contains(self.millisecond), (0...9999).contains(self.year) else { return false }
        return (1...CivilTime.daysInMonth(self.month, year: self.year)).contains(self.day)
    }

    package static func daysInMonth(_ month: Int, year: Int) -> Int {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

extension Int64 {
    /// Quotient rounded toward negative infinity, and the non-negative remainder, for a positive divisor.
    fileprivate func flooredQuotientAndRemainder(dividingBy divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = self.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
