// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Samples of one series as a bulk format gave them.
package struct BulkSeries: Sendable {
    package var labels: Labels
    /// In the order of the input; of equal times the last counts.
    package var times: [Timestamp] = []
    package var values: [Double] = []
    /// `SampleMark` raw values; empty where all are ``defaultMark``.
    package var marks: [UInt8] = []
    /// The line, from 1 within what was read, in which the series occurs first.
    package var line: Int

    /// The mark of a sample whose format has no quality.
    package static let defaultMark = SampleMark.measured.rawValue

    package init(
        labels: Labels,
        times: [Timestamp] = [],
        values: [Double] = [],
        marks: [UInt8] = [],
        line: Int = 1
    ) {
        self.labels = labels
        self.times = times
        self.values = values
        self.marks = marks
        self.line = line
    }

    mutating func append(_ time: Timestamp, _ value: Double, _ mark: UInt8) {
        if mark != Self.defaultMark, self.marks.isEmpty {
            self.marks = [UInt8](repeating: Self.defaultMark, count: self.times.count)
            self.marks.append(mark)
        } else if !self.marks.isEmpty {
            self.marks.append(mark)
        }
        self.times.append(time)
        self.values.append(value)
    }
}

/// Why one line of a bulk file was left out.
package struct BulkLineError: Error, Hashable, Sendable, CustomStringConvertible {
    /// From 1, within what was read.
    package var line: Int
    /// The byte, from 1, at which reading stopped.
    package var column: Int
    /// What is wrong and, where that is not plain, what would be right.
    package var message: String

    package init(line: Int, column: Int, message: String) {
        self.line = line
        self.column = column
        self.message = message
    }

    /// `line:column: message`.
    package var description: String { "\(self.line):\(self.column): \(self.message)" }
}

/// What a slice of whole lines held.
package struct BulkPiece: Sendable {
    /// In the order of their first lines; a label set occurs again only where it was spelled otherwise.
    package var series: [BulkSeries] = []
    /// The first of the refused lines, as many as the reader keeps.
    package var errors: [BulkLineError] = []
    /// Lines that were refused, those beyond ``errors`` too.
    package var refused = 0
    /// Lines of the slice.
    package var lines = 0
    package var samples = 0
    /// Whether OpenMetrics's `# EOF` was seen.
    package var hasEnd = false

    package init() {}
}

/// Why a line cannot be used; its line number is known one level up.
struct LineProblem: Error {
    /// Bytes from the start of the line.
    let offset: Int
    let message: String
}
