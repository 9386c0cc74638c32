// poyang
// SPDX-License-Identifier: Apache-2.0

/// One fact for the ledger: who knew what when.
package struct LedgerFact: Hashable, Sendable {
    /// Number of the warning.
    package var number: String
    /// Event time.
    package var time: Timestamp
    /// When it was written down.
    package var processedAt: Timestamp
    /// What happened: `issued`, `raised`, `acknowledged` and so on; `changed` for what changed a
    /// warning's causes and was not worth a message.
    package var kind: String
    /// A person, a token's label, or `poyang` itself.
    package var who: String
    package var what: String

    package init(
        number: String,
        time: Timestamp,
        processedAt: Timestamp,
        kind: String,
        who: String,
        what: String
    ) {
        self.number = number
        self.time = time
        self.processedAt = processedAt
        self.kind = kind
        self.who = who
        self.what = what
    }
}
