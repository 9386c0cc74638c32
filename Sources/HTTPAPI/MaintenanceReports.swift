// poyang
// SPDX-License-Identifier: Apache-2.0

/// What a verification of a data directory found.
package struct DataVerificationReport: Codable, Sendable {
    package struct Damage: Codable, Sendable {
        /// `file`, `series`, `journal`, `block`, `chunk`, `quarantine`, `revision`, `delivery`, `state` or `catalog`.
        package var what: String
        /// As PromQL writes it; nil where many or none are concerned.
        package var series: String?
        package var from: String?
        package var through: String?
        package var block: Int64?
        package var message: String

        package init(
            what: String,
            series: String?,
            from: String?,
            through: String?,
            block: Int64?,
            message: String
        ) {
            self.what = what
            self.series = series
            self.from = from
            self.through = through
            self.block = block
            self.message = message
        }
    }

    package var series = 0
    package var journalEntries = 0
    package var blocks = 0
    package var chunks = 0
    package var samples = 0
    package var revisions = 0
    package var quarantined = 0
    package var deliveries = 0
    package var ledgerFacts: Int64 = 0
    package var damages: [Damage] = []

    package init() {}
}

/// A backup that was written.
package struct BackupReport: Codable, Sendable {
    package var file: String
    package var bytes: Int
    /// The newest batch in it, and the newest that the rules had processed.
    package var committed: Int64
    package var processed: Int64

    package init(file: String, bytes: Int, committed: Int64, processed: Int64) {
        self.file = file
        self.bytes = bytes
        self.committed = committed
        self.processed = processed
    }
}
