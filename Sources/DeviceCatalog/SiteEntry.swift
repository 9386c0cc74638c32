// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// What the reader needs of one site, ready to use.
final class SiteEntry: Sendable {
    /// A declared channel with the labels that its series shows.
    struct ChannelEntry: Sendable {
        let registered: RegisteredChannel
        /// Stored and virtual labels.
        let shown: Labels
        let lookback: Milliseconds
        let states: ChannelStates?
    }

    /// What is said of a channel itself; nil where what it takes is not registered.
    struct ChannelStates: Sendable {
        let silence: ChannelSilence?
        let unheard: ChannelUnheard?
        let stuck: ChannelStuck?

        init(_ channel: RegisteredChannel, virtual: Labels) {
            self.silence = ChannelSilence(channel: channel, virtual: virtual)
            self.unheard = ChannelUnheard(channel: channel, virtual: virtual)
            self.stuck = ChannelStuck(channel: channel, virtual: virtual)
        }
    }

    let site: Site
    let plans: [DevicePlan]
    let virtualLabels: Labels
    let channels: [ChannelEntry]
    /// By their series.
    private let places: [Labels: Int]
    /// The devices that take any metric.
    let generic: [DevicePlan]
    /// The devices that gain channels with their readings.
    let learning: [DevicePlan]
    private let learningByID: [String: DevicePlan]
    /// One of ``learning`` of each model.
    private let learningModels: [DevicePlan]
    let thresholds: [ThresholdSeries]
    /// Of series that only a device without declared channels can feed.
    let genericLookback: Milliseconds
    /// Of all series that the site can have.
    let longestLookback: Milliseconds

    init(site: Site, plans: [DevicePlan]) {
        self.site = site
        self.plans = plans
        let virtualLabels = site.virtualLabels
        self.virtualLabels = virtualLabels
        self.generic = plans.filter(\.takesAnyMetric)
        self.learning = plans.filter(\.gainsChannels)
        self.learningByID = Dictionary(self.learning.map { ($0.device.id, $0) }) { first, _ in first }
        var models: Set<String> = []
        self.learningModels = self.learning.filter { models.insert($0.device.model).inserted }
        self.thresholds = ThresholdSeries.all(of: site)
        // The longest of them: a value is forgotten too late rather than between two reports.
        let lookbacks =
            self.generic.compactMap(\.device.schedule?.lookback)
            + self.learning.compactMap { $0.gainable.longestLookback(on: $0.device) }
        self.genericLookback = lookbacks.max() ?? ReportSchedule.unregisteredLookback
        var channels: [ChannelEntry] = []
        var places: [Labels: Int] = [:]
        for plan in plans {
            for channel in plan.channels where places[channel.series.labels] == nil {
                places[channel.series.labels] = channels.count
                let registered = RegisteredChannel(
                    series: channel.series,
                    device: plan.device.id,
                    schedule: channel.schedule,
                    metric: channel.series.labels.metric,
                    installedAt: plan.device.installedAt,
                    stuckAfter: channel.stuckAfter
                )
                channels.append(
                    ChannelEntry(
                        registered: registered,
                        shown: virtualLabels.merging(channel.series.labels),
                        lookback: channel.schedule?.lookback ?? ReportSchedule.unregisteredLookback,
                        states: ChannelStates(registered, virtual: virtualLabels)
                    )
                )
            }
        }
        // Depths that follow from a counter come and stay away with it.
        for plan in plans {
            for channel in plan.channels {
                guard let depths = channel.rain?.depth, places[depths.labels] == nil else { continue }
                places[depths.labels] = channels.count
                let registered = RegisteredChannel(
                    series: depths,
                    device: plan.device.id,
                    schedule: channel.schedule,
                    metric: RainCounter.depthMetric,
                    installedAt: nil,
                    stuckAfter: nil
                )
                channels.append(
                    ChannelEntry(
                        registered: registered,
                        shown: virtualLabels.merging(depths.labels),
                        lookback: channel.schedule?.lookback ?? ReportSchedule.unregisteredLookback,
                        states: nil
                    )
                )
            }
        }
        self.channels = channels
        self.places = places
        self.longestLookback = channels.map(\.lookback).reduce(self.genericLookback, max)
    }

    /// The labels that a stored series of this site shows, and its look-back.
    func show(_ stored: Labels) -> (labels: Labels, lookback: Milliseconds) {
        if let place = self.places[stored] { return (self.channels[place].shown, self.channels[place].lookback) }
        let isGained = self.gained(stored) != nil || self.isGeneric(stored)
        let lookback = isGained ? self.genericLookback : ReportSchedule.unregisteredLookback
        return (self.virtualLabels.merging(stored), lookback)
    }

    /// How far back the series of a metric can stand for the present; of all metrics where none is named.
    func longestLookback(of metric: String?) -> Milliseconds {
        guard let metric else { return self.longestLookback }
        var longest = self.genericLookback
        for channel in self.channels where channel.registered.metric == metric {
            longest = max(longest, channel.lookback)
        }
        return longest
    }

    /// The channel of a model that a stored series can be, and a device that may feed it.
    func gained(_ stored: Labels) -> (plan: DevicePlan, channel: Channel)? {
        if let twin = self.twin(feeding: stored),
            let channel = twin.gainable.channel(feeding: stored.plain(ofTwin: twin.device.id))
        {
            return (twin, channel)
        }
        for plan in self.learningModels {
            if let channel = plan.gainable.channel(feeding: stored) { return (plan, channel) }
        }
        return nil
    }

    /// The device of which a series says that it is no other's: ``SeriesOwners``.
    private func twin(feeding stored: Labels) -> DevicePlan? {
        stored.twin.flatMap { self.learningByID[String($0.prefix { $0 != "/" })] }
    }

    /// A device that gains channels, by its id.
    func device(_ id: String) -> DevicePlan? { self.learningByID[id] }

    /// A device that may feed a series of any metric: the one that the series names, else any.
    func anySender(of stored: Labels) -> DevicePlan? { self.twin(feeding: stored) ?? self.generic.first }

    /// Whether a stored series can only come from a device that gains channels.
    func takesGenericSeries(_ stored: Labels) -> Bool {
        (self.gained(stored) != nil || self.isGeneric(stored))
            && self.places[stored] == nil
    }

    /// Whether a device that takes any metric can feed it.
    private func isGeneric(_ stored: Labels) -> Bool {
        guard let twin = self.twin(feeding: stored) else { return !self.generic.isEmpty && self.hasGenericForm(stored) }
        return twin.takesAnyMetric && self.hasGenericForm(stored.plain(ofTwin: twin.device.id))
    }

    /// Metric name and site, nothing else; a colon in the name is a recording rule's.
    private func hasGenericForm(_ stored: Labels) -> Bool {
        stored.count == 2 && !stored.metric.utf8.contains(UInt8(ascii: ":"))
    }
}
