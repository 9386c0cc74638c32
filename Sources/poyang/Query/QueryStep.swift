// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The distance between two moments of a range, where none is asked for.
enum QueryStep {
    /// How many moments a range has at about.
    static let points: Milliseconds = 250

    /// What people count in: times fall on whole minutes, hours and days.
    private static let round: [Milliseconds] =
        [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 40].map { $0 * .second }
        + [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 40].map { $0 * .minute }
        + [1, 2, 3, 4, 6, 8, 12, 16].map { $0 * .hour } + [1, 2, 3, 4, 5, 7, 10, 14, 21, 28].map { $0 * .day }

    /// The round span by which the range comes closest to 250 moments; whole months of 28 days for very long ranges.
    static func fitting(from: Timestamp, to: Timestamp) -> Milliseconds {
        let exact = max(1, (to - from) / Self.points)
        if let last = Self.round.last, exact > last { return (exact / last + 1) * last }
        // Distances count as ratios: 4 is as far from 2 as 8 is.
        return Self.round.min { Self.ratio($0, exact) < Self.ratio($1, exact) } ?? .second
    }

    private static func ratio(_ left: Milliseconds, _ right: Milliseconds) -> Double {
        Double(max(left, right)) / Double(min(left, right))
    }
}
