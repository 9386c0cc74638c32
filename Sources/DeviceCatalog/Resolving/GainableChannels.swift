// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The channels that devices of a model may gain with their readings; shared by all devices of the model.
final class GainableChannels: Sendable {
    let byKey: [String: Channel]
    /// By the labels of their series without the site; also the depths that a counter of rain yields.
    private let bySeries: [Labels: Channel]
    /// Of the channels that have a schedule of their own.
    let longestOwnLookback: Milliseconds?
    private let modelSchedule: ReportSchedule?

    init(_ model: DeviceModel) {
        var byKey: [String: Channel] = [:]
        var bySeries: [Labels: Channel] = [:]
        for channel in model.optionalChannels {
            byKey[channel.key] = channel
            let labels = channel.labels.with(Labels.metricName, channel.metric)
            bySeries[labels] = channel
            guard channel.metric == RainCounter.metric else { continue }
            let depths = RainCounter.depthLabels(labels)
            bySeries[depths] = bySeries[depths] ?? channel
        }
        self.byKey = byKey
        self.bySeries = bySeries
        self.modelSchedule = model.schedule
        self.longestOwnLookback =
            model.optionalChannels.filter { $0.schedule != model.schedule }.compactMap(\.schedule?.lookback).max()
    }

    var isEmpty: Bool { self.byKey.isEmpty }

    /// The channel that feeds a series.
    func channel(feeding stored: Labels) -> Channel? {
        self.isEmpty ? nil : self.bySeries[stored.with("site", "")]
    }

    /// A channel's schedule on a device: the device's own replaces the model's, not a channel's own.
    func schedule(of channel: Channel, on device: Device) -> ReportSchedule? {
        guard let schedule = device.schedule, channel.schedule == self.modelSchedule else { return channel.schedule }
        return schedule
    }

    /// The longest look-back of what a device may gain; nil where no schedule is known.
    func longestLookback(on device: Device) -> Milliseconds? {
        guard !self.isEmpty else { return nil }
        let common = (device.schedule ?? self.modelSchedule)?.lookback
        return [common, self.longestOwnLookback].compactMap { $0 }.max()
    }
}
