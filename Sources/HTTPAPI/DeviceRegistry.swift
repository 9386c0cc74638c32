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
    package let access: Access
}

/// The levels that were stored with the zero of before, since a survey counts.
package struct SurveyedReadings: Encodable, Sendable {
    package let since: String
    /// How many there are; they keep it.
    package let kept: Int

    package init(since: String, kept: Int) {
        self.since = since
        self.kept = kept
    }
}
