// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// An alert whose `for` runs, as the saved state has it.
package struct PendingAlert: Hashable, Sendable {
    package let alertName: String
    package let labels: Labels
    /// Since when the expression holds; event time.
    package let activeAt: Timestamp

    /// - Throws: When a row cannot be read.
    package static func all(in rows: [AlertStateRow]) throws -> [PendingAlert] {
        // In canonical JSON a quotation mark inside of a text is never bare: nothing else looks like this.
        try rows.filter { TrailRecord.rule(of: $0.key) == nil && $0.json.contains(#""state":"pending""#) }
            .map { row in
                let record = try CanonicalJSON.value(AlertRecord.self, from: row.json)
                let labels = try CanonicalJSON.value(Labels.self, from: row.key.labels)
                return PendingAlert(alertName: record.alertName, labels: labels, activeAt: record.activeAt)
            }
    }
}
