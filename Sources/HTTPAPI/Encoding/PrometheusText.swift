// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Writes the parts of Prometheus's JSON: times as seconds, values as strings (Prometheus HTTP API, "Format overview").
struct PrometheusText {
    private(set) var bytes: [UInt8]
    /// Of the value before: those of one series mostly have as many.
    private var places = 0
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
        self.bytes.append(UInt8(ascii: "["))
        self.time(time)
        self.raw(#",""#)
        self.number(value)
        self.raw(#""]"#)
    }

    /// Seconds, with three places where they are not whole.
    mutating func time(_ time: Timestamp) {
        let (seconds, rest) = time.milliseconds.magnitude.quotientAndRemainder(dividingBy: 1000)
        if time.milliseconds < 0 { self.bytes.append(UInt8(ascii: "-")) }
        self.digits(seconds, atLeast: 1)
        guard rest > 0 else { return }
        self.bytes.append(UInt8(ascii: "."))
        self.digits(rest, atLeast: 3)
    }

    /// The shortest decimal that reads back as the same value; `NaN`, `+Inf`, `-Inf`.
    mutating func number(_ value: Double) {
        if self.decimal(value, places: self.places) { return }
        if let places = DecimalScale.places(of: value), self.decimal(value, places: places) {
            self.places = places
            return
        }
        var text = value.description
        let isPlain = text.withUTF8 { digits -> Bool in
            // NaN, the infinities and exponents are the exception.
            guard value.isFinite, !digits.contains(UInt8(ascii: "e")) else { return false }
            self.bytes.append(contentsOf: digits)
            return true
        }
        if !isPlain { self.raw(PrometheusNumber.text(value)) }
    }

    /// A value that is a decimal of so many places, and of 15 digits at most: the shortest text of it, then.
    private mutating func decimal(_ value: Double, places: Int) -> Bool {
        guard let integer = DecimalScale.integer(value, power: DecimalScale.powers[places]),
            integer.magnitude < 1_000_000_000_000_000
        else { return false }
        if integer < 0 { self.bytes.append(UInt8(ascii: "-")) }
        var number = integer.magnitude
        var places = places
        while places > 0, number % 10 == 0 {
            number /= 10
            places -= 1
        }
        guard places > 0 else {
            self.digits(number, atLeast: 1)
            return true
        }
        self.digits(number, atLeast: places + 1)
        self.bytes.insert(UInt8(ascii: "."), at: self.bytes.count - places)
        return true
    }

    private mutating func digits(_ number: UInt64, atLeast least: Int) {
        var rest = number
        var reversed = InlineArray<20, UInt8>(repeating: UInt8(ascii: "0"))
        var count = 0
        repeat {
            let (tens, ones) = rest.quotientAndRemainder(dividingBy: 10)
            reversed[count] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: ones)
            rest = tens
            count += 1
        } while rest > 0
        count = max(count, least)
        for index in stride(from: count - 1, through: 0, by: -1) { self.bytes.append(reversed[index]) }
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
