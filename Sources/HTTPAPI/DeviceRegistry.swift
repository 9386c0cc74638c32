// poyang
// SPDX-License-Identifier: Apache-2.0

package import CatalogStorage
package import Telemetry

/// Something that was done with a device.
package struct DeviceFactReport: Encodable, Sendable {
    let time: String
    let kind: String
    let what: String
    let by: String
    let via: String

    package init(_ fact: DeviceFact) {
        self.time = fact.time.rfc3339()
        self.kind = fact.kind
        self.what = fact.what
        self.by = fact.who
        self.via = fact.via
    }
}

/// A device model as `GET /api/models` shows it.
package struct ModelReport: Encodable, Sendable {
    private struct ChannelLine: Encodable {
        let metric: String
        let key: String
        let unit: String
        /// In the payload's unit.
        let min: Double?
        let max: Double?
        let labels: Labels
        let optional: Bool
        /// Whether the elevation of the device's zero is added.
        let addsZero: Bool
    }

    let model: String
    /// Whether it takes any metric name as a key.
    let anyMetric: Bool
    private let channels: [ChannelLine]

    package init(_ model: DeviceModel) {
        self.model = model.id
        self.anyMetric = model.takesAnyMetric
        func lines(_ channels: [Channel], optional: Bool) -> [ChannelLine] {
            channels.map {
                ChannelLine(
                    metric: $0.metric,
                    key: $0.key,
                    unit: $0.unit.symbol,
                    min: $0.minimum,
                    max: $0.maximum,
                    labels: $0.labels,
                    optional: optional,
                    addsZero: $0.addsZeroElevation
                )
            }
        }
        self.channels = lines(model.channels, optional: false) + lines(model.optionalChannels, optional: true)
    }
}

/// What one who puts a new device in the place of another says.
package struct ReplacementOrder: Sendable {
    package let device: String
    /// The id of the new one.
    package let new: String
    /// Nil: that of the old one.
    package let model: String?
    package let address: String?
    /// Metres; nil: that of the old one.
    package let zero: Double?
    package let mount: Double?
    package let by: String
    package let note: String
    package let access: Access
}

/// What one who surveyed a gauge says.
package struct SurveyOrder: Sendable {
    package let device: String
    /// Metres in the site's datum.
    package let zero: Double
    package let mount: Double?
    /// Nil for now.
    package let from: Timestamp?
    package let by: String
    package let source: String
    /// Leaves the levels that were stored since then as they are.
    package let keepsReadings: Bool
    package let access: Access
}

/// The levels that were stored with the zero of before, since a survey counts.
package struct SurveyedReadings: Encodable, Sendable {
    package let since: String
    /// Those that have the new zero now; the store keeps the first values.
    package var recomputed = 0
    /// Those that keep the old one.
    package var kept = 0
    /// Whether they keep it because another device of the site feeds their series, so that nobody knows whose they are.
    package var isShared = false

    package init(since: String) { self.since = since }

    /// For the history of a device.
    package var inWords: String {
        [
            self.recomputed > 0 ? "\(self.recomputed) readings since then have it, too" : nil,
            self.kept > 0 ? "\(self.kept) readings since then keep the old zero" : nil,
        ]
        .compactMap { $0 }.joined(separator: ", ")
    }
}
