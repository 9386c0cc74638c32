// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// For which moment the list of silent channels was made last, as it is kept in the catalogue among the clocks.
struct MorningNote {
    private static let key = "list/silence"

    let moment: Timestamp

    init(moment: Timestamp) { self.moment = moment }

    /// What a row says; nil where it is the row of something else.
    init?(_ row: ClockRow) {
        guard row.key == Self.key, let milliseconds = Int64(row.json) else { return nil }
        self.moment = Timestamp(milliseconds: milliseconds)
    }

    var row: ClockRow { ClockRow(key: Self.key, json: "\(self.moment.milliseconds)") }
}
