// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Telemetry

/// What becomes of the values under one key of one device.
struct ChannelPlan: Sendable {
    let key: String
    let series: SeriesKey
    let schedule: ReportSchedule?
    let stuckAfter: Milliseconds?
    /// Of a counter of rain: where the depths go that it yields.
    let rain: RainCounter?
    /// In the payload's unit.
    let minimum: Double
    let maximum: Double
    let unit: Unit
    /// Added in the canonical unit, until the first of ``laterZeros``.
    let zero: Double
    /// Oldest first.
    private let laterZeros: [(from: Timestamp, zero: Double)]
    /// The time before a reading of which it tells, too: the interval of a depth of rain, else nothing.
    let standsFor: Milliseconds
    /// Whether it may be a second source of rain beside a counter: what a device declares is known before.
    let contestsCounters: Bool
    /// Nil where nothing is tested.
    let quality: SeriesTests?
    /// Whether the value is stored as it comes.
    private let isIdentity: Bool

    /// `rain` says what a counter of rain yields.
    init(
        channel: Channel,
        of device: Device,
        schedule: ReportSchedule?,
        series: SeriesKey,
        rain: RainCounter?,
        contestsCounters: Bool = false,
        quality: SeriesTests?
    ) {
        self.key = channel.key
        self.series = series
        self.schedule = schedule
        self.stuckAfter = channel.stuckAfter
        self.rain = rain
        self.minimum = channel.minimum ?? -.infinity
        self.maximum = channel.maximum ?? .infinity
        self.unit = channel.unit
        self.zero = channel.addsZeroElevation ? device.zeroElevationMeters ?? 0 : 0
        self.laterZeros =
            channel.addsZeroElevation ? device.surveys.map { ($0.validFrom, $0.zeroElevationMeters) } : []
        self.standsFor =
            switch (channel.metric == RainCounter.depthMetric, schedule) {
            case (true, .periodic(let interval)?): interval
            case (true, .event?), (true, nil), (false, _): 0
            }
        self.contestsCounters = contestsCounters
        self.quality = quality
        self.isIdentity =
            channel.unit.factor == 1 && channel.unit.offset == 0 && self.zero == 0 && self.laterZeros.isEmpty
    }

    /// The value in the canonical unit, the zero elevation of its time added.
    ///
    /// Rounded to 1e-9, so that 6.63 ft become the decimal 2.020824 m and not its neighbour among the doubles.
    func canonical(_ value: Double, at time: Timestamp) -> Double {
        if self.isIdentity { return value }
        let zero = self.laterZeros.last { $0.from <= time }?.zero ?? self.zero
        let converted = self.unit.toCanonical(value) + zero
        guard abs(converted) < 4e6 else { return converted }
        return (converted * 1e9).rounded() / 1e9
    }
}

/// A device with its channels, ready to resolve readings.
final class DevicePlan: Sendable {
    /// More different keys than this are no device, but a mistake that would fill the store with series.
    static let genericKeyLimit = 256

    let device: Device
    /// What the site says of the tests of its metrics.
    private let overrides: [String: QualityOverride]
    let channels: [ChannelPlan]
    let takesAnyMetric: Bool
    /// The channels that the device may gain.
    let gainable: GainableChannels
    let hj212: HJ212Dialect
    let payload: PayloadLayout?
    /// The forms of the identity that others gave it; empty where it has none.
    let addresses: Set<String>
    /// Depths of rain that some device of the site reports itself, so that no counter yields them.
    private let measuredDepths: Set<Labels>
    /// Where the channels stand, for devices with many.
    private let places: [String: Int]
    private let owners: SeriesOwners
    private let keys: SeriesKeyTable
    private let used = Mutex<[String: ChannelPlan]>([:])
    private let clock = Mutex(ClockOffsets())

    /// `overrides` is what the site says of the tests of its metrics; `series` are those of the model's channels, in
    /// their order; `owners` tells that of a channel that is gained; `gainable` are the channels of the model that its
    /// devices may gain; `measuredDepths` the series of depths of rain that some device reports itself.
    init(
        device: Device,
        overrides: [String: QualityOverride],
        model: DeviceModel,
        series: [Labels],
        owners: SeriesOwners,
        gainable: GainableChannels,
        keys: SeriesKeyTable,
        measuredDepths: Set<Labels>
    ) {
        self.device = device
        self.overrides = overrides
        self.takesAnyMetric = model.takesAnyMetric
        self.hj212 = model.hj212
        self.payload = model.payload
        self.addresses = Set(ForeignAddress.forms(of: device.address))
        self.owners = owners
        self.keys = keys
        self.gainable = gainable
        self.measuredDepths = measuredDepths
        self.channels = zip(model.channels, series)
            .map { channel, labels in
                let schedule = model.schedule(of: channel, on: device)
                let depths = RainCounter.depthLabels(labels)
                let isCounter = channel.metric == RainCounter.metric && !measuredDepths.contains(depths)
                let series = keys.key(for: labels)
                return ChannelPlan(
                    channel: channel,
                    of: device,
                    schedule: schedule,
                    series: series,
                    rain: isCounter
                        ? RainCounter(
                            depth: keys.key(for: depths),
                            schedule: schedule,
                            quality: SeriesTests(
                                metric: RainCounter.depthMetric,
                                series: keys.key(for: depths),
                                schedule,
                                overrides,
                                keys
                            )
                        ) : nil,
                    quality: SeriesTests(
                        channel.quality,
                        metric: channel.metric,
                        series: series,
                        schedule,
                        overrides,
                        keys
                    )
                )
            }
        let places = model.channels.enumerated().map { ($0.element.key, $0.offset) }
        self.places = places.count > 8 ? Dictionary(places) { first, _ in first } : [:]
    }

