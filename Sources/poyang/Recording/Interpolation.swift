// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry

extension RecordingMap.Interpolation {
    /// Values at the moments of the pattern, each strictly between two readings of its column.
    ///
    /// On the straight line between them, rounded to three decimals (a millimetre of a level in metres), with method
    /// `interpolated`.
    ///
    /// - Parameter rows: In the order of time.
    /// - Returns: One row per value, in the order of time.
    func rows(between rows: [RecordedRow]) -> [RecordedRow] {
        var last: [Int: (time: Timestamp, value: Double)] = [:]
        var computed: [RecordedRow] = []
        for row in rows {
            for reading in row.values {
                if let start = last[reading.column] {
                    for moment in self.moments(after: start.time, before: row.time) {
                        let share = Double(moment - start.time) / Double(row.time - start.time)
                        let value = start.value + (reading.value - start.value) * share
                        let rounded = RecordedRow.Value(
                            column: reading.column,
                            value: (value * 1000).rounded() / 1000,
                            method: .interpolated
                        )
                        computed.append(RecordedRow(time: moment, line: 0, values: [rounded]))
                    }
                }
                last[reading.column] = (row.time, reading.value)
            }
        }
        return computed.sorted { $0.time < $1.time }
    }

    /// The moments of the pattern in the open interval.
    func moments(after start: Timestamp, before end: Timestamp) -> [Timestamp] {
        var moments: [Timestamp] = []
        // A local time as if it were UTC, from the day before, so that no offset can hide the first one.
        var civil = Timestamp(milliseconds: (start.milliseconds / .day - 2) * .day) + self.at % self.every
        while true {
            let moment = self.moment(of: civil)
            if moment >= end { return moments }
            if moment > start { moments.append(moment) }
            civil = civil + self.every
        }
    }

    private func moment(of civil: Timestamp) -> Timestamp {
        func offset(_ moment: Timestamp) -> Milliseconds {
            let date = Date(timeIntervalSince1970: Double(moment.milliseconds) / 1000)
            return Milliseconds(self.zone.secondsFromGMT(for: date)) * .second
        }
        return civil - offset(civil - offset(civil))
    }
}
