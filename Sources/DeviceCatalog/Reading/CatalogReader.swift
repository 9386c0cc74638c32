// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// A store's series as the catalogue shows them: with the attributes of their sites as labels, with the look-back of
/// their channels, and with the series that exist only here.
///
/// - `site_threshold_<unit>{site, hazard, level}` has at T the threshold in force at T.
/// - `channel_silent{site, metric, device, …}` is 1 from the moment on at which a channel that has reported before
///   counts as silent, else 0; only for registered channels with a schedule.
/// - `channel_never_reported` with the same labels is 1 while the first report of a channel is overdue, 0 before.
/// - `channel_stuck` with the same labels is 1 while a channel reports one value for longer than its model allows, else 0.
/// - `site_field_capacity_percent{site}` is what the soil of a site holds, where it is known.
///
/// Virtual labels (`org county basin kind admin_code`) are matched through the sites and never override a stored label.
package struct CatalogReader: SeriesReader {
    package static let silenceMetric = "channel_silent"
    package static let unheardMetric = "channel_never_reported"
    package static let stuckMetric = "channel_stuck"

    let base: any SeriesReader
    let catalog: Catalog
    /// Times of which silence is not counted.
    package var outages: Outages
    /// Times of which the silence of single devices is not counted.
    let maintenance: MaintenanceWindows

    package init(
        base: any SeriesReader,
        catalog: Catalog,
        outages: Outages = Outages(),
        maintenance: MaintenanceWindows = .none
    ) {
        self.base = base
        self.catalog = catalog
        self.outages = outages
        self.maintenance = maintenance
    }

    package func select(_ request: SelectRequest) throws -> [SeriesColumns] {
        if let name = request.matchers.exactValue(of: Labels.metricName), self.isComputed(name) {
            return try self.computed(request, name: name)
        }
        let selection = try self.selection(request)
        return try (0..<selection.count).compactMap { try selection.columns(of: $0) }
    }

    package func selection(_ request: SelectRequest) throws -> any SelectedSeries {
        guard let name = request.matchers.exactValue(of: Labels.metricName) else {
            let computed = ListedSelection(try self.computed(request))
            let stored = try self.storedSelection(request)
            return computed.count == 0 ? stored : JoinedSelection(first: stored, second: computed)
        }
        if self.isComputed(name) { return ListedSelection(try self.computed(request, name: name)) }
        return try self.storedSelection(request)
    }

    package func series(
        matching matchers: [LabelMatcher],
        after: Timestamp,
        through: Timestamp
    ) throws -> [Labels] {
        let (plain, virtual) = self.split(matchers)
        var found: [Labels] = []
        for (pass, restricted) in Self.passes(plain, virtual) {
            for stored in try self.base.series(matching: restricted, after: after, through: through) {
                if let virtual, virtual.pass(of: stored) != pass { continue }
                let shown = self.catalog.entries[stored.site]?.show(stored).labels ?? stored
                if virtual?.matches(shown) ?? true { found.append(shown) }
            }
        }
        let request = SelectRequest(matchers: matchers, extent: .window(after: after, through: through))
        let name = matchers.exactValue(of: Labels.metricName)
        if name.map(ThresholdSeries.isName) ?? true {
            found += self.thresholds(request, name: name).map(\.labels)
        }
        if name.map(self.isChannelState) ?? true { found += try self.channelStates(request).map(\.labels) }
        return found
    }
}

// MARK: - Stored series

extension CatalogReader {
    /// Selects from the base, to put on labels and look-back.
    ///
    /// The base does not know how long a series' value stands, so for `lookback` extents it is asked for windows, one
    /// for each class of sites with the same distance; what is too old for its own series is cut off again.
    private func storedSelection(_ request: SelectRequest) throws -> ShownSelection {
        let (plain, virtual) = self.split(request.matchers)
        var parts: [ShownSelection.Part] = []
        var from: Timestamp?
        var siteEntry: SiteEntry?
        func add(_ pass: Int, _ matchers: [LabelMatcher], _ extent: SelectExtent) throws {
            var inner = request
            inner.matchers = matchers
            inner.extent = extent
            parts.append(ShownSelection.Part(base: try self.base.selection(inner), pass: pass))
        }
        for (pass, matchers) in Self.passes(plain, virtual) {
            guard case .lookback(let start, let through) = request.extent else {
                try add(pass, matchers, request.extent)
                continue
            }
            from = start
            let metric = matchers.exactValue(of: Labels.metricName)
            if let site = matchers.exactValue(of: "site") {
                siteEntry = self.catalog.entries[site]
                let distance = siteEntry?.longestLookback(of: metric) ?? ReportSchedule.unregisteredLookback
                try add(pass, matchers, .window(after: start - distance, through: through))
                continue
            }
            let partition = self.catalog.lookbacks.partition(metric: metric)
            for one in partition.classes {
                try add(pass, matchers + [one.matcher], .window(after: start - one.lookback, through: through))
            }
            let others = partition.others.map { matchers + [$0] } ?? matchers
            try add(pass, others, .window(after: start - ReportSchedule.unregisteredLookback, through: through))
        }
        return ShownSelection(parts, catalog: self.catalog, from: from, entry: siteEntry, virtual: virtual)
    }

    private func split(_ matchers: [LabelMatcher]) -> (plain: [LabelMatcher], virtual: VirtualCondition?) {
        let (plain, virtual) = matchers.splitByVirtualName()
        return (plain, virtual.isEmpty ? nil : VirtualCondition(virtual, catalog: self.catalog))
    }

