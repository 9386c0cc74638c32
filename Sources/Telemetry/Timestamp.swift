// poyang
// SPDX-License-Identifier: Apache-2.0

/// A moment, in milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
package struct Timestamp: Hashable, Comparable, Sendable, Codable {
    /// Milliseconds since the Unix epoch; negative before 1970.
    package var milliseconds: Int64

    /// The earliest representable moment; older than anything stored.
    package static let distantPast = Timestamp(milliseconds: .min)
    /// The latest representable moment; newer than anything stored.
    package static let distantFuture = Timestamp(milliseconds: .max)

    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    package init(from decoder: any Decoder) throws {
        self.milliseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.milliseconds)
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.milliseconds < right.milliseconds
    }

    /// The moment `span` milliseconds later, held inside the representable range.
    package static func + (moment: Timestamp, span: Milliseconds) -> Timestamp {
        let (sum, overflow) = moment.milliseconds.addingReportingOverflow(span)
        guard overflow else { return Timestamp(milliseconds: sum) }
        return span > 0 ? .distantFuture : .distantPast
    }

    /// The moment `span` milliseconds earlier, held inside the representable range.
    package static func - (moment: Timestamp, span: Milliseconds) -> Timestamp {
        let (difference, overflow) = moment.milliseconds.subtractingReportingOverflow(span)
        guard overflow else { return Timestamp(milliseconds: difference) }
        return span > 0 ? .distantPast : .distantFuture
    }

    /// Milliseconds from `right` to `left`.
    package static func - (left: Timestamp, right: Timestamp) -> Milliseconds {
        let (difference, overflow) = left.milliseconds.subtractingReportingOverflow(right.milliseconds)
        guard overflow else { return difference }
        return left > right ? .max : .min
    }
}

/// A span of time in whole milliseconds.
///
/// The hot paths add and compare these; `Duration` (attoseconds) stays at the edges.
package typealias Milliseconds = Int64

extension Milliseconds {
    package static let second: Milliseconds = 1000
    package static let minute: Milliseconds = 60_000
    package static let hour: Milliseconds = 3_600_000
    package static let day: Milliseconds = 86_400_000
}
