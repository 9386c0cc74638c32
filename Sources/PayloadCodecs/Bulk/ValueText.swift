// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Values as people and exporters write them.
enum ValueText {
    /// A decimal number, `NaN`, `Inf`, `+Inf` or `-Inf` (in any case).
    static func value(_ line: inout LineCursor) throws(LineProblem) -> Double {
        var value = 0.0
        let length = DecimalScanner.short(line.at, line.end, &value)
        if length > 0 {
            line.at += length
            return value
        }
        var at = line.at
        if let value = DecimalScanner.general(&at, line.end, isJSON: false) {
            line.at = at
            return value
        }
        if let value = self.special(&line) { return value }
        throw line.problem("a value should be a number, found \(line.found)")
    }

    private static func special(_ line: inout LineCursor) -> Double? {
        var word = line
        let isNegative = word.take(UInt8(ascii: "-"))
        if !isNegative { _ = word.take(UInt8(ascii: "+")) }
        let start = word.at
        while word.at < word.end, PrometheusName.isWord(word.at.pointee), word.at - start < 10 { word.at += 1 }
        let text = String(decoding: UnsafeBufferPointer(start: start, count: word.at - start), as: UTF8.self)
        let value: Double
        switch text.lowercased() {
        case "nan": value = .nan
        case "inf", "infinity": value = isNegative ? -.infinity : .infinity
        default: return nil
        }
        line.at = word.at
        return value
    }
}

/// Moments as bulk formats write them; nil where none stands at the cursor, which is then anywhere.
enum TimeText {
    static func milliseconds(_ line: inout LineCursor) -> Int64? {
        var milliseconds: Int64 = 0
        let length = DecimalScanner.long(line.at, line.end, &milliseconds)
        if length > 0 {
            line.at += length
            return milliseconds
        }
        return DecimalScanner.integer(&line.at, line.end)
    }

    /// Decimal seconds, rounded to the nearest millisecond.
    static func seconds(_ line: inout LineCursor) -> Int64? {
        let start = line.at
        let isNegative = line.byte == UInt8(ascii: "-")
        guard let whole = DecimalScanner.integer(&line.at, line.end), abs(whole) < 1_000_000_000_000_000 else {
            return nil
        }
        if line.byte | 0x20 == UInt8(ascii: "e") { return self.scientific(&line, from: start) }
        var fraction: Int64 = 0
        if line.take(UInt8(ascii: ".")) {
            var scale: Int64 = 1000
            while line.at < line.end, PrometheusName.isDigit(line.at.pointee) {
                let digit = Int64(line.at.pointee &- 0x30)
                if scale > 1 {
                    scale /= 10
                    fraction += digit * scale
                } else if scale == 1 {
                    scale = 0
                    if digit >= 5 { fraction += 1 }
                }
                line.at += 1
            }
            if line.byte | 0x20 == UInt8(ascii: "e") { return self.scientific(&line, from: start) }
        }
        return whole * 1000 + (isNegative ? -fraction : fraction)
    }

    private static func scientific(_ line: inout LineCursor, from start: UnsafePointer<UInt8>) -> Int64? {
        var at = start
        guard let seconds = DecimalScanner.general(&at, line.end, isJSON: false), abs(seconds) < 1e12 else {
            return nil
        }
        line.at = at
        return Int64((seconds * 1000).rounded())
    }

    /// RFC 3339 as in `Timestamp(rfc3339:)`, all of the line; without a zone China Standard Time.
    static func rfc3339(_ line: inout LineCursor) -> Int64? {
        if let milliseconds = self.plain(line) {
            line.at = line.end
            return milliseconds
        }
        let text = String(
            decoding: UnsafeBufferPointer(start: line.at, count: min(line.end - line.at, 64)),
            as: UTF8.self
        )
        guard let time = Timestamp(rfc3339: text, defaultOffsetMinutes: Timestamp.chinaOffsetMinutes) else {
            return nil
        }
        line.at = line.end
        return time.milliseconds
    }

    /// `2022-06-21T16:00:00`, optionally `.123`, then `Z` or `+08:00`; nil for other forms.
    private static func plain(_ line: LineCursor) -> Int64? {
        let at = line.at
        let count = line.end - at
        guard count >= 20, at[4] == 0x2D, at[7] == 0x2D, at[10] == 0x54 || at[10] == 0x20, at[13] == 0x3A,
            at[16] == 0x3A
        else { return nil }
        let year = self.pair(at) * 100 + self.pair(at + 2)
        let (month, day) = (self.pair(at + 5), self.pair(at + 8))
        let (hour, minute, second) = (self.pair(at + 11), self.pair(at + 14), self.pair(at + 17))
        // Other than this is for the full reader: leap seconds, and what is wrong.
        guard (1..<10_000).contains(year), 1...12 ~= month, 1...28 ~= day, 0..<24 ~= hour, 0..<60 ~= minute,
            0..<60 ~= second
        else { return nil }
        var rest = at + 19
        var fraction: Int64 = 0
        if count >= 24, rest.pointee == 0x2E {
            let tens = self.pair(rest + 1)
            let ones = Int64(rest[3] &- 0x30)
            guard tens >= 0, ones < 10 else { return nil }
            fraction = tens * 10 + ones
            rest += 4
        }
        let offset: Int64
        if line.end - rest == 1, rest.pointee == UInt8(ascii: "Z") {
            offset = 0
        } else if line.end - rest == 6, rest.pointee == 0x2B || rest.pointee == 0x2D, rest[3] == 0x3A {
            let (hours, minutes) = (self.pair(rest + 1), self.pair(rest + 4))
            guard 0..<24 ~= hours, 0..<60 ~= minutes else { return nil }
            offset = (rest.pointee == 0x2D ? -1 : 1) * (hours * 60 + minutes)
        } else {
            return nil
        }
        // Days from the civil date with years that begin in March (H. Hinnant).
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        return ((days * 24 + hour) * 60 + minute - offset) * 60_000 + second * 1000 + fraction
    }

    /// Two digits as a number; below 0 where they are none.
    @inline(__always)
    private static func pair(_ at: UnsafePointer<UInt8>) -> Int64 {
        let (tens, ones) = (at[0] &- 0x30, at[1] &- 0x30)
        guard tens < 10, ones < 10 else { return -1_000_000 }
        return Int64(tens) * 10 + Int64(ones)
    }
}
