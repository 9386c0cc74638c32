// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// All that one processed journal entry changed; ``CatalogStore/commit(_:)`` stores it whole or not at all.
///
/// Texts named `json` are opaque here: who writes them reads them.
package struct ProcessedBatch: Sendable {
    /// The journal entry that was processed; `nil` for changes that no reading brought (an acknowledgement).
    package var position: JournalPosition?
    package var alertStates: [AlertStateRow]
    package var removedAlertStates: [AlertStateRow.Key]
    /// Alerts that began, were held or ended, in this order.
    package var alertHistory: [AlertInterval]
    package var clocks: [ClockRow]
    package var warnings: [WarningRow]
    /// Values that only grow: the last number given out, by sequence name.
    package var counters: [String: Int64]
    package var feed: [FeedEntry]
    package var ledger: [LedgerFact]

    package init(
        position: JournalPosition? = nil,
        alertStates: [AlertStateRow] = [],
        removedAlertStates: [AlertStateRow.Key] = [],
        alertHistory: [AlertInterval] = [],
        clocks: [ClockRow] = [],
        warnings: [WarningRow] = [],
        counters: [String: Int64] = [:],
        feed: [FeedEntry] = [],
        ledger: [LedgerFact] = []
    ) {
        self.position = position
        self.alertStates = alertStates
        self.removedAlertStates = removedAlertStates
        self.alertHistory = alertHistory
        self.clocks = clocks
        self.warnings = warnings
        self.counters = counters
        self.feed = feed
        self.ledger = ledger
    }
}

/// The present state of one warning.
package struct WarningRow: Hashable, Sendable {
    package var number: String
    package var org: String
    package var site: String
    package var hazard: String
    /// `Actual` or `Exercise`.
    package var status: String
    package var isActive: Bool
    /// Event time of the first and of the newest step.
    package var issuedAt: Timestamp
    package var updatedAt: Timestamp
    package var json: String

    package init(
        number: String,
        org: String,
        site: String,
        hazard: String,
        status: String,
        isActive: Bool,
        issuedAt: Timestamp,
        updatedAt: Timestamp,
        json: String
    ) {
        self.number = number
        self.org = org
        self.site = site
        self.hazard = hazard
        self.status = status
        self.isActive = isActive
        self.issuedAt = issuedAt
        self.updatedAt = updatedAt
        self.json = json
    }
}

/// One message on its way into the feed.
package struct FeedEntry: Hashable, Sendable {
    /// Number of the warning.
    package var number: String
    /// Unique over the whole feed.
    package var identifier: String
    /// What happened: `issued`, `raised` and so on.
    package var action: String
    package var sentAt: Timestamp
    package var json: String

    package init(number: String, identifier: String, action: String, sentAt: Timestamp, json: String) {
        self.number = number
        self.identifier = identifier
        self.action = action
        self.sentAt = sentAt
        self.json = json
    }
}

/// One message of the feed with its sequence number: rising, never reused, not always without gaps.
package struct FeedRow: Hashable, Sendable {
    package var sequence: Int64
    package var entry: FeedEntry

    package init(sequence: Int64, entry: FeedEntry) {
        self.sequence = sequence
        self.entry = entry
    }
}

/// One fact in the ledger, chained to the one before it.
package struct LedgerRow: Hashable, Sendable {
    /// From 1, without gaps.
    package var sequence: Int64
    package var fact: LedgerFact
    /// SHA-256 in lower-case hexadecimal over the hash before it and this fact.
    package var hash: String

    package init(sequence: Int64, fact: LedgerFact, hash: String) {
        self.sequence = sequence
        self.fact = fact
        self.hash = hash
    }
}
