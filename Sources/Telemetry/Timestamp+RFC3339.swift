// poyang
// SPDX-License-Identifier: Apache-2.0

extension Timestamp {
    /// Minutes that China Standard Time is ahead of UTC; China has one zone and no summer time today.
    package static let chinaOffsetMinutes = 480

    /// Reads an RFC 3339 date-time (section 5.6): `2018-08-31T22:40:00Z`, `2022-06-21 16:00:00.5+08:00`.
    ///
    /// Fractions beyond the millisecond are cut off. Seconds may be left out (`2022-06-21T16:00+08:00`).
    /// A date alone, or a date-time without a zone, is read at `defaultOffsetMinutes`; without that it is refused.
    ///
    /// - Returns: `nil` when the text has another form or a field is out of range.
    package init?(rfc3339 text: some StringProtocol, defaultOffsetMinutes: Int? = nil) {
        var fields = ASCIIFields(text)
        guard let year = fields.digits(4), fields.take("-"), let month = fields.digits(2), fields.take("-"),
            let day = fields.digits(2)
        else { return nil }
        var civil = CivilTime(year: year, month: month, day: day)
        var offset = defaultOffsetMinutes
        if !fields.isAtEnd {
            guard fields.take("T") || fields.take("t") || fields.take(" "), let hour = fields.digits(2),
                fields.take(":"), let minute = fields.digits(2)
            else { return nil }
            civil.hour = hour
            civil.minute = minute
            if fields.take(":") {
                guard let second = fields.digits(2) else { return nil }
                civil.second = second == 60 ? 59 : second
                if fields.take(".") {
                    guard let fraction = fields.fraction() else { return nil }
                    civil.millisecond = fraction
                }
            }
            if let zone = fields.zone() { offset = zone }
        }
        guard let offset, fields.isAtEnd, civil.isValid else { return nil }
        self = civil.timestamp(offsetMinutes: offset)
    }

    /// RFC 3339 at the given offset, in China Standard Time unless asked otherwise: `2018-09-01T06:40:00+08:00`.
    ///
    /// Milliseconds appear only when they are not zero; the offset is always numeric, as CAP 1.2 wants it.
    package func rfc3339(offsetMinutes: Int = Timestamp.chinaOffsetMinutes) -> String {
        let civil = CivilTime(self, offsetMinutes: offsetMinutes)
        var text = "\(padded(civil.year, 4))-\(padded(civil.month, 2))-\(padded(civil.day, 2))T"
        text += "\(padded(civil.hour, 2)):\(padded(civil.minute, 2)):\(padded(civil.second, 2))"
        if civil.millisecond != 0 { text += ".\(padded(civil.millisecond, 3))" }
        let distance = abs(offsetMinutes)
        text += "\(offsetMinutes < 0 ? "-" : "+")\(padded(distance / 60, 2)):\(padded(distance % 60, 2))"
        return text
    }
}

extension Timestamp: CustomStringConvertible {
    /// In China standard time, as ``rfc3339(offsetMinutes:)`` writes it.
    public var description: String { self.rfc3339() }
}

private func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

/// A cursor over the ASCII fields of a time stamp.
private struct ASCIIFields {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: some StringProtocol) {
        self.bytes = Array(text.utf8.prefix(64))
    }

    var isAtEnd: Bool { self.position == self.bytes.count }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard self.position < self.bytes.count, self.bytes[self.position] == UInt8(ascii: character) else {
            return false
        }
        self.position += 1
        return true
    }

    mutating func digits(_ count: Int) -> Int? {
        guard self.position + count <= self.bytes.count else { return nil }
        var number = 0
        for byte in self.bytes[self.position..<self.position + count] {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
        }
        self.position += count
        return number
    }

    /// The milliseconds of a decimal fraction; at least one digit must follow the point.
    mutating func fraction() -> Int? {
        var milliseconds = 0
        var seen = 0
        while let digit = self.digits(1) {
            if seen < 3 { milliseconds = milliseconds * 10 + digit }
            seen += 1
        }
        guard seen > 0 else { return nil }
        for _ in seen..<max(seen, 3) { milliseconds *= 10 }
        return milliseconds
    }

    mutating func zone() -> Int? {
        if self.take("Z") || self.take("z") { return 0 }
        let saved = self.position
        let sign = self.take("+") ? 1 : self.take("-") ? -1 : 0
        guard sign != 0, let hours = self.digits(2), hours < 24 else {
            self.position = saved
            return nil
        }
        _ = self.take(":")
        guard let minutes = self.digits(2), minutes < 60 else {
            self.position = saved
            return nil
        }
        return sign * (hours * 60 + minutes)
    }
}
