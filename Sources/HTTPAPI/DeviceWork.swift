// poyang
// SPDX-License-Identifier: Apache-2.0

package import CatalogStorage
package import Telemetry

/// What one who begins to work on a device says.
package struct MaintenanceOrder: Sendable {
    package let device: String
    package let duration: Milliseconds
    /// The person; where it is blank the token's name counts.
    package let by: String
    package let note: String
    package let access: Access
}

/// A time in which work is, was or will be done on a device.
package struct MaintenanceReport: Encodable, Sendable {
    package var device: String
    package var site: String
    /// `active` or `ended`.
    package var state: String
    package var from: String
    package var until: String
    package var by: String
    package var via: String
    package var note: String
    package var enteredAt: String
    /// Who ended it before its time.
    package var endedBy: String?

    /// `now` is the clock that counts for the device.
    package init(_ row: MaintenanceRow, site: String, at now: Timestamp) {
        self.device = row.device
        self.site = site
        self.state = now < row.end ? "active" : "ended"
        self.from = row.start.rfc3339()
        self.until = row.end.rfc3339()
        self.by = row.who
        self.via = row.via
        self.note = row.note
        self.enteredAt = row.enteredAt.rfc3339()
        self.endedBy = row.endedBy
    }
}

/// What one who calibrated an instrument says.
package struct CalibrationOrder: Sendable {
    package let device: String
    package let metric: String
    /// Nil for now.
    package let time: Timestamp?
    /// In the metric's canonical unit.
    package let before: Double
    package let after: Double
    package let reference: Double?
    package let by: String
    package let note: String
    package let access: Access
}

/// What an instrument showed before and after it was calibrated.
package struct CalibrationReport: Encodable, Sendable {
    package var device: String
    package var metric: String
    package var time: String
    package var before: Double
    package var after: Double
    package var change: Double
    package var reference: Double?
    package var unit: String
    package var by: String
    package var via: String
    package var note: String

    package init(_ row: CalibrationRow) {
        self.device = row.device
        self.metric = row.metric
        self.time = row.time.rfc3339()
        self.before = row.before
        self.after = row.after
        self.change = ((row.after - row.before) * 1e9).rounded() / 1e9
        self.reference = row.reference
        self.unit = Unit(ofMetric: row.metric).symbol
        self.by = row.who
        self.via = row.via
        self.note = row.note
    }
}
