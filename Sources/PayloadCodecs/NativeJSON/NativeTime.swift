// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// What stands under `ts`.
enum NativeTime {
    case time(Timestamp)
    case invalid(String)

    /// 2000-01-01T00:00:00Z; no sensor that speaks MQTT measured anything before.
    private static let earliest = 946_684_800_000.0
    /// 9999-12-31T23:59:59.999Z, the last moment that RFC 3339 can write.
    private static let latest = 253_402_300_799_999.0

    /// Scans milliseconds since 1970 or an RFC 3339 text.
    init(_ scanner: inout JSONScanner, _ bytes: Span<UInt8>) throws(JSONError) {
        switch scanner.peek(bytes) ?? 0 {
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            self = Self.check(try scanner.number(bytes))
        case UInt8(ascii: "\""):
            let (range, isEscaped) = try scanner.string(bytes)
            guard !isEscaped, range.count <= 40, let text = JSONText.unescape(range, bytes) else {
                self = .invalid("ts is a text that is not an RFC 3339 time such as 2022-06-21T16:56:00+08:00")
                return
            }
            guard let time = Timestamp(rfc3339: text) else {
                let isZoneMissing = Timestamp(rfc3339: text, defaultOffsetMinutes: 0) != nil
                self = .invalid(
                    isZoneMissing
                        ? "ts \"\(text)\" has no zone; write 2022-06-21T16:56:00+08:00"
                        : "ts \"\(text)\" is not an RFC 3339 time such as 2022-06-21T16:56:00+08:00"
                )
                return
            }
            self = Self.check(Double(time.milliseconds))
        default:
            try scanner.skipValue(bytes, depth: 3)
            self = .invalid("ts is neither milliseconds since 1970 nor an RFC 3339 time; leave it out if there is none")
        }
    }

    private static func check(_ milliseconds: Double) -> NativeTime {
        guard milliseconds >= Self.earliest else {
            let advice =
                milliseconds >= Self.earliest / 1000
                ? "; it looks like seconds, but milliseconds are expected" : "; has the device's clock been set?"
            return .invalid("ts \(Self.shown(milliseconds)) is before 2000-01-01\(advice)")
        }
        guard milliseconds <= Self.latest else {
            return .invalid(
                "ts \(Self.shown(milliseconds)) is after the year 9999; milliseconds since 1970 are expected"
            )
        }
        return .time(Timestamp(milliseconds: Int64(milliseconds)))
    }

    private static func shown(_ milliseconds: Double) -> String {
        Int64(exactly: milliseconds).map { "\($0)" } ?? "\(milliseconds)"
    }
}
