// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Writes the parts of Prometheus's JSON: times as seconds, values as strings (Prometheus HTTP API, "Format overview").
struct PrometheusText {
    private(set) var bytes: [UInt8]
    /// Of the value before: those of one series mostly have as many.
    private var places = 0
    /// For so many more values nobody looks whether they have few digits.
    private var longOnes = 0
    private var needsComma = false

    init(capacity: Int = 256) {
        self.bytes = []
        self.bytes.reserveCapacity(capacity)
    }

    var count: Int { self.bytes.count }
    var string: String { String(decoding: self.bytes, as: UTF8.self) }

    mutating func raw(_ text: StaticString) {
        self.bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func raw(_ text: String) { self.bytes.append(contentsOf: text.utf8) }

    /// A JSON string (RFC 8259, section 7).
    mutating func string(_ text: String) {
        self.bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): self.bytes += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): self.raw(#"\n"#)
            case UInt8(ascii: "\r"): self.raw(#"\r"#)
            case UInt8(ascii: "\t"): self.raw(#"\t"#)
            case 0..<0x20:
                self.raw(byte < 0x10 ? #"\u000"# : #"\u001"#)
                self.bytes.append(Array("0123456789abcdef".utf8)[Int(byte & 0xF)])
            default: self.bytes.append(byte)
            }
        }
        self.bytes.append(UInt8(ascii: "\""))
    }

    /// `{"__name__":"up","job":"x"}`.
    mutating func labels(_ labels: Labels) {
        self.raw("{")
        for (index, label) in labels.enumerated() {
            if index > 0 { self.raw(",") }
            self.string(label.name)
            self.raw(":")
            self.string(label.value)
        }
        self.raw("}")
    }

    /// One series of a matrix; `points` calls ``point(_:_:isFirst:)``.
    mutating func series(_ labels: Labels, points: (inout PrometheusText) -> Void) {
        self.raw(#"{"metric":"#)
        self.labels(labels)
        self.raw(#","values":["#)
        self.needsComma = false
        points(&self)
        self.raw("]}")
    }

    /// `[1435781430.781,"1"]`, after a comma where it is not the first.
    mutating func point(_ time: Timestamp, _ value: Double, isFirst: Bool = false) {
        if self.needsComma, !isFirst { self.bytes.append(UInt8(ascii: ",")) }
        self.needsComma = true
        self.opening(time)
        self.number(value)
        self.raw(#""]"#)
    }

    /// The same with the text of the time at hand.
    mutating func point(_ times: PointTimes, _ step: Int, _ value: Double) {
        if self.needsComma { self.bytes.append(UInt8(ascii: ",")) }
        self.needsComma = true
        self.bytes.append(contentsOf: times.openings[times.starts[step]..<times.starts[step + 1]])
        self.number(value)
        self.raw(#""]"#)
    }

    /// The beginning of a point, `[1435781430.781,"`.
    fileprivate mutating func opening(_ time: Timestamp) {
        self.raw("[")
        self.time(time)
        self.raw(#",""#)
    }

    /// Seconds, with three places where they are not whole.
    mutating func time(_ time: Timestamp) {
        let (seconds, rest) = time.milliseconds.magnitude.quotientAndRemainder(dividingBy: 1000)
        if rest > 0 {
            self.decimal(seconds * 1000 + rest, places: 3, isNegative: time.milliseconds < 0)
        } else {
            self.decimal(seconds, places: 0, isNegative: time.milliseconds < 0)
        }
    }

    /// The shortest decimal that reads back as the same value; `NaN`, `+Inf`, `-Inf`.
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
        guard value.isFinite else { return self.raw(PrometheusNumber.text(value)) }
        var text = value.description
        text.withUTF8 { digits in
            guard let mark = digits.firstIndex(of: UInt8(ascii: "e")) else {
                // Whole numbers end in ".0" here.
                let isWhole = digits.suffix(2).elementsEqual(".0".utf8)
                return self.bytes.append(contentsOf: digits.dropLast(isWhole ? 2 : 0))
            }
            let magnitude = abs(value)
            if magnitude < 1e-6 || magnitude >= 1e21 {
                self.bytes.append(contentsOf: digits)
            } else {
                self.expand(digits[..<mark], exponent: Self.exponent(digits[(mark + 1)...]))
            }
        }
    }

    private static func exponent(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> Int {
        var number = 0
        for byte in text where byte >= UInt8(ascii: "0") { number = number * 10 + Int(byte - UInt8(ascii: "0")) }
        return text.first == UInt8(ascii: "-") ? -number : number
    }

    /// Writes `1.5e-05` as `0.000015`, and `1.5e+16` as `15000000000000000`.
    private mutating func expand(_ mantissa: Slice<UnsafeBufferPointer<UInt8>>, exponent: Int) {
        var digits = mantissa
        if digits.first == UInt8(ascii: "-") { self.bytes.append(digits.removeFirst()) }
        let mark = digits.firstIndex(of: UInt8(ascii: ".")) ?? digits.endIndex
        // Digits before the point.
        var left = mark - digits.startIndex + exponent
        if left <= 0 {
            self.raw("0.")
            for _ in left..<0 { self.bytes.append(UInt8(ascii: "0")) }
        }
        for byte in digits where byte != UInt8(ascii: ".") {
            if left == 0, mark - digits.startIndex + exponent > 0 { self.bytes.append(UInt8(ascii: ".")) }
            self.bytes.append(byte)
            left -= 1
        }
        while left > 0 {
            self.bytes.append(UInt8(ascii: "0"))
            left -= 1
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
        self.decimal(number, places: places, isNegative: integer < 0)
        return true
    }

    /// `number` divided by 10^places.
    private mutating func decimal(_ number: UInt64, places: Int, isNegative: Bool) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { digits in
            var start = digits.count
            func put(_ byte: UInt8) {
                start -= 1
                digits[start] = byte
            }
            var rest = number
            var place = 0
            // Whole numbers two digits at a time: times are most of an answer.
            while places == 0, rest >= 100 {
                let (hundreds, pair) = rest.quotientAndRemainder(dividingBy: 100)
                put(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: pair % 10))
                put(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: pair / 10))
                rest = hundreds
            }
            repeat {
                if place == places, places > 0 { put(UInt8(ascii: ".")) }
                let (tens, ones) = rest.quotientAndRemainder(dividingBy: 10)
                put(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: ones))
                rest = tens
                place += 1
            } while rest > 0 || place <= places
            if isNegative { put(UInt8(ascii: "-")) }
            self.bytes.append(contentsOf: UnsafeBufferPointer(rebasing: digits[start...]))
        }
    }

    /// `,"warnings":[…],"infos":[…]`, as far as there are any.
    mutating func annotations(_ texts: [String]) {
        let infos = texts.filter { $0.hasPrefix("PromQL info") }
        self.list(#","warnings":["#, texts.filter { !$0.hasPrefix("PromQL info") })
        self.list(#","infos":["#, infos)
    }

    private mutating func list(_ opening: StaticString, _ texts: [String]) {
        guard !texts.isEmpty else { return }
        self.raw(opening)
        for (index, text) in texts.enumerated() {
            if index > 0 { self.raw(",") }
            self.string(text)
        }
        self.raw("]")
    }
}

/// The times of a range query as the points of all its series begin.
struct PointTimes: Sendable {
    /// Of all steps, one behind the other.
    let openings: [UInt8]
    /// Where each begins, and the end of the last.
    let starts: [Int]

    init(_ times: [Timestamp]) {
        var text = PrometheusText(capacity: times.count * 20)
        var starts = [0]
        starts.reserveCapacity(times.count + 1)
        for time in times {
            text.opening(time)
            starts.append(text.count)
        }
        self.openings = text.bytes
        self.starts = starts
    }
}
