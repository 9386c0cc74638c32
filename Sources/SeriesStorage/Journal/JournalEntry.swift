// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// One committed row of the journal: what ``SeriesStore/commit(_:handOver:)`` made durable, ready to be applied.
///
/// A restart decodes the same value from disk, so that the live path and the re-fed path are one.
package struct JournalEntry: Sendable {
    package enum Content: Sendable {
        /// The readings of a batch in the order in which they came.
        case readings([JournalReading])
        /// Moves the data clock of one site, or of all.
        case clockAdvance(site: String?, to: Timestamp)
        /// Samples in these spans changed without passing the rules (bulk import).
        case invalidation([SeriesSpan])
        /// The samples of these series in `[from, through]` are to go.
        case removal([SeriesID], from: Timestamp, through: Timestamp)
    }

    package let position: JournalPosition
    /// When the batch was read from its source.
    package let receivedAt: Timestamp
    package let content: Content
    /// Values refused with this batch.
    package let refused: [QuarantineReason: Int]
    /// Messages that the batch held.
    package let messages: Int

    init(
        position: JournalPosition,
        receivedAt: Timestamp,
        content: Content,
        refused: [QuarantineReason: Int] = [:],
        messages: Int = 0
    ) {
        self.position = position
        self.receivedAt = receivedAt
        self.content = content
        self.refused = refused
        self.messages = messages
    }
}

/// A part of a series, `[from, through]`.
package struct SeriesSpan: Hashable, Sendable {
    package let series: SeriesID
    package let from: Timestamp
    package let through: Timestamp
}

/// One reading of a journal entry, with its final time.
package struct JournalReading: Sendable {
    package let series: SeriesID
    package let sample: Sample
    /// Another quality of the sample that is stored, not a value.
    package let isRevision: Bool

    init(series: SeriesID, sample: Sample, isRevision: Bool = false) {
        self.series = series
        self.sample = sample
        self.isRevision = isRevision
    }
}

/// Where the values of one entry ended: each in exactly one of the four.
package struct ApplyCounts: Hashable, Sendable {
    /// New points.
    package var stored = 0
    /// Same series, time and value as a sample that was there; the first one's mark stays.
    package var duplicates = 0
    /// A point that got another value or another quality; the old one is in the audit table.
    package var revised = 0
    package var quarantined: [QuarantineReason: Int] = [:]

    package init() {}
}
