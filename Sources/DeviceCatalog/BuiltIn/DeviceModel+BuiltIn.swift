// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

extension DeviceModel {
    /// Takes every metric name of the platform as a key of native JSON, in canonical units, without any test.
    package static let genericJSON = DeviceModel(id: "generic/json", channels: [], takesAnyMetric: true)

    /// Takes every element of SL 651-2014 under a metric name of its own; a channel exists from its first reading on.
    package static let genericSL651 = DeviceModel(
        id: "generic/sl651",
        channels: [],
        optionalChannels: SL651Channels.all,
        takesAnyMetric: false
    )

    /// Takes the common factors of water of HJ 212-2017; a channel exists from its first reading on.
    package static let genericHJ212 = DeviceModel(
        id: "generic/hj212",
        channels: [],
        optionalChannels: HJ212Channels.all,
        takesAnyMetric: false
    )

    /// The models that need no file, by their ids.
    package static let builtIn: [String: DeviceModel] = Dictionary(
        uniqueKeysWithValues: [genericJSON, genericSL651, genericHJ212].map { ($0.id, $0) }
    )
}

/// One line of a table of channels.
struct ChannelRow {
    var key: String
    var metric: String
    /// As files name it; the metric's own where empty.
    var unit = ""
    var label: (name: String, value: String)?
    var bounds: ClosedRange<Double>?

    init(
        _ key: String,
        _ metric: String,
        _ unit: String = "",
        _ label: (name: String, value: String)? = nil,
        bounds: ClosedRange<Double>? = nil
    ) {
        self.key = key
        self.metric = metric
        self.unit = unit
        self.label = label
        self.bounds = bounds
    }

    var channel: Channel {
        var labels = Labels.empty
        if let label { labels[label.name] = label.value }
        let bounds = self.bounds
        return Channel(
            metric: self.metric,
            key: self.key,
            unit: self.unit.isEmpty
                ? Unit(ofMetric: self.metric) : Unit(named: self.unit) ?? Unit(ofMetric: self.metric),
            minimum: bounds?.lowerBound,
            maximum: bounds?.upperBound,
            addsZeroElevation: false,
            labels: labels,
            schedule: nil,
            // Without parameters what is impossible is found all the same.
            quality: QualityDefaults.parameters(of: self.metric) ?? QualityParameters()
        )
    }
}
