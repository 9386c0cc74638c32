// poyang
// SPDX-License-Identifier: Apache-2.0

package import CatalogStorage
package import Telemetry

/// What one who enters a reading says.
package struct ManualReadingOrder: Sendable {
    package let site: String
    package let metric: String
    /// In the metric's canonical unit.
    package let value: Double
    package let time: Timestamp
    package let labels: [String: String]
    /// The person; where it is blank the token's name counts.
    package let by: String
    package let note: String
    /// Replaces another value of that time; the original is kept.
    package let isCorrection: Bool
    /// Takes a value beyond what the device could report.
    package let isForced: Bool
    package let access: Access
}

/// A reading that a person entered.
package struct ManualReadingReport: Encodable, Sendable {
    package enum Outcome: String, Encodable, Sendable {
        /// There was nothing at that time.
        case stored
        /// Another value gave way; it is kept on record.
        case corrected
        /// The very value is stored already; nothing was done.
        case duplicate
        /// The process ended while it was written; look at the series, and enter it again where it is missing.
        case uncertain
    }

    package var site: String
    package var metric: String
    /// Without metric name and site.
    package var labels: Labels
    package var time: String
    package var value: Double
    package var unit: String
    package var by: String
    package var via: String
    package var note: String
    package var enteredAt: String
    package var outcome: Outcome
    package var replacedValue: Double?
    package var replacedMethod: String?

    package init(_ reading: ManualReading, series: Labels, outcome: Outcome) {
        self.site = reading.site
        self.metric = series.metric
        self.labels = series.removing([Labels.metricName, "site"])
        self.time = reading.time.rfc3339()
        self.value = reading.value
        self.unit = Unit(ofMetric: series.metric).symbol
        self.by = reading.who
        self.via = reading.via
        self.note = reading.note
        self.enteredAt = reading.enteredAt.rfc3339()
        self.outcome = outcome
        self.replacedValue = reading.replacedValue
        self.replacedMethod = reading.replacedMethod
    }
}
