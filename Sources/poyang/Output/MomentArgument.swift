// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Telemetry

/// A moment given on the command line.
///
/// RFC 3339 (`2022-06-21T16:00:00+08:00`), a date or a date-time without a zone (read at +08:00), Unix seconds
/// (`1655798400`), or `now`.
struct MomentArgument: ExpressibleByArgument, Hashable {
    let time: Timestamp

    init?(argument: String) {
        if argument == "now" {
            self.time = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        } else if let time = Timestamp(rfc3339: argument, defaultOffsetMinutes: Timestamp.chinaOffsetMinutes) {
            self.time = time
        } else if let seconds = Double(argument), seconds.isFinite, abs(seconds) < 1e12 {
            self.time = Timestamp(milliseconds: Int64((seconds * 1000).rounded()))
        } else {
            return nil
        }
    }

    /// Seconds since 1970, as the query interface takes them.
    var unixSeconds: String {
        let milliseconds = self.time.milliseconds
        return milliseconds % 1000 == 0 ? String(milliseconds / 1000) : String(Double(milliseconds) / 1000)
    }
}

/// A span given on the command line as Prometheus writes it: `5m`, `1h30m`, `1d`.
struct SpanArgument: ExpressibleByArgument, Hashable {
    let milliseconds: Milliseconds

    init(milliseconds: Milliseconds) { self.milliseconds = milliseconds }

    init?(argument: String) {
        guard let span = PrometheusDuration.parse(argument) else { return nil }
        self.milliseconds = span
    }

    var defaultValueDescription: String { PrometheusDuration.text(self.milliseconds) }
}
