// poyang
// SPDX-License-Identifier: Apache-2.0

/// A moment, in milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
public struct Timestamp: Hashable, Comparable, Sendable, Codable {
    /// Milliseconds since the Unix epoch; negative before 1970.
    public var milliseconds: Int64

    // Public and inlinable, because the loops over millions of samples are in other rooms, and Swift does not inline what
    // is `package` there (decision 0011).

    /// The earliest representable moment; older than anything stored.
    @inlinable
    public static var distantPast: Timestamp { Timestamp(milliseconds: .min) }

    /// The latest representable moment; newer than anything stored.
    @inlinable
    public static var distantFuture: Timestamp { Timestamp(milliseconds: .max) }

    /// Milliseconds since the Unix epoch.
    @inlinable
    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// From a whole number of milliseconds.
    public init(from decoder: any Decoder) throws {
        self.milliseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    /// As a whole number of milliseconds.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.milliseconds)
    }

    /// The same moment.
    @inlinable
    public static func == (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds == right.milliseconds }

    /// Earlier.
    @inlinable
    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }

    /// Earlier or the same.
    @inlinable
    public static func <= (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds <= right.milliseconds }

    /// Later.
    @inlinable
    public static func > (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds > right.milliseconds }

    /// Later or the same.
    @inlinable
    public static func >= (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds >= right.milliseconds }

    /// The moment `span` milliseconds later, held inside the representable range.
    @inlinable
    public static func + (moment: Timestamp, span: Milliseconds) -> Timestamp {
        let (sum, overflow) = moment.milliseconds.addingReportingOverflow(span)
        guard overflow else { return Timestamp(milliseconds: sum) }
        return span > 0 ? .distantFuture : .distantPast
    }

    /// The moment `span` milliseconds earlier, held inside the representable range.
    @inlinable
    public static func - (moment: Timestamp, span: Milliseconds) -> Timestamp {
        let (difference, overflow) = moment.milliseconds.subtractingReportingOverflow(span)
        guard overflow else { return Timestamp(milliseconds: difference) }
        return span > 0 ? .distantPast : .distantFuture
    }

    /// Milliseconds from `right` to `left`.
    @inlinable
    public static func - (left: Timestamp, right: Timestamp) -> Milliseconds {
        let (difference, overflow) = left.milliseconds.subtractingReportingOverflow(right.milliseconds)
        guard overflow else { return difference }
        return left > right ? .max : .min
    }
}

/// A span of time in whole milliseconds.
///
/// The hot paths add and compare these; `Duration` (attoseconds) stays at the edges.
public typealias Milliseconds = Int64

extension Milliseconds {
    package static let second: Milliseconds = 1000
    package static let minute: Milliseconds = 60_000
    package static let hour: Milliseconds = 3_600_000
    package static let day: Milliseconds = 86_400_000
}
