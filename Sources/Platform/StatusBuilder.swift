// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Dissemination
import HTTPAPI
import Telemetry

/// Says how each site is: its newest value, its level, or why nothing is known.
struct StatusBuilder {
    let catalog: Catalog
    let reader: any SeriesReader
    /// The clock of a site; nil before its first reading.
    let clock: (String) -> Timestamp?
    /// The warnings that last, by site.
    let warnings: [String: [Warning]]
    var maintenance = MaintenanceWindows.none

    /// How far back the newest value of a channel is looked for.
    private static let horizon: Milliseconds = 400 * .day

    func status(of site: Site) throws -> SiteStatus {
        var status = SiteStatus(site)
        let active = (self.warnings[site.id] ?? []).filter { !$0.identity.hazard.isStatusOnly }
        let leading = active.max { $0.level < $1.level }
        status.warnings = active.map(\.number).sorted()
        status.level = leading?.level
        status.hazard = leading?.identity.hazard
        if let grade = self.grade(of: site) {
            status.grade = grade.name
            status.gradeSince = grade.since.rfc3339()
        }
        guard !self.catalog.devices(at: site.id).isEmpty else {
            status.state = "not_instrumented"
            return status
        }
        let channels = self.catalog.registeredChannels(at: site.id)
        guard let newest = try self.newestReading(of: site, among: channels) else {
            status.state = "unknown"
            status.reason = "never_reported"
            return status
        }
        let now = max(self.clock(site.id) ?? newest.sample.time, newest.sample.time)
        status.metric = newest.channel.metric
        // A stale marker is no value.
        status.value = newest.sample.value.isNaN ? nil : newest.sample.value
        status.unit = Unit(ofMetric: newest.channel.metric).symbol
        status.lastReadingAt = newest.sample.time.rfc3339()
        status.ageSeconds = Int((now - newest.sample.time) / .second)
        let lookback = newest.channel.schedule?.lookback
        if let lookback, now - newest.sample.time >= lookback {
            status.state = "unknown"
            status.reason = self.maintenance.end(of: newest.channel.device, at: now) == nil ? "no_data" : "maintenance"
        } else {
            status.state = leading?.level.rawValue ?? "normal"
        }
        return status
    }

    /// The newest sample of the site's leading channel: of the first metric, in the order of interest for its kind,
    /// that has any.
    private func newestReading(
        of site: Site,
        among channels: [RegisteredChannel]
    ) throws -> (channel: RegisteredChannel, sample: Sample)? {
        let interest = site.kind.metricsOfInterest
        let ordered = channels.sorted { left, right in
            let ranks = [left, right].map { interest.firstIndex(of: $0.metric) ?? interest.count }
            return (ranks[0], left.series.labels) < (ranks[1], right.series.labels)
        }
        for channel in ordered {
            if let sample = try self.newestSample(of: channel) { return (channel, sample) }
        }
        return nil
    }

    func newestSample(of channel: RegisteredChannel) throws -> Sample? {
        let matchers = channel.series.labels.matchers
        let through = self.clock(channel.series.labels.site) ?? .distantFuture
        for span in [channel.schedule?.lookback ?? .hour, Self.horizon, .max] {
            let extent = SelectExtent.window(after: through - span, through: through)
            let found = try self.reader.select(
                SelectRequest(matchers: matchers, extent: extent, qualities: .raising)
            )
            let exact = found.first { $0.labels.removing(Site.virtualLabelNames) == channel.series.labels }
            if let exact, let time = exact.times.last, let value = exact.values.last, let mark = exact.marks.last {
                return Sample(time: time, value: value, mark: mark)
            }
        }
        return nil
    }

    /// The gravest low-water grade in force.
    private func grade(of site: Site) -> (name: String, since: Timestamp)? {
        let season = (self.warnings[site.id] ?? []).first { $0.identity.hazard == .lowWaterSeason }
        let gravest = season?.causes.max { $0.level < $1.level }
        guard let gravest, let name = gravest.labels.value(of: "grade") else { return nil }
        return (name, gravest.since)
    }
}

extension SiteKind {
    /// What people look at first at such a place.
    fileprivate var metricsOfInterest: [String] {
        switch self {
        case .river, .lake, .reservoir: ["water_level_meters", "discharge_cubic_meters_per_second"]
        case .rain: ["rainfall_millimeters", "rainfall_accumulated_millimeters"]
        case .field: ["soil_moisture_percent", "paddy_water_depth_millimeters", "rainfall_millimeters"]
        case .pond: ["dissolved_oxygen_milligrams_per_liter", "water_temperature_celsius"]
        }
    }
}
