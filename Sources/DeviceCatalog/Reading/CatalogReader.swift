// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// A store's series as the catalogue shows them: with the attributes of their sites as labels, with the look-back of
/// their channels, and with the series that exist only here.
///
/// - `site_threshold_<unit>{site, hazard, level}` has at T the threshold in force at T.
/// - `channel_silent{site, metric, device, …}` is 1 from the moment on at which a channel that has reported before
///   counts as silent, else 0; only for registered channels with a schedule.
///
/// Virtual labels (`org county basin kind`) are matched through the sites and never override a stored label.
package struct CatalogReader: SeriesReader {
    package static let silenceMetric = "channel_silent"

    let base: any SeriesReader
    let catalog: Catalog

    package init(base: any SeriesReader, catalog: Catalog) {
        self.base = base
        self.catalog = catalog
    }

    package func select(_ request: SelectRequest) throws -> [SeriesColumns] {
        guard let name = request.matchers.exactValue(of: Labels.metricName) else {
            return try self.storedSeries(request) + self.computed(request)
        }
        if ThresholdSeries.isName(name) { return self.thresholds(request, name: name) }
        if name == CatalogReader.silenceMetric { return try self.silences(request) }
        return try self.storedSeries(request)
    }

    package func series(
        matching matchers: [LabelMatcher],
        after: Timestamp,
        through: Timestamp
    ) throws -> [Labels] {
        let (plain, virtual) = matchers.splitByVirtualName()
        var found: [Labels] = []
        var seen: Set<Labels> = []
        for restricted in self.baseMatchers(plain: plain, virtual: virtual) {
            for stored in try self.base.series(matching: restricted, after: after, through: through) {
                let shown = self.catalog.entries[stored.site]?.show(stored).labels ?? stored
                guard virtual.allSatisfy({ $0.matches(shown) }) else { continue }
                // Without virtual matchers there is one pass, in which no series comes twice.
                if virtual.isEmpty || seen.insert(shown).inserted { found.append(shown) }
            }
        }
        let request = SelectRequest(matchers: matchers, extent: .window(after: after, through: through))
        let name = matchers.exactValue(of: Labels.metricName)
        if name.map(ThresholdSeries.isName) ?? true {
            found += self.thresholds(request, name: name).map(\.labels)
        }
        if name == nil || name == CatalogReader.silenceMetric { found += try self.silences(request).map(\.labels) }
        return found
    }
}

// MARK: - Stored series

extension CatalogReader {
    private func storedSeries(_ request: SelectRequest) throws -> [SeriesColumns] {
        let (plain, virtual) = request.matchers.splitByVirtualName()
        guard !virtual.isEmpty else { return try self.storedSeries(request, matchers: request.matchers) }
        var found: [SeriesColumns] = []
        var seen: Set<Labels> = []
        for matchers in self.baseMatchers(plain: plain, virtual: virtual) {
            for columns in try self.storedSeries(request, matchers: matchers)
            where virtual.allSatisfy({ $0.matches(columns.labels) }) && seen.insert(columns.labels).inserted {
                found.append(columns)
            }
        }
        return found
    }

    /// Selects from the base and puts on labels and look-back.
    ///
    /// The base does not know how long a series' value stands, so for `lookback` extents it is asked for windows, one
    /// for each class of sites with the same distance; what is too old for its own series is cut off again.
    private func storedSeries(_ request: SelectRequest, matchers: [LabelMatcher]) throws -> [SeriesColumns] {
        var inner = request
        inner.matchers = matchers
        guard case .lookback(let from, let through) = request.extent else {
            return try self.shown(self.base.select(inner), from: nil)
        }
        let metric = matchers.exactValue(of: Labels.metricName)
        if let site = matchers.exactValue(of: "site") {
            let entry = self.catalog.entries[site]
            let distance = entry?.longestLookback(of: metric) ?? ReportSchedule.unregisteredLookback
            inner.extent = .window(after: from - distance, through: through)
            return try self.shown(self.base.select(inner), from: from, entry: entry)
        }
        let partition = self.catalog.lookbacks.partition(metric: metric)
        var found: [SeriesColumns] = []
        for one in partition.classes {
            inner.matchers = matchers + [one.matcher]
            inner.extent = .window(after: from - one.lookback, through: through)
            found += try self.shown(self.base.select(inner), from: from)
        }
        inner.matchers = partition.others.map { matchers + [$0] } ?? matchers
        inner.extent = .window(after: from - ReportSchedule.unregisteredLookback, through: through)
        found += try self.shown(self.base.select(inner), from: from)
        return found
    }

