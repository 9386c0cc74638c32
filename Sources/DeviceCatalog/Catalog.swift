// poyang
// SPDX-License-Identifier: Apache-2.0

import StrictYAML
package import Telemetry

/// A channel that is expected to report, and the series that it feeds.
package struct RegisteredChannel: Sendable {
    /// With the stored labels: `__name__`, `site`, then `depth`, `position`, `sensor` where the channel has them.
    package let series: SeriesKey
    package let device: String
    /// How often it reports; where it is not known its silence means nothing.
    package let schedule: ReportSchedule?
    package let metric: String
    /// From when on it is expected to report, where that is known.
    let installedAt: Timestamp?
    /// After how long without a change it counts as stuck; never where absent.
    let stuckAfter: Milliseconds?
}

/// What was registered at run time, as `catalog.db` holds it.
package struct CatalogRegistrations: Sendable {
    package var sites: [Site]
    package var devices: [Device]
    /// Users of the broker that publish for many devices; no device of a file has such a name.
    package var accounts: Set<String> = []

    package static let none = CatalogRegistrations()

    package init(sites: [Site] = [], devices: [Device] = []) {
        self.sites = sites
        self.devices = devices
    }
}

/// Who measures what, where: an immutable snapshot of the files and the registry.
///
/// ## Usage
/// ```swift
/// let files = try CatalogFiles.load(directory: "Devices")
/// let catalog = try Catalog(files: files, registered: registrations, keys: keys)
/// for channel in catalog.registeredChannels(at: "xingzi") { print(channel.series.labels) }
/// ```
package final class Catalog: Sendable {
    package let sites: [String: Site]
    package let areas: [String: Area]
    package let models: [String: DeviceModel]
    package let devices: [String: Device]
    /// Sites whose truth is a file: registering them elsewhere is refused.
    package let fileSites: Set<String>
    package let fileDevices: Set<String>
    let keys: SeriesKeyTable
    let plans: [String: DevicePlan]
    let entries: [String: SiteEntry]
    /// In the order of their names: that of a dictionary is another in every process.
    let entriesByName: [SiteEntry]
    /// The sites that have a threshold series of a name, by that name.
    let thresholdSites: [String: [SiteEntry]]
    let lookbacks: LookbackIndex
    let addresses: AddressBook
    /// Names that one device alone has.
    let devicesByName: [String: String]
    /// Ids and names that mean devices of several orgs, which are named.
    let contestedNames: [String: [String]]

    /// A catalogue without sites; the model `generic/json` is there.
    package static let empty = Catalog(
        sites: [:],
        areas: [:],
        models: [:],
        devices: [:],
        addresses: AddressBook(),
        files: nil,
        keys: .init()
    )

    /// - Parameters:
    ///   - files: What the files say; the truth for the ids that they name.
    ///   - registered: What was registered at run time.
    ///   - keys: The table of the snapshot before, so that series keep their keys.
    /// - Throws: ``ProblemList`` when an id is both in a file and registered, or a registered device refers to a
    ///   model or site that is not there.
    package convenience init(
        files: CatalogFiles,
        registered: CatalogRegistrations = .none,
        keys: SeriesKeyTable = SeriesKeyTable()
    ) throws {
        let merged = MergedCatalog(files: files, registered: registered)
        guard merged.problems.isEmpty else { throw ProblemList(merged.problems) }
        self.init(
            sites: merged.sites,
            areas: files.areas,
            models: files.models,
            devices: merged.devices,
            addresses: merged.addresses,
            files: files,
            keys: keys
        )
    }

    private init(
        sites: [String: Site],
        areas: [String: Area],
        models: [String: DeviceModel],
        devices: [String: Device],
        addresses: AddressBook,
        files: CatalogFiles?,
        keys: SeriesKeyTable
    ) {
        self.sites = sites
        self.areas = areas
        self.models = models.merging(DeviceModel.builtIn) { _, builtIn in builtIn }
        self.devices = devices
        self.fileSites = Set(files?.sites.keys ?? [:].keys)
        self.fileDevices = Set(files?.devices.keys ?? [:].keys)
        self.keys = keys
        var plans: [String: DevicePlan] = [:]
        var gainable: [String: GainableChannels] = [:]
        var owners = SeriesOwners(devices.values)
        var series: [String: [Labels]] = [:]
        for device in devices.values.sorted(by: { ($0.place, $0.id) < ($1.place, $1.id) }) {
            let all = (self.models[device.model]?.channels ?? [])
                .map { owners.claim($0.labels(at: device.site), for: device.id) }
            series[device.id] = all
            guard !all.contains(where: { $0.metric == RainCounter.depthMetric }) else { continue }
            for counter in all where counter.metric == RainCounter.metric {
                owners.claimIfFree(RainCounter.depthLabels(counter), for: device.id)
            }
        }
        let depths = Set(series.values.joined().filter { $0.metric == RainCounter.depthMetric })
        for device in devices.values {
            guard let model = self.models[device.model] else { continue }
            let channels = gainable[model.id] ?? GainableChannels(model)
            gainable[model.id] = channels
            plans[device.id] = DevicePlan(
                device: device,
                overrides: sites[device.site]?.quality ?? [:],
                model: model,
                series: series[device.id] ?? [],
                owners: owners,
                gainable: channels,
                keys: keys,
                measuredDepths: depths
            )
        }
        self.plans = plans
        self.addresses = addresses
        self.contestedNames = Self.contestedNames(
            sites: sites,
            devices: devices,
            addresses: addresses
        )
        let named = Dictionary(grouping: devices.values.filter { !$0.name.isEmpty }, by: \.name)
        self.devicesByName = named.compactMapValues { $0.count == 1 ? $0[0].id : nil }
        let bySite = Dictionary(grouping: plans.values) { $0.device.site }
        var entries: [String: SiteEntry] = [:]
        for site in sites.values {
            let plans = (bySite[site.id] ?? []).sorted { $0.device.id < $1.device.id }
            entries[site.id] = SiteEntry(site: site, plans: plans)
        }
        self.entries = entries
        self.entriesByName = entries.values.sorted { $0.site.id < $1.site.id }
        self.lookbacks = LookbackIndex(entries: entries.values)
        var thresholdSites: [String: [SiteEntry]] = [:]
        for entry in self.entriesByName {
            for name in Set(entry.thresholds.map(\.metric)) { thresholdSites[name, default: []].append(entry) }
        }
        self.thresholdSites = thresholdSites
    }

    /// The channels of a site's devices, in the order of device ids; a series that two devices feed appears once.
    ///
    /// A device that gains channels has those that it has used so far, or that ``adopt(_:)`` found.
    package func registeredChannels(at site: String) -> [RegisteredChannel] {
        guard let entry = self.entries[site] else { return [] }
        return entry.channels.map(\.registered) + self.learnedChannels(at: entry)
    }

    /// The devices of a site in the order of their ids; without any, the site is `not_instrumented`.
    package func devices(at site: String) -> [Device] {
        self.entries[site]?.plans.map(\.device) ?? []
    }

    /// How far the clock of a device is off: the median of receive time minus reading time of its newest messages.
    ///
    /// - Returns: Milliseconds, below zero where it is ahead; nil before the first message with a time of its own.
    package func clockOffset(ofDevice id: String) -> Milliseconds? { self.plans[id]?.clockOffset }

    /// The devices whose clock is off by more than `limit`, in no order.
    package func clockOffsets(beyond limit: Milliseconds) -> [(device: String, offset: Milliseconds)] {
        self.plans.compactMap { id, plan in
            plan.clockOffset.flatMap { abs($0) > limit ? (device: id, offset: $0) : nil }
        }
    }

    /// The device with a foreign identity: DevEUI, SL 651 address, MN, in any of the forms in which people write it.
    package func device(address: String) -> Device? {
        self.addresses.owner(of: address).flatMap { self.devices[$0.device] }
    }

    /// Why no device but `device` can get an address; nil where one can.
    package func refusal(ofAddress address: String, besides device: String) -> LocalizedName? {
        guard let owner = self.addresses.owner(of: address), owner.device != device else { return nil }
        return owner.refusal(of: address, place: nil)
    }

    /// The thresholds of a site in force at a moment, lowest level first.
    package func thresholds(at site: String, moment: Timestamp) -> [Threshold] {
        (self.sites[site]?.thresholds ?? []).filter { $0.isValid(at: moment) }
            .sorted { ($0.hazard.rawValue, $0.level) < ($1.hazard.rawValue, $1.level) }
    }

    /// Takes the series that the store holds as channels of the devices that gain channels, so that their silence is
    /// noticed after a restart, too.
    ///
    /// - Parameter labels: Stored labels of series, with their metric names.
    package func adopt(_ labels: some Sequence<Labels>) {
        for labels in labels {
            guard let entry = self.entries[labels.site], entry.takesGenericSeries(labels) else { continue }
            self.keys.learn(self.keys.key(for: labels))
        }
    }

    /// Whether a device of the site has gained a series of depths of rain and reports them itself: a site has one source.
    func isReported(depths: Labels) -> Bool {
        self.keys.reporter(of: depths).flatMap { self.devices[$0] }?.site == depths.site
    }

    /// The sites with a device that gains channels: only their series are of use to ``adopt(_:)``.
    package var sitesOfAnyMetric: [String] {
        self.entries.values.filter { !$0.learning.isEmpty }.map(\.site.id)
    }

    /// The labels that queries show of a stored series: its own, and the attributes of its site where it has none of
    /// that name.
    package func shownLabels(of stored: Labels) -> Labels {
        self.entries[stored.site]?.show(stored).labels ?? stored
    }

    /// What the devices that gain channels have used so far.
    func learnedChannels(at entry: SiteEntry) -> [RegisteredChannel] {
        guard !entry.learning.isEmpty else { return [] }
        return self.keys.learned(at: entry.site.id)
            .compactMap { learned in
                let labels = learned.series.labels
                guard entry.takesGenericSeries(labels) else { return nil }
                let gained = entry.gained(labels)
                guard let sender = entry.device(learned.device) ?? gained?.plan ?? entry.anySender(of: labels) else {
                    return nil
                }
                return RegisteredChannel(
                    series: learned.series,
                    device: sender.device.id,
                    schedule: gained.map { sender.gainable.schedule(of: $0.channel, on: sender.device) }
                        ?? sender.device.schedule,
                    metric: labels.metric,
                    installedAt: nil,
                    stuckAfter: gained?.channel.stuckAfter
                )
            }
    }
}

extension DeviceModel {
    /// A channel's schedule on a device: the device's own replaces the model's, not a channel's own.
    package func schedule(of channel: Channel, on device: Device) -> ReportSchedule? {
        guard let schedule = device.schedule, channel.schedule == self.schedule else { return channel.schedule }
        return schedule
    }
}
