// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Samples of one series in columns of equal length, times strictly rising.
struct Columns: Sendable, Equatable {
    var times: [Timestamp] = []
    var values: [Double] = []
    /// Raw ``SampleMark`` bytes.
    var marks: [UInt8] = []

    var count: Int { self.times.count }
    var isEmpty: Bool { self.times.isEmpty }

    mutating func append(_ time: Timestamp, _ value: Double, _ mark: UInt8) {
        self.times.append(time)
        self.values.append(value)
        self.marks.append(mark)
    }

    mutating func reserveCapacity(_ count: Int) {
        self.times.reserveCapacity(count)
        self.values.reserveCapacity(count)
        self.marks.reserveCapacity(count)
    }

    static func == (left: Columns, right: Columns) -> Bool {
        left.times == right.times && left.marks == right.marks
            && left.values.map(\.bitPattern) == right.values.map(\.bitPattern)
    }
}
