// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Numbers and moments as text, appended to bytes.
enum DecimalText {
    /// The shortest decimal that names the same double: `12.34`, `7`, `1e-07`; `NaN`, `+Inf`, `-Inf`.
    static func append(_ value: Double, to text: inout [UInt8]) {
        guard value.isFinite else {
            text.append(contentsOf: (value.isNaN ? "NaN" : value > 0 ? "+Inf" : "-Inf").utf8)
            return
        }
        // What sensors send: at most three decimals. A decimal of up to 15 digits that reads back as the same double
        // is the shortest one once its trailing zeros are gone.
        let scaled = value * 1000
        if abs(scaled) < 1e12, !(value == 0 && value.sign == .minus) {
            let whole = scaled.rounded()
            if whole / 1000 == value {
                self.appendThousandths(Int64(whole), to: &text)
                return
            }
        }
        let description = value.description
        text.append(contentsOf: description.utf8)
        if description.hasSuffix(".0") { text.removeLast(2) }
    }

    static func append(_ number: Int64, to text: inout [UInt8]) {
        if number < 0 { text.append(UInt8(ascii: "-")) }
        self.appendDigits(number.magnitude, atLeast: 1, to: &text)
    }

    /// Seconds with as many decimals as the milliseconds need: `1700000000`, `1700000000.25`.
    static func appendSeconds(_ milliseconds: Int64, to text: inout [UInt8]) {
        self.appendThousandths(milliseconds, to: &text)
    }

    /// As ``Timestamp/rfc3339(offsetMinutes:)`` at +08:00.
    static func appendRFC3339(_ time: Timestamp, to text: inout [UInt8]) {
        let civil = CivilTime(time, offsetMinutes: Timestamp.chinaOffsetMinutes)
        guard 0...9999 ~= civil.year else {
            text.append(contentsOf: time.rfc3339().utf8)
            return
        }
        self.appendDigits(UInt64(civil.year), atLeast: 4, to: &text)
        let fields: [(UInt8, Int)] = [
            (0x2D, civil.month), (0x2D, civil.day), (0x54, civil.hour), (0x3A, civil.minute), (0x3A, civil.second),
        ]
        for (mark, number) in fields {
            text.append(mark)
            self.appendDigits(UInt64(number.magnitude), atLeast: 2, to: &text)
        }
        if civil.millisecond != 0 {
            text.append(UInt8(ascii: "."))
            self.appendDigits(UInt64(civil.millisecond.magnitude), atLeast: 3, to: &text)
        }
        text.append(contentsOf: "+08:00".utf8)
    }

    private static func appendThousandths(_ number: Int64, to text: inout [UInt8]) {
        if number < 0 { text.append(UInt8(ascii: "-")) }
        let (whole, fraction) = number.magnitude.quotientAndRemainder(dividingBy: 1000)
        self.appendDigits(whole, atLeast: 1, to: &text)
        guard fraction > 0 else { return }
        text.append(UInt8(ascii: "."))
        let digits = (fraction / 100, fraction / 10 % 10, fraction % 10)
        text.append(UInt8(digits.0) + 0x30)
        if digits.1 > 0 || digits.2 > 0 { text.append(UInt8(digits.1) + 0x30) }
        if digits.2 > 0 { text.append(UInt8(digits.2) + 0x30) }
    }

    private static func appendDigits(_ number: UInt64, atLeast width: Int, to text: inout [UInt8]) {
        var digits: (UInt64, UInt64, UInt64) = (0, 0, 0)
        var count = 0
        var rest = number
        // At most 20 digits, eight to a word, the last one first.
        repeat {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            let shifted = (digit + 0x30) << UInt64(8 * (count % 8))
            if count < 8 { digits.0 |= shifted } else if count < 16 { digits.1 |= shifted } else { digits.2 |= shifted }
            rest = quotient
            count += 1
        } while rest > 0 || count < width
        while count > 0 {
            count -= 1
            let word = count < 8 ? digits.0 : count < 16 ? digits.1 : digits.2
            text.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * (count % 8))))
        }
    }
}
