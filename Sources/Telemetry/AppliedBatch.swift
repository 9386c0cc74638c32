// poyang
// SPDX-License-Identifier: Apache-2.0

/// A committed batch's number: rising by one, never reused.
package struct JournalPosition: Hashable, Comparable, Sendable, RawRepresentable, Codable {
    package let rawValue: Int64
    package init(rawValue: Int64) { self.rawValue = rawValue }
    package static let start = JournalPosition(rawValue: 0)
    package static func < (left: JournalPosition, right: JournalPosition) -> Bool { left.rawValue < right.rawValue }
}

/// One sample that became part of its series.
package struct AppliedSample: Sendable {
    package var series: SeriesKey
    package var sample: Sample

    package init(series: SeriesKey, sample: Sample) {
        self.series = series
        self.sample = sample
    }
}

/// What one journal entry brought, as the rules see it.
package struct AppliedBatch: Sendable {
    package enum Content: Sendable {
        /// Samples that were stored, or that changed the value at their time; duplicates are not among them.
        ///
        /// All that changed, but for an empty list: it may stand for an import or a deletion, too, after which nothing
        /// that was read before holds.
        case samples([AppliedSample])
        /// `poyang clock advance`: moves the data clock of one site, or of all.
        case clockAdvance(site: String?, to: Timestamp)
    }

    package var position: JournalPosition
    /// When the batch was read from its source.
    package var receivedAt: Timestamp
    package var content: Content

    package init(position: JournalPosition, receivedAt: Timestamp, content: Content) {
        self.position = position
        self.receivedAt = receivedAt
        self.content = content
    }
}
