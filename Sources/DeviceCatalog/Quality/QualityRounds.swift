// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Which series are to be compared with others anew: those that have newer samples than before, or whose others have.
package struct QualityRounds: Sendable {
    /// A series, and from when on its samples are to be looked at.
    package struct Due: Hashable, Sendable {
        package var series: Labels
        package var from: Timestamp
    }

    /// Late readings and others change flags so far back; beyond it `poyang qc run --apply` does.
    package static let reach: Milliseconds = 3 * .day

    /// The newest sample of each series when it was looked at last.
    private var newest: [Labels: Timestamp] = [:]

    package init() {}

    /// Goes on to what is to be looked at now; who does not come to look keeps the rounds as they were.
    ///
    /// Reads samples that are newer than those before, and no others.
    ///
    /// - Parameters:
    ///   - series: All series that have tests across series.
    ///   - review: Knows which others each is compared with.
    ///   - reader: The store.
    ///   - full: Whether to look at all of them: samples that came late make none the newest.
    /// - Returns: Those to be looked at, in the order given.
    /// - Throws: When the store cannot be read.
    package mutating func due(
        _ series: [Labels],
        _ review: QualityReview,
        in reader: any SeriesReader,
        full: Bool
    ) throws -> [Due] {
        let before = self.newest
        var seen: [Labels: Bool] = [:]
        var due: [Due] = []
        for own in series {
            var isDue = full
            for labels in [own] + review.others(of: own) {
                let moved = try seen[labels] ?? self.advance(labels, in: reader)
                seen[labels] = moved
                isDue = isDue || moved
            }
            guard isDue, let now = self.newest[own] else { continue }
            due.append(Due(series: own, from: (before[own] ?? now) - Self.reach))
        }
        return due
    }

    /// Whether a series has samples that are newer than before.
    private mutating func advance(_ labels: Labels, in reader: any SeriesReader) throws -> Bool {
        let request = SelectRequest(
            matchers: labels.matchers,
            extent: .window(after: self.newest[labels] ?? .distantPast, through: .distantFuture),
            qualities: .all
        )
        guard let last = try reader.select(request).first(where: { $0.labels == labels })?.times.last else {
            return false
        }
        self.newest[labels] = last
        return true
    }
}
