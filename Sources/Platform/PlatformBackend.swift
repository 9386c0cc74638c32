// poyang
// SPDX-License-Identifier: Apache-2.0

package import CatalogStorage
import DeviceCatalog
import Dissemination
import EarlyWarning
package import HTTPAPI
import MQTTIngest
package import SeriesStorage
package import Telemetry

/// What the HTTP API sees of the platform.
package struct PlatformBackend: APIBackend {
    package let records: CatalogStore
    package let samples: SeriesStore
    package let feedSignal: FeedSignal
    package let deviceTap: DeviceTap
    let options: PlatformOptions
    let resolver: CatalogResolver
    let processor: Processor
    let pushes: RemoteWriteIntake
    /// Nil for the API alone.
    let upkeep: Upkeep?
    let bell: UpkeepBell
    let outageBoard: OutageBoard
    let recordedBoard: RecordedBoard
    let backfill: RecordingBackfill?
    /// Nil for the API alone.
    let ingest: Ingest?
    let brokerName: String
    /// Nil where others keep the broker's accounts.
    let accounts: BrokerAccounts?
    let configuration: Configuration
    let keys: SeriesKeyTable
    package let queries: QueryService
    let wallClock: @Sendable () -> Timestamp

    package func now() -> Timestamp { self.wallClock() }

    package func reader(org: String?) -> any SeriesReader {
        let catalog = self.resolver.catalog
        let reader = AlertSeriesReader(
            base: self.recordedBoard.series.over(
                CatalogReader(
                    base: self.samples.snapshot(),
                    catalog: catalog,
                    outages: self.outageBoard.outages,
                    maintenance: self.resolver.maintenance
                )
            ),
            records: self.records,
            catalog: catalog
        )
        guard let org else { return reader }
        return OrgReader(base: reader, org: org)
    }

    package func site(_ id: String) -> Site? { self.resolver.catalog.sites[id] }

    package func status(org: String?) async throws -> StatusReport {
        let catalog = self.resolver.catalog
        let ids = Array(catalog.sites.keys)
        let seen = try await self.processor.look { core in
            (warnings: core.book.active, clocks: core.clocks(of: ids))
        }
        let builder = StatusBuilder(
            catalog: catalog,
            reader: self.reader(org: nil),
            clock: { seen.clocks[$0] },
            warnings: Dictionary(grouping: seen.warnings, by: \.identity.site),
            maintenance: self.resolver.maintenance
        )
        let sites = try self.visibleSites(org).map(builder.status)
        return StatusReport(time: self.now().rfc3339(), sites: sites, service: try await self.fullServiceStatus())
    }

    /// With the counts that only the processing thread knows.
    private func fullServiceStatus() async throws -> ServiceStatus {
        let seen = try await self.processor.look { core in (counts: core.counts, engine: core.engine.counters) }
        var status = try self.serviceStatus()
        status.stored = seen.counts.stored + seen.counts.revised
        status.duplicates = seen.counts.duplicates
        status.quarantined = seen.counts.quarantined.values.reduce(0, +)
        status.evaluations = seen.engine.evaluations
        status.lateSamples = seen.engine.lateSamples
        return status
    }

    package func serviceStatus() throws -> ServiceStatus {
        let progress = self.processor.progress
        let metrics = self.ingest?.metrics
        var faults: [String] = []
        if let fault = self.processor.currentFault { faults.append(fault) }
        if let ingest, case .waiting(let reason, _) = ingest.state { faults.append(reason) }
        let clockFault = self.processor.clockFault
        if let clockFault { faults.append(clockFault) }
        let upkeep = self.upkeep?.report ?? Upkeep.Report()
        let upkeepFaults = upkeep.faults + [self.processor.sealFault].compactMap { $0 }
        faults += upkeepFaults
        let store = StoreReport(self.samples.statistics(), upkeep)
        var status = ServiceStatus(
            exercise: self.options.exercise,
            clock: self.options.clock.rawValue,
            position: progress.journalled.rawValue,
            processed: progress.processed.rawValue,
            subscribed: self.ingest?.isSubscribed ?? false,
            broker: self.brokerName,
            messages: metrics?.committedMessages ?? 0,
            redelivered: metrics?.redelivered ?? 0,
            feed: try self.records.latestFeedSequence(),
            samples: store.samples,
            faults: faults,
            isOwnClockSuspect: clockFault != nil
        )
        status.upkeepFaults = upkeepFaults.count
        status.isCatchingUp = !self.processor.hasCaughtUp
        status.store = store
        return status
    }

    package func siteReports(org: String?) -> [SiteReport] {
        let catalog = self.resolver.catalog
        return self.visibleSites(org)
            .map { site in
                SiteReport(site, devices: catalog.devices(at: site.id).map(\.id))
            }
    }

    package func deviceReports(org: String?) async throws -> [DeviceReport] {
        let catalog = self.resolver.catalog
        let ids = Array(catalog.sites.keys)
        let clocks = try await self.processor.look { $0.clocks(of: ids) }
        let builder = StatusBuilder(
            catalog: catalog,
            reader: self.reader(org: nil),
            clock: { clocks[$0] },
            warnings: [:]
        )
        return try self.visibleSites(org)
            .flatMap { site in
                let channels = Dictionary(grouping: catalog.registeredChannels(at: site.id), by: \.device)
                return try catalog.devices(at: site.id)
                    .map { device in
                        try self.report(device, of: site, channels: channels[device.id] ?? [], builder, clocks[site.id])
                    }
            }
    }

    package func deviceReport(_ id: String, org: String?) async throws -> DeviceReport? {
        let catalog = self.resolver.catalog
        guard let device = catalog.devices[id] else { return try self.retiredReport(id, org: org) }
        guard let site = catalog.sites[device.site], org.map({ $0 == site.org }) ?? true else { return nil }
        let clock = try await self.processor.look { $0.clocks(of: [site.id]) }[site.id]
        let builder = StatusBuilder(
            catalog: catalog,
            reader: self.reader(org: nil),
            clock: { _ in clock },
            warnings: [:]
        )
        let channels = catalog.registeredChannels(at: site.id).filter { $0.device == id }
        var report = try self.report(device, of: site, channels: channels, builder, clock)
        report.health = try self.health(
            of: device,
            channels: channels,
            reports: report.channels,
            at: self.options.clock == .wall ? self.now() : clock ?? self.now()
        )
        report.history = try self.records.history(device: id).map(DeviceFactReport.init)
        return report
    }

    package func modelReports() -> [ModelReport] {
        self.resolver.catalog.models.values.sorted { $0.id < $1.id }.map(ModelReport.init)
    }

    private func report(
        _ device: Device,
        of site: Site,
        channels: [RegisteredChannel],
        _ builder: StatusBuilder,
        _ clock: Timestamp?
    ) throws -> DeviceReport {
        var lastSeen: Timestamp?
        var isSilent = false
        let work = self.resolver.maintenance
        let outages = self.outageBoard.outages.joined(with: work.spans(of: device.id))
        let reports = try channels.map { channel in
            let newest = try builder.newestSample(of: channel)
            if let newest {
                lastSeen = max(lastSeen ?? newest.time, newest.time)
                if let clock, let limit = channel.schedule?.silenceLimit,
                    clock >= outages.silence(after: newest.time, limit: limit)
                {
                    isSilent = true
                }
            }
            return ChannelReport(
                metric: channel.metric,
                labels: channel.series.labels.removing(Labels.metricName),
                newest: newest,
                interval: channel.schedule.map(\.intervalText)
            )
        }
        let workEnd = work.end(of: device.id, at: self.options.clock == .wall ? self.now() : clock ?? self.now())
        let state = workEnd != nil ? "maintenance" : lastSeen == nil ? "waiting" : isSilent ? "silent" : "reporting"
        let isFromFile = self.resolver.catalog.fileDevices.contains(device.id)
        var report = DeviceReport(
            device,
            org: site.org,
            source: isFromFile ? "file" : "registry",
            state: state,
            maintenanceUntil: workEnd?.rfc3339(),
            lastSeen: lastSeen?.rfc3339(),
            clockOffsetSeconds: self.clockOffset(of: device),
            interval: (device.schedule ?? self.resolver.catalog.models[device.model]?.schedule)?.intervalText,
            channels: reports
        )
        let connection = self.resolver.board.connection(of: device.id)
        report.connection = connection?.state.rawValue
        report.connectionSince = connection?.since.rfc3339()
        return report
    }

    private func visibleSites(_ org: String?) -> [Site] {
        self.resolver.catalog.sites.values.filter { site in org.map { $0 == site.org } ?? true }
            .sorted { $0.id < $1.id }
    }

    package func advanceClock(to time: Timestamp, site: String?) async throws {
        guard self.options.clock == .data else {
            throw APIProblem.conflict("clocks follow wall time; only `poyang serve --clock data` can be advanced")
        }
        if let site, self.resolver.catalog.sites[site] == nil {
            throw APIProblem.notFound("there is no site '\(site)'; `poyang sites list` shows all")
        }
        try self.processor.commitClockAdvance(site: site, to: time)
        // Answered when the timers have fired.
        try await self.processor.perform { _ in }
    }

    package func acknowledge(number: String, by name: String, note: String) async throws {
        let now = self.now()
        try await self.processor.perform { core in
            try core.acknowledge(number: number, by: name, note: note, at: now)
        }
    }

    package func metrics() async throws -> String {
        let status = try await self.fullServiceStatus()
        let quarantined = try await self.processor.look { $0.counts.quarantined }
        var text = MetricsText()
        text.counter("poyang_messages_total", "Messages committed, refused ones included.", status.messages)
        text.counter("poyang_redelivered_total", "Messages that came again and were known.", status.redelivered)
        text.counter(
            "poyang_sessions_lost_total",
            "Times the broker had forgotten our session and what it held for us.",
            self.ingest?.metrics.sessionsLost ?? 0
        )
        var samples: [(labels: KeyValuePairs<String, String>, value: Int)] = [
            (["outcome": "stored", "reason": ""], status.stored),
            (["outcome": "duplicate", "reason": ""], status.duplicates),
        ]
        for reason in QuarantineReason.allCases {
            samples.append((["outcome": "quarantined", "reason": reason.rawValue], quarantined[reason] ?? 0))
        }
        text.add("poyang_readings_total", "counter", "Values by where they ended.", samples)
        self.pushes.metrics.add(to: &text)
        text.gauge("poyang_queries_inside", "Queries that are evaluated or written.", self.queries.gate.inside)
        text.gauge("poyang_queries_waiting", "Queries that wait for a place.", self.queries.gate.waiting)
        text.counter(
            "poyang_queries_refused_total",
            "Queries refused because too many waited.",
            self.queries.gate.refused
        )
        text.counter("poyang_rule_evaluations_total", "Evaluations of rule expressions.", status.evaluations)
        text.counter("poyang_late_samples_total", "Samples behind their site's clock.", status.lateSamples)
        text.gauge("poyang_journal_position", "The newest committed batch.", Int(status.position))
        text.gauge("poyang_processed_position", "The newest batch that the rules have seen.", Int(status.processed))
        text.gauge("poyang_feed_sequence", "The newest message of the feed.", Int(status.feed))
        if self.options.clock == .wall { self.addClocks(to: &text) }
        let awaySince = try await self.processor.look { $0.brokerAwaySince }
        text.gauge(
            "poyang_broker_away_seconds",
            "How long the broker has been away; 0 while it is there.",
            awaySince.map { max(0, Int((self.now() - $0) / .second)) } ?? 0
        )
        text.gauge("poyang_subscribed", "1 while the broker's subscription is in force.", status.subscribed ? 1 : 0)
        status.store.add(to: &text)
        return text.text
    }
}

