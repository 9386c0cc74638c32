// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import HTTPAPI
import SeriesStorage
import Telemetry

extension PlatformBackend {
    /// Over how long it is looked whether a device keeps its interval.
    private static let watchedSpan: Milliseconds = .day

    /// How a device does its work; `now` is the clock that counts for it.
    func health(
        of device: Device,
        channels: [RegisteredChannel],
        reports: [ChannelReport],
        at now: Timestamp
    ) throws -> DeviceHealth {
        let refused = try self.samples.refusedValues(of: device.id)
            .sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
            .map { (reason: $0.key.rawValue, values: $0.value) }
        var health = DeviceHealth(
            duplicates: channels.reduce(0) { $0 + self.samples.duplicates(of: $1.series.labels) },
            rejected: refused
        )
        func newest(_ metric: String) -> Double? { reports.first { $0.metric == metric }?.lastValue }
        health.batteryVolts = newest("battery_volts")
        health.batteryPercent = newest("battery_percent")
        health.signalDbm = newest("signal_dbm")
        let firmware = self.resolver.board.firmware(of: device.id)
        health.firmware = firmware?.version.text
        health.firmwareSince = firmware?.since.rfc3339()
        guard let kept = try self.reportsKept(channels, at: now) else { return health }
        health.reportsExpected = kept.expected
        health.reportsArrived = kept.arrived
        let share = Double(kept.arrived) / Double(kept.expected)
        health.intervalKeptPercent = (share * 1000).rounded() / 10
        return health
    }

    /// Of the channel that reports most often: how many reports were expected, and how many of them came.
    ///
    /// A report that comes a little early or late, or between two others, is none more and none less.
    private func reportsKept(
        _ channels: [RegisteredChannel],
        at now: Timestamp
    ) throws -> (expected: Int, arrived: Int)? {
        var fastest: (channel: RegisteredChannel, interval: Milliseconds)?
        for channel in channels {
            guard case .periodic(let interval)? = channel.schedule else { continue }
            if interval < fastest?.interval ?? .max { fastest = (channel, interval) }
        }
        guard let (channel, interval) = fastest,
            let newest = try self.samples.newestSample(of: channel.series.labels)
        else { return nil }
        let start = now - max(Self.watchedSpan, interval)
        let reader = self.reader(org: nil)
        let matchers = channel.series.labels.matchers
        let extent = SelectExtent.window(after: start, through: now)
        let found = try reader.select(SelectRequest(matchers: matchers, extent: extent, qualities: .all))
        let own = found.first { $0.labels.removing(Site.virtualLabelNames) == channel.series.labels }
        let times = own?.times ?? []
        guard let first = times.first, let last = times.last else {
            return newest.time <= start ? (Int((now - start) / interval), 0) : nil
        }
        let hasEarlier = try reader.series(matching: matchers, after: .distantPast, through: start)
            .contains { $0.removing(Site.virtualLabelNames) == channel.series.labels }
        // A device that is new was not expected to report before its first reading.
        let expected = Int((now - (hasEarlier ? start : first - interval)) / interval)
        var lost = Int((now - last) / interval) + (hasEarlier ? Int((first - start) / interval) : 0)
        for (earlier, later) in zip(times, times.dropFirst()) {
            lost += max(0, Int((Double(later - earlier) / Double(interval)).rounded()) - 1)
        }
        return (max(1, expected), max(0, max(1, expected) - lost))
    }
}
