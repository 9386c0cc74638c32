// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Samples of one series in columns of equal length, times strictly rising.
package struct Columns: Sendable, Equatable {
    package var times: [Timestamp]
    package var values: [Double]
    /// Raw ``SampleMark`` bytes.
    package var marks: [UInt8]

    package init(times: [Timestamp] = [], values: [Double] = [], marks: [UInt8] = []) {
        self.times = times
        self.values = values
        self.marks = marks
    }

    package var count: Int { self.times.count }
    package var isEmpty: Bool { self.times.isEmpty }

    package mutating func append(_ time: Timestamp, _ value: Double, _ mark: UInt8) {
        self.times.append(time)
        self.values.append(value)
        self.marks.append(mark)
    }

    package mutating func reserveCapacity(_ count: Int) {
        self.times.reserveCapacity(count)
        self.values.reserveCapacity(count)
        self.marks.reserveCapacity(count)
    }

    package static func == (left: Columns, right: Columns) -> Bool {
        left.times == right.times && left.marks == right.marks
            && left.values.map(\.bitPattern) == right.values.map(\.bitPattern)
    }
}