    /// How long before its receipt a message was made by the device's own clock: the median of the newest ones.
    var clockOffset: Milliseconds? { self.clock.withLock { $0.median } }

    func noteClock(_ time: Timestamp, receivedAt: Timestamp) {
        self.clock.withLock { $0.note(receivedAt - time, at: receivedAt) }
    }

    /// Whether channels come into being with their first readings.
    var gainsChannels: Bool { self.takesAnyMetric || !self.gainable.isEmpty }

    /// The plan of a key; `nil` when the device has no such channel.
    func channel(_ key: String) -> ChannelPlan? {
        if self.places.isEmpty {
            for channel in self.channels where channel.key == key { return channel }
        } else if let place = self.places[key] {
            return self.channels[place]
        }
        return self.gainsChannels ? self.gainedChannel(key) : nil
    }

    /// The unit in which values under a key are expected; nil when the device has no such channel.
    ///
    /// The device gains no channel by the question.
    func unit(of key: String) -> Unit? {
        if let channel = self.channels.first(where: { $0.key == key }) { return channel.unit }
        return self.gainsChannels ? self.channelToGain(key)?.unit : nil
    }

    /// The key of the only channel, had or to be gained, of a metric.
    func key(ofMetric metric: String) -> String? {
        let keys =
            self.channels.filter { $0.series.labels.metric == metric }.map(\.key)
            + self.gainable.byKey.values.filter { $0.metric == metric }.map(\.key)
        return keys.count == 1 ? keys[0] : nil
    }

    /// Readings with depths of rain before counters: who measures depths is known before a counter yields any, in whatever
    /// order the message has them.
    func depthsFirst(_ readings: [Reading]) -> [Reading] {
        guard self.gainsChannels, readings.count > 1,
            readings.contains(where: { self.metric(of: $0.key) == RainCounter.metric })
        else { return readings }
        let isDepth: (Reading) -> Bool = { self.metric(of: $0.key) == RainCounter.depthMetric }
        return readings.filter(isDepth) + readings.filter { !isDepth($0) }
    }

    /// The metric of a key under which the device gains a channel.
    private func metric(of key: String) -> String { self.gainable.byKey[key]?.metric ?? key }

    /// The plan of a channel that the device has gained, or gains now.
    private func gainedChannel(_ key: String) -> ChannelPlan? {
        self.used.withLock { used in
            if let plan = used[key] { return plan }
            guard used.count < DevicePlan.genericKeyLimit, let channel = self.channelToGain(key) else { return nil }
            let series = self.owners.gain(channel.labels(at: self.device.site), for: self.device.id, self.keys)
            var rain: RainCounter?
            let depths = RainCounter.depthLabels(series.labels)
            if channel.metric == RainCounter.metric, !self.measuredDepths.contains(depths) {
                let depths = self.keys.key(for: depths)
                _ = self.keys.gain(depths, device: self.device.id)
                rain = RainCounter(
                    depth: depths,
                    schedule: channel.schedule,
                    quality: SeriesTests(
                        metric: RainCounter.depthMetric,
                        series: depths,
                        channel.schedule,
                        self.overrides,
                        self.keys
                    )
                )
            }
            let plan = ChannelPlan(
                channel: channel,
                of: self.device,
                schedule: channel.schedule,
                series: series,
                rain: rain,
                contestsCounters: channel.metric == RainCounter.depthMetric,
                quality: SeriesTests(
                    channel.quality,
                    metric: channel.metric,
                    series: series,
                    channel.schedule,
                    self.overrides,
                    self.keys
                )
            )
            used[key] = plan
            return plan
        }
    }

    private func channelToGain(_ key: String) -> Channel? {
        if var channel = self.gainable.byKey[key] {
            channel.schedule = self.gainable.schedule(of: channel, on: self.device)
            return channel
        }
        guard self.takesAnyMetric, MetricName.isAcceptable(key) else { return nil }
        return Channel(
            metric: key,
            key: key,
            unit: Unit(ofMetric: key),
            minimum: nil,
            maximum: nil,
            addsZeroElevation: false,
            labels: .empty,
            schedule: self.device.schedule
        )
    }
}

extension Channel {
    /// The series that it feeds at a site, unless another device has it: ``SeriesOwners``.
    func labels(at site: String) -> Labels {
        self.labels.with("site", site).with(Labels.metricName, self.metric)
    }
}