extension PlatformBackend {
    /// Clocks that are off by less than a minute are no matter; of the others these are named.
    private static let clocksNamed = 100

    /// Seconds; nil where the clock is that of the data, which says nothing of devices.
    private func clockOffset(of device: Device) -> Double? {
        guard self.options.clock == .wall else { return nil }
        return self.resolver.catalog.clockOffset(ofDevice: device.id).map { Double($0) / Double(Milliseconds.second) }
    }

    private func addClocks(to text: inout MetricsText) {
        let wrong = self.resolver.catalog.clockOffsets(beyond: .minute).sorted { abs($0.offset) > abs($1.offset) }
        text.gauge(
            "poyang_devices_clock_wrong",
            "Devices whose clock is off by more than a minute, or whose messages come that late.",
            wrong.count
        )
        guard !wrong.isEmpty else { return }
        text.add(
            "poyang_device_clock_offset_seconds",
            "gauge",
            "Median of receive time minus reading time of a device's newest messages; the 100 farthest from zero.",
            wrong.prefix(Self.clocksNamed).map { (labels: ["device": $0.device], value: Int($0.offset / .second)) }
        )
    }
}

extension ReportSchedule {
    /// As in the files: `5m`, `event, heartbeat 1d`.
    fileprivate var intervalText: String {
        switch self {
        case .periodic(let interval): PrometheusDuration.text(interval)
        case .event(let heartbeat): "event, heartbeat \(PrometheusDuration.text(heartbeat))"
        }
    }
}

/// Shows the series of one org only, whatever is asked.
private struct OrgReader: SeriesReader {
    let base: any SeriesReader
    let org: String

    private var matcher: LabelMatcher { LabelMatcher("org", equals: self.org) }

    func select(_ request: SelectRequest) throws -> [SeriesColumns] { try self.base.select(self.scoped(request)) }

    func selection(_ request: SelectRequest) throws -> any SelectedSeries {
        try self.base.selection(self.scoped(request))
    }

    func series(matching matchers: [LabelMatcher], after: Timestamp, through: Timestamp) throws -> [Labels] {
        try self.base.series(matching: matchers + [self.matcher], after: after, through: through)
    }

    private func scoped(_ request: SelectRequest) -> SelectRequest {
        var request = request
        request.matchers.append(self.matcher)
        return request
    }
}