    /// Matchers for the base by which every series is found whose shown labels can match.
    private static func passes(
        _ plain: [LabelMatcher],
        _ virtual: VirtualCondition?
    ) -> [(pass: Int, matchers: [LabelMatcher])] {
        guard let virtual else { return [(0, plain)] }
        return virtual.storedMatchers.enumerated().map { ($0.offset, plain + [$0.element]) }
    }
}

// MARK: - Computed series

extension CatalogReader {
    /// Whether the series of this name exist only here.
    private func isComputed(_ name: String) -> Bool {
        ThresholdSeries.isName(name) || self.isChannelState(name)
    }

    private func isChannelState(_ name: String) -> Bool {
        name == CatalogReader.silenceMetric || name == CatalogReader.unheardMetric || name == CatalogReader.stuckMetric
    }

    /// The series that exist only here, whatever their name.
    private func computed(_ request: SelectRequest) throws -> [SeriesColumns] {
        self.thresholds(request, name: nil) + (try self.channelStates(request))
    }

    private func computed(_ request: SelectRequest, name: String) throws -> [SeriesColumns] {
        ThresholdSeries.isName(name) ? self.thresholds(request, name: name) : try self.channelStates(request)
    }

    private func thresholds(_ request: SelectRequest, name: String?) -> [SeriesColumns] {
        if let site = request.matchers.exactValue(of: "site") {
            guard let entry = self.catalog.entries[site] else { return [] }
            return self.thresholds(request, name: name, entry: entry)
        }
        guard let name else {
            return self.catalog.entriesByName.flatMap { self.thresholds(request, name: nil, entry: $0) }
        }
        return (self.catalog.thresholdSites[name] ?? []).flatMap { self.thresholds(request, name: name, entry: $0) }
    }

    /// The thresholds of one site.
    ///
    /// Rules ask for one hazard and level at every reading, so equalities decide before the matchers are looked at.
    private func thresholds(_ request: SelectRequest, name: String?, entry: SiteEntry) -> [SeriesColumns] {
        let hazard = request.matchers.exactValue(of: "hazard")
        let level = request.matchers.exactValue(of: "level")
        let exact = (name == nil ? 0 : 1) + (hazard == nil ? 0 : 1) + (level == nil ? 0 : 1)
        // The site is an equality, too, or this function is called for each site.
        let isDecided = request.matchers.count == exact + 1 && request.matchers.exactValue(of: "site") != nil
        var found: [SeriesColumns] = []
        for series in entry.thresholds {
            if let level, series.level != level { continue }
            if let hazard, series.hazard != hazard { continue }
            if let name, series.metric != name { continue }
            guard isDecided || request.matchers.allSatisfy({ $0.matches(series.labels) }) else { continue }
            if let columns = series.columns(request.extent) { found.append(columns) }
        }
        return found
    }

    /// The series that say how channels are: silent, never heard of, stuck.
    private func channelStates(_ request: SelectRequest) throws -> [SeriesColumns] {
        var found: [SeriesColumns] = []
        func add(_ labels: Labels?, _ columns: () throws -> SeriesColumns?) rethrows {
            guard let labels, request.matchers.allSatisfy({ $0.matches(labels) }), let columns = try columns() else {
                return
            }
            found.append(columns)
        }
        func add(_ states: SiteEntry.ChannelStates?, device: String) throws {
            let outages = self.outages.joined(with: self.maintenance.spans(of: device))
            try add(states?.silence?.labels) {
                try states?.silence?.columns(request.extent, base: self.base, outages)
            }
            try add(states?.unheard?.labels) {
                try states?.unheard?.columns(request.extent, base: self.base, outages)
            }
            try add(states?.stuck?.labels) { try states?.stuck?.columns(request.extent, base: self.base) }
        }
        for entry in self.stateCandidates(request.matchers) {
            for channel in entry.channels { try add(channel.states, device: channel.registered.device) }
            for channel in self.catalog.learnedChannels(at: entry) {
                let states = SiteEntry.ChannelStates(channel, virtual: entry.virtualLabels)
                try add(states, device: channel.device)
            }
        }
        return found
    }

    private func stateCandidates(_ matchers: [LabelMatcher]) -> [SiteEntry] {
        if let site = matchers.exactValue(of: "site") { return self.catalog.entries[site].map { [$0] } ?? [] }
        let (_, virtual) = matchers.splitByVirtualName()
        guard !virtual.isEmpty else { return self.catalog.entriesByName }
        // A channel may store such a label itself, in which case its own counts.
        return self.catalog.entriesByName.filter { entry in
            virtual.allSatisfy { $0.matches(entry.virtualLabels) }
                || entry.channels.contains { channel in
                    virtual.contains { channel.registered.series.labels.value(of: $0.name) != nil }
                }
        }
    }
}

extension [LabelMatcher] {
    /// The value that a label must have; `nil` where no equality says so.
    func exactValue(of name: String) -> String? {
        for matcher in self where matcher.operation == .equal && matcher.name == name { return matcher.value }
        return nil
    }

    func splitByVirtualName() -> (plain: [LabelMatcher], virtual: [LabelMatcher]) {
        guard self.contains(where: \.isVirtual) else { return (self, []) }
        return (self.filter { !$0.isVirtual }, self.filter(\.isVirtual))
    }
}

extension LabelMatcher {
    fileprivate var isVirtual: Bool {
        // Asked for every selector of every rule at every reading: the length decides mostly.
        switch self.name.utf8.count {
        case 3: self.name == "org"
        case 4: self.name == "kind"
        case 5: self.name == "basin"
        case 6: self.name == "county"
        case 10: self.name == "admin_code"
        default: false
        }
    }
}
