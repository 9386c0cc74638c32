// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Something on disk that is not what was written.
package struct Damage: Sendable, Hashable {
    package enum What: String, Sendable, CaseIterable {
        /// Pages or the write-ahead log, as SQLite sees them.
        case file
        /// The labels of a series.
        case series
        /// An acknowledged batch that is in no block yet.
        case journal
        /// A block as a whole: its row, its bytes or its directory.
        case block
        /// The samples of one series in one block.
        case chunk
        case quarantine
        case revision
        case delivery
        /// A number that the store keeps about itself does not fit what it holds.
        case state
        /// Something of `catalog.db`.
        case catalog
    }

    package var what: What
    /// Whose samples; nil where many series or none are concerned.
    package var series: Labels?
    /// The first moment that is concerned, where it is known.
    package var from: Timestamp?
    package var through: Timestamp?
    /// The row of the block, where it is one.
    package var block: Int64?
    package var message: String

    package init(
        _ what: What,
        _ message: String,
        series: Labels? = nil,
        from: Timestamp? = nil,
        through: Timestamp? = nil,
        block: Int64? = nil
    ) {
        self.what = what
        self.message = message
        self.series = series
        self.from = from
        self.through = through
        self.block = block
    }
}

/// What a verification looked at, and what it found.
package struct VerificationReport: Sendable, Hashable {
    package var series = 0
    package var journalEntries = 0
    package var journalReadings = 0
    package var blocks = 0
    package var chunks = 0
    /// Samples of all chunks that could be read; a time that two generations hold is counted twice.
    package var samples = 0
    package var revisions = 0
    package var quarantined = 0
    package var deliveries = 0
    /// The newest batch that is in the file.
    package var committed = JournalPosition.start
    /// Up to where the journal is in the blocks.
    package var sealed = JournalPosition.start
    package var damages: [Damage] = []

    package init() {}

    package var isClean: Bool { self.damages.isEmpty }
}
