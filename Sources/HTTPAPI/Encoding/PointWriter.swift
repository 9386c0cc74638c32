// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Writes points of series into memory that is there: `[1435781430.781,"1"]`, a comma between two.
///
/// A point is some ten pieces of a few bytes, and appending each to an array costs more than making it.
struct PointWriter {
    /// No point is longer: 21 bytes of time, 26 of value, 6 around them.
    static let largestPoint = 64

    private(set) var end: UnsafeMutablePointer<UInt8>
    private var needsComma = false
    /// Of the value before: those of one series mostly have as many.
    private var places = 0
    /// For so many more values nobody looks whether they have few digits.
    private var longOnes = 0

    /// - Parameter start: Of ``largestPoint`` bytes for each point.
    init(_ start: UnsafeMutablePointer<UInt8>) { self.end = start }

    mutating func point(_ time: Timestamp, _ value: Double) {
        self.opening(time)
        self.number(value)
        self.put(#""]"#)
    }

    /// The same with the text of the time at hand.
    mutating func point(_ times: PointTimes, _ step: Int, _ value: Double) {
        if self.needsComma { self.put(UInt8(ascii: ",")) }
        self.needsComma = true
        times.openings.withUnsafeBufferPointer { openings in
            let text = openings[times.starts[step]..<times.starts[step + 1]]
            self.put(UnsafeBufferPointer(rebasing: text))
        }
        self.number(value)
        self.put(#""]"#)
    }

    /// The beginning of a point, `[1435781430.781,"`.
    mutating func opening(_ time: Timestamp) {
        if self.needsComma { self.put(UInt8(ascii: ",")) }
        self.needsComma = true
        self.put(UInt8(ascii: "["))
        self.time(time)
        self.put(#",""#)
    }

    /// Seconds, with three places where they are not whole.
    mutating func time(_ time: Timestamp) {
        if time.milliseconds < 0 { self.put(UInt8(ascii: "-")) }
        let (seconds, rest) = time.milliseconds.magnitude.quotientAndRemainder(dividingBy: 1000)
        if rest > 0 {
            self.decimal(time.milliseconds.magnitude, places: 3)
        } else {
            self.decimal(seconds, places: 0)
        }
    }

    /// The shortest decimal that reads back as the same value, with an exponent below 1e-6 and from 1e21 on; `NaN`,
    /// `+Inf`, `-Inf`.
    mutating func number(_ value: Double) {
        if self.short(value, places: self.places) { return }
        // What is computed has seldom few digits; the long way finds the same text.
        if self.longOnes > 0 {
            self.longOnes -= 1
        } else if let places = DecimalScale.places(of: value), self.short(value, places: places) {
            self.places = places
            return
        } else {
            self.longOnes = 16
        }
        guard value.isFinite else { return self.put(value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf") }
        let magnitude = abs(value)
        let hasExponent = magnitude > 0 && (magnitude < 1e-6 || magnitude >= 1e21)
        var text = value.description
        text.withUTF8 { digits in
            guard let mark = digits.firstIndex(of: UInt8(ascii: "e")), !hasExponent else {
                // Whole numbers end in ".0" here.
                let isWhole = digits.suffix(2).elementsEqual(".0".utf8)
                return self.put(UnsafeBufferPointer(rebasing: digits.dropLast(isWhole ? 2 : 0)))
            }
            self.expand(digits[..<mark], exponent: Self.exponent(digits[(mark + 1)...]))
        }
    }

    /// A value that is a decimal of so many places, and of 15 digits at most: the shortest text of it, then.
    private mutating func short(_ value: Double, places: Int) -> Bool {
        guard let integer = DecimalScale.integer(value, power: DecimalScale.powers[places]),
            integer.magnitude < 1_000_000_000_000_000, integer == 0 || abs(value) >= 1e-6
        else { return false }
        var number = integer.magnitude
        var places = places
        while places > 0, number % 10 == 0 {
            number /= 10
            places -= 1
        }
        if integer < 0 { self.put(UInt8(ascii: "-")) }
        self.decimal(number, places: places)
        return true
    }

    private static func exponent(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> Int {
        var number = 0
        for byte in text where byte >= UInt8(ascii: "0") { number = number * 10 + Int(byte - UInt8(ascii: "0")) }
        return text.first == UInt8(ascii: "-") ? -number : number
    }

    /// Writes `1.5e-05` as `0.000015`, and `1.5e+16` as `15000000000000000`.
    private mutating func expand(_ mantissa: Slice<UnsafeBufferPointer<UInt8>>, exponent: Int) {
        var digits = mantissa
        if digits.first == UInt8(ascii: "-") { self.put(digits.removeFirst()) }
        let mark = digits.firstIndex(of: UInt8(ascii: ".")) ?? digits.endIndex
        let whole = mark - digits.startIndex + exponent
        if whole <= 0 {
            self.put("0.")
            for _ in whole..<0 { self.put(UInt8(ascii: "0")) }
        }
        // Digits before the point that are still to come.
        var left = whole
        for byte in digits where byte != UInt8(ascii: ".") {
            if left == 0, whole > 0 { self.put(UInt8(ascii: ".")) }
            self.put(byte)
            left -= 1
        }
        while left > 0 {
            self.put(UInt8(ascii: "0"))
            left -= 1
        }
    }

    /// `number` divided by 10^places, places up to 9.
    private mutating func decimal(_ number: UInt64, places: Int) {
        let digits = max(Self.digits(number), places + 1)
        let length = digits + (places > 0 ? 1 : 0)
        var place = self.end + length
        var rest = number
        // What stands behind the point.
        for _ in 0..<places {
            place -= 1
            place.pointee = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        if places > 0 {
            place -= 1
            place.pointee = UInt8(ascii: ".")
        }
        // Two digits at a time: times are most of an answer.
        while rest >= 100 {
            let (hundreds, pair) = rest.quotientAndRemainder(dividingBy: 100)
            place -= 2
            place[1] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: pair % 10)
            place[0] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: pair / 10)
            rest = hundreds
        }
        while place > self.end {
            place -= 1
            place.pointee = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        self.end += length
    }

    private static func digits(_ number: UInt64) -> Int {
        var digits = 1
        var power: UInt64 = 10
        while digits < 20, number >= power {
            digits += 1
            let (next, overflow) = power.multipliedReportingOverflow(by: 10)
            if overflow { break }
            power = next
        }
        return digits
    }

    private mutating func put(_ byte: UInt8) {
        self.end.pointee = byte
        self.end += 1
    }

    private mutating func put(_ text: StaticString) {
        self.put(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func put(_ text: UnsafeBufferPointer<UInt8>) {
        guard let start = text.baseAddress else { return }
        self.end.update(from: start, count: text.count)
        self.end += text.count
    }
}

/// The times of a range query as the points of all its series begin.
struct PointTimes: Sendable {
    /// Of all steps, one behind the other.
    let openings: [UInt8]
    /// Where each begins, and the end of the last.
    let starts: [Int]

    init(_ times: [Timestamp]) {
        var starts = [0]
        starts.reserveCapacity(times.count + 1)
        self.openings = [UInt8](unsafeUninitializedCapacity: times.count * PointWriter.largestPoint) { memory, count in
            guard let start = memory.baseAddress else { return }
            var end = start
            for time in times {
                var writer = PointWriter(end)
                writer.opening(time)
                end = writer.end
                starts.append(end - start)
            }
            count = end - start
        }
        self.starts = starts
    }
}
