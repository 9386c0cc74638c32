// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Packed decimal digits (BCD) as SL 651 writes numbers and times.
enum PackedDecimal {
    /// Two digits of one byte; nil when a half of it is none.
    static func pair(_ byte: UInt8) -> Int? {
        let (high, low) = (byte >> 4, byte & 0x0F)
        guard high <= 9, low <= 9 else { return nil }
        return Int(high) * 10 + Int(low)
    }

    /// A number with `decimals` digits, at most 7, behind the point; FF in front makes it negative, all F or all A means
    /// none (6.6.3.3, 6.6.4.4).
    static func number(_ bytes: Span<UInt8>, _ range: Range<Int>, decimals: Int) -> SL651Number {
        guard !range.isEmpty else { return .missing }
        let filler = bytes[range.lowerBound]
        if filler == 0xFF || filler == 0xAA {
            var index = range.lowerBound
            while index < range.upperBound, bytes[index] == filler { index += 1 }
            if index == range.upperBound { return .missing }
        }
        let isNegative = filler == 0xFF
        var digits: UInt64 = 0
        for index in (isNegative ? range.lowerBound + 1 : range.lowerBound)..<range.upperBound {
            guard let pair = self.pair(bytes[index]) else { return .invalid(self.fault(bytes, range)) }
            // Far beyond what a double holds exactly; 10^17 × 100 still fits.
            guard digits < 100_000_000_000_000_000 else {
                return .invalid("\(range.count) bytes of digits; a value has at most 15 digits")
            }
            digits = digits * 100 + UInt64(pair)
        }
        let value = Double(digits) / powersOfTen[decimals & 7]
        return .value(isNegative ? -value : value)
    }

    /// Year, month, day, hour, minute and, of six bytes, second, in Beijing time.
    static func time(_ bytes: Span<UInt8>, at start: Int, count: Int) -> SL651Group.Time {
        guard
            let year = self.pair(bytes[start]), let month = self.pair(bytes[start + 1]),
            let day = self.pair(bytes[start + 2]), let hour = self.pair(bytes[start + 3]),
            let minute = self.pair(bytes[start + 4]), let second = count > 5 ? self.pair(bytes[start + 5]) : 0
        else { return .invalid("the time \(self.text(bytes, start..<start + count)) is not packed decimal (BCD)") }
        let time = CivilTime(
            year: self.year(year),
            month: month,
            day: day,
            hour: hour,
            minute: minute,
            second: second
        )
        guard time.isValid else {
            return .invalid("the time \(self.text(bytes, start..<start + count)) is no date and time (YYMMDDHHmm)")
        }
        return .known(time.timestamp(offsetMinutes: SL651Group.zoneMinutes))
    }

    static func year(_ twoDigits: Int) -> Int { twoDigits < SL651Group.pivot ? 2000 + twoDigits : 1900 + twoDigits }

    private static func fault(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        "\(self.text(bytes, range)) is not packed decimal (BCD); negative numbers begin with FF, missing ones are all F"
    }

    private static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        var text = ""
        for index in range { text += HexText.text(UInt64(bytes[index]), digits: 2) }
        return text
    }
}

/// 10^0 … 10^7, all exact.
private let powersOfTen: [Double] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000]
