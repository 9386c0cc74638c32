// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Telemetry

/// What becomes of the values under one key of one device.
struct ChannelPlan: Sendable {
    let key: String
    let series: SeriesKey
    let schedule: ReportSchedule?
    /// In the payload's unit.
    let minimum: Double
    let maximum: Double
    let unit: Unit
    /// Added in the canonical unit.
    let zero: Double
    /// Whether the value is stored as it comes.
    private let isIdentity: Bool

    init(channel: Channel, schedule: ReportSchedule?, zero: Double, series: SeriesKey) {
        self.key = channel.key
        self.series = series
        self.schedule = schedule
        self.minimum = channel.minimum ?? -.infinity
        self.maximum = channel.maximum ?? .infinity
        self.unit = channel.unit
        self.zero = zero
        self.isIdentity = channel.unit.factor == 1 && channel.unit.offset == 0 && zero == 0
    }

    /// The value in the canonical unit, zero elevation added.
    ///
    /// Rounded to 1e-9, so that 6.63 ft become the decimal 2.020824 m and not its neighbour among the doubles.
    func canonical(_ value: Double) -> Double {
        if self.isIdentity { return value }
        let converted = self.unit.toCanonical(value) + self.zero
        guard abs(converted) < 4e6 else { return converted }
        return (converted * 1e9).rounded() / 1e9
    }
}

/// A device with its channels, ready to resolve readings.
final class DevicePlan: Sendable {
    /// More different keys than this are no device, but a mistake that would fill the store with series.
    static let genericKeyLimit = 256

    let device: Device
    let channels: [ChannelPlan]
    let takesAnyMetric: Bool
    private let keys: SeriesKeyTable
    private let used = Mutex<[String: ChannelPlan]>([:])

    init(device: Device, model: DeviceModel, keys: SeriesKeyTable) {
        self.device = device
        self.takesAnyMetric = model.takesAnyMetric
        self.keys = keys
        self.channels = model.channels.map { channel in
            let labels = channel.labels.with("site", device.site).with(Labels.metricName, channel.metric)
            return ChannelPlan(
                channel: channel,
                schedule: model.schedule(of: channel, on: device),
                zero: channel.addsZeroElevation ? device.zeroElevationMeters ?? 0 : 0,
                series: keys.key(for: labels)
            )
        }
    }

    /// The plan of a key; `nil` when the device has no such channel.
    func channel(_ key: String) -> ChannelPlan? {
        for channel in self.channels where channel.key == key { return channel }
        return self.takesAnyMetric ? self.genericChannel(key) : nil
    }

    private func genericChannel(_ key: String) -> ChannelPlan? {
        self.used.withLock { used in
            if let plan = used[key] { return plan }
            guard used.count < DevicePlan.genericKeyLimit, MetricName.isAcceptable(key) else { return nil }
            let channel = Channel(
                metric: key,
                key: key,
                unit: Unit(ofMetric: key),
                minimum: nil,
                maximum: nil,
                addsZeroElevation: false,
                labels: .empty,
                schedule: self.device.schedule
            )
            let series = self.keys.key(for: Labels(metric: key, ["site": self.device.site]))
            self.keys.learn(series, device: self.device.id)
            let plan = ChannelPlan(channel: channel, schedule: self.device.schedule, zero: 0, series: series)
            used[key] = plan
            return plan
        }
    }
}