    /// With labels and look-back put on, without series whose samples are all too old for a value at `from` or later.
    ///
    /// - Parameters:
    ///   - stored: As the base gave them.
    ///   - from: The first moment of a `lookback` extent.
    ///   - entry: The site of all of them, where the selector names one.
    /// - Returns: What is left, in the same order.
    private func shown(
        _ stored: [SeriesColumns],
        from: Timestamp?,
        entry: SiteEntry? = nil
    ) -> [SeriesColumns] {
        var found = stored
        var isAnyEmpty = false
        for index in found.indices {
            if let entry = entry ?? self.catalog.entries[found[index].labels.site] {
                (found[index].labels, found[index].lookback) = entry.show(found[index].labels)
            } else {
                found[index].lookback = ReportSchedule.unregisteredLookback
            }
            if let from { found[index].cut(after: from - found[index].lookback) }
            if found[index].times.isEmpty { isAnyEmpty = true }
        }
        if isAnyEmpty { found.removeAll { $0.times.isEmpty } }
        return found
    }

    /// Matchers for the base by which every series is found whose shown labels can match.
    ///
    /// First the sites whose attributes match; then the series that store such a label themselves, which are few.
    func baseMatchers(plain: [LabelMatcher], virtual: [LabelMatcher]) -> [[LabelMatcher]] {
        guard !virtual.isEmpty else { return [plain] }
        let matchesNothingKnown = virtual.allSatisfy { $0.matches("") }
        let entries = self.catalog.entries
        // Matchers are compared by their values: this one holds for this snapshot only.
        let value = virtual.map(\.description).joined(separator: ",") + " in \(ObjectIdentifier(self.catalog))"
        let bySite = LabelMatcher(
            name: "site",
            operation: .matches,
            value: value,
            pattern: { site in
                guard let entry = entries[site] else { return matchesNothingKnown }
                return virtual.allSatisfy { $0.matches(entry.virtualLabels) }
            }
        )
        let byStoredLabel = Set(virtual.map(\.name)).sorted()
            .map {
                LabelMatcher(name: $0, operation: .notEqual, value: "", pattern: nil)
            }
        return [plain + [bySite]] + byStoredLabel.map { plain + [$0] }
    }
}

// MARK: - Computed series

extension CatalogReader {
    /// Whether the series of this name exist only here.
    func isComputed(_ name: String) -> Bool {
        ThresholdSeries.isName(name) || name == CatalogReader.silenceMetric
    }

    /// The series that exist only here, whatever their name.
    func computed(_ request: SelectRequest) throws -> [SeriesColumns] {
        self.thresholds(request, name: nil) + (try self.silences(request))
    }

    private func thresholds(_ request: SelectRequest, name: String?) -> [SeriesColumns] {
        if let site = request.matchers.exactValue(of: "site") {
            guard let entry = self.catalog.entries[site] else { return [] }
            return self.thresholds(request, name: name, entry: entry)
        }
        guard let name else {
            return self.catalog.entries.values.flatMap { self.thresholds(request, name: nil, entry: $0) }
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

    private func silences(_ request: SelectRequest) throws -> [SeriesColumns] {
        var found: [SeriesColumns] = []
        func add(_ silence: ChannelSilence?) throws {
            guard let silence, request.matchers.allSatisfy({ $0.matches(silence.labels) }),
                let columns = try silence.columns(request.extent, base: self.base)
            else { return }
            found.append(columns)
        }
        for entry in self.silenceCandidates(request.matchers) {
            for channel in entry.channels { try add(channel.silence) }
            for channel in self.catalog.learnedChannels(at: entry) {
                try add(ChannelSilence(channel: channel, virtual: entry.virtualLabels))
            }
        }
        return found
    }

    private func silenceCandidates(_ matchers: [LabelMatcher]) -> [SiteEntry] {
        if let site = matchers.exactValue(of: "site") { return self.catalog.entries[site].map { [$0] } ?? [] }
        return Array(self.catalog.entries.values)
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
        default: false
        }
    }
}

extension SeriesColumns {
    /// Drops the samples at or before `moment`.
    fileprivate mutating func cut(after moment: Timestamp) {
        guard let first = self.times.first, first <= moment else { return }
        let kept = self.times.firstIndex { $0 > moment } ?? self.times.count
        self.times.removeFirst(kept)
        self.values.removeFirst(kept)
        self.marks.removeFirst(kept)
    }
}
