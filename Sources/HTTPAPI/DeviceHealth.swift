// poyang
// SPDX-License-Identifier: Apache-2.0

/// How a device does its work.
package struct DeviceHealth: Encodable, Sendable {
    /// Of the reports that its interval lets expect in the last 24 hours, or since its first, how many came; nil without an
    /// interval, and before its first report.
    package var intervalKeptPercent: Double?
    package var reportsExpected: Int?
    package var reportsArrived: Int?
    package var batteryVolts: Double?
    package var batteryPercent: Double?
    package var signalDbm: Double?
    /// The version of its software, as it said, or the network server that it is registered at.
    package var firmware: String?
    /// The first time that it was said.
    package var firmwareSince: String?
    /// Readings that came again since the service was started.
    package var duplicates: Int
    /// Values that were refused, of the payloads that quarantine still keeps.
    package var rejected: Int
    /// The same by reason: `out_of_range 3, malformed 1`.
    package var rejectReasons: String

    package init(duplicates: Int, rejected: [(reason: String, values: Int)]) {
        self.duplicates = duplicates
        self.rejected = rejected.reduce(0) { $0 + $1.values }
        self.rejectReasons = rejected.map { "\($0.reason) \($0.values)" }.joined(separator: ", ")
    }
}
