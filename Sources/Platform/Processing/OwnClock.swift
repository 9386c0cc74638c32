// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Telemetry

/// Whether this machine's clock can be believed: a clock older than the newest stored sample cannot.
///
/// Readings may be ahead of their receipt by the policy's skew, so a believed clock never stores one beyond it. While
/// the clock is suspect nothing is refused for its time, clocks of sites follow their data, and timers of the wall clock
/// stand still.
struct OwnClock {
    /// How far the newest sample may be ahead.
    let skew: Milliseconds

    func isSuspect(newest: Timestamp?, at now: Timestamp) -> Bool {
        newest.map { $0 > now + self.skew } ?? false
    }

    /// What is wrong and what to do; nil while the clock can be believed.
    func fault(newest: Timestamp?, at now: Timestamp) -> String? {
        guard let newest, self.isSuspect(newest: newest, at: now) else { return nil }
        return
            "our own clock says \(now.rfc3339()), but the newest stored sample is of \(newest.rfc3339()): until the clock "
            + "has passed it, nothing is refused for its time and timers stand still; set this machine's clock "
            + "(timedatectl status)"
    }
}
