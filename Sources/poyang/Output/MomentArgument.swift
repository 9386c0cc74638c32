// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Telemetry

/// A moment given on the command line.
///
/// RFC 3339 (`2022-06-21T16:00:00+08:00`), a date or a date-time without a zone (`2022-06-21 16:00`, read at +08:00),
/// Unix seconds (`1655798400`), `now`, or a span before or after now (`-6h`, `now-1d`, `+30m`).
struct MomentArgument: Hashable {
    let time: Timestamp

    static var now: MomentArgument {
        MomentArgument(time: Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)))
    }

    private init(time: Timestamp) { self.time = time }

    /// - Throws: What would be right.
    static func read(_ text: String) throws -> MomentArgument {
        guard let moment = MomentArgument(text, now: self.now.time) else {
            throw ValidationError(
                "write a time like 2022-06-21T16:00:00+08:00, 2022-06-21, now, -6h, or in seconds since 1970"
            )
        }
        return moment
    }

    init?(_ text: String, now: Timestamp) {
        let text = text.trimmingCharacters(in: .whitespaces)
        if let span = Self.distance(text) {
            self.time = now + span
        } else if let time = Timestamp(rfc3339: text, defaultOffsetMinutes: Timestamp.chinaOffsetMinutes) {
            self.time = time
        } else if let seconds = Double(text), seconds.isFinite, abs(seconds) < 1e12 {
            self.time = Timestamp(milliseconds: Int64((seconds * 1000).rounded()))
        } else {
            return nil
        }
    }

    /// How far from now `now`, `-6h`, `now-6h` or `+30m` is; a bare `-3600` is a time of 1969.
    private static func distance(_ text: String) -> Milliseconds? {
        var rest = Substring(text)
        let namesNow = rest.lowercased().hasPrefix("now")
        if namesNow {
            rest = rest.dropFirst(3).drop { $0 == " " }
            if rest.isEmpty { return 0 }
        }
        guard let sign = rest.first, sign == "-" || sign == "+" else { return nil }
        rest = rest.dropFirst().drop { $0 == " " }
        guard rest.contains(where: \.isLetter), let span = PrometheusDuration.parse(rest) else { return nil }
        return sign == "-" ? -span : span
    }

    /// Seconds since 1970, as the query interface takes them.
    var unixSeconds: String {
        let milliseconds = self.time.milliseconds
        return milliseconds % 1000 == 0 ? String(milliseconds / 1000) : String(Double(milliseconds) / 1000)
    }
}

/// A span given on the command line as Prometheus writes it: `5m`, `1h30m`, `1d`; a bare number is seconds.
struct SpanArgument: ExpressibleByArgument, Hashable {
    let milliseconds: Milliseconds

    init(milliseconds: Milliseconds) { self.milliseconds = milliseconds }

    init?(argument: String) {
        if let span = PrometheusDuration.parse(argument) {
            self.milliseconds = span
        } else if let seconds = Double(argument), seconds >= 0, seconds < 1e12 {
            self.milliseconds = Milliseconds((seconds * 1000).rounded())
        } else {
            return nil
        }
    }

    var defaultValueDescription: String { PrometheusDuration.text(self.milliseconds) }
}
