// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Days of +08:00 that begin at a fixed time: the hydrological day at 08:00, the meteorological one at 20:00.
///
/// A day is the time `(b, b + 24 h]` after a boundary `b`, because a depth or mean stamped at its end belongs to it.
package struct CalendarDays: Hashable, Sendable {
    /// When days begin, in ms after 00:00 UTC, from 0 to below a day.
    private let offset: Milliseconds

    /// `boundary`: minutes after 00:00 +08:00.
    package init(boundary: Int) {
        let local = Milliseconds(boundary - Timestamp.chinaOffsetMinutes) * .minute
        self.offset = (local % .day + .day) % .day
    }

    /// The local time at which days begin, such as `08:00`.
    package var boundary: String {
        let local = CivilTime(Timestamp(milliseconds: self.offset), offsetMinutes: Timestamp.chinaOffsetMinutes)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(local.hour)):\(two(local.minute))"
    }

    /// Whether a window of this length is one of calendar days.
    func count(_ length: Milliseconds) -> Bool { length > 0 && length % .day == 0 }

    /// The boundary at which the day of a moment began.
    func start(of moment: Timestamp) -> Timestamp {
        let into = ((moment.milliseconds - self.offset) % .day + .day) % .day
        return moment - (into == 0 ? .day : into)
    }

    /// Where a window of whole days ends to the left: it holds the moment's own day so far, and the days before it.
    func windowStart(through moment: Timestamp, length: Milliseconds) -> Timestamp {
        self.start(of: moment) - (length - .day)
    }

    /// The first moment of the next day, at which a window of whole days lets go of its oldest.
    func turn(after moment: Timestamp) -> Timestamp { self.start(of: moment) + .day + 1 }

    /// What the multiples of a step of whole days are counted from.
    func origin(ofStep step: Milliseconds) -> Milliseconds { self.count(step) ? self.offset : 0 }
}
